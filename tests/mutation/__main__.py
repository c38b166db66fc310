"""Breaks one rule of a bundled adapter at a time and sees whether a run notices.

Run it as ``python -m tests.mutation --help``; it needs the dependency group ``mutation``.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import cosmic_ray.plugins
from cosmic_ray.commands.init import _all_work_items
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_item import MutationSpec, TestOutcome

from tests.mutation.operators import ChangeWord, DropStatement

Position = tuple[int, int]

ROOT = Path(__file__).parents[2]
NEEDED = ("harness", "mockserver", "specs", "cassettes", "tests", "pyproject.toml", "README.md")
MODULES = Path("harness/adapters")
#: The modules whose rules the run of an adapter holds. Shared ones are judged by their first user.
ADAPTERS = {
    "openai-compat": ("openai_compat/*", "chat/*", "common/*"),
    "inner-thoughts": ("inner_thoughts/*",),
    "chatcmpl-to-responses": ("chatcmpl_to_responses/*",),
    "chatgpt-oauth": ("chatgpt_oauth/*", "responses/*"),
    "response-strategies": ("response_strategies/*",),
}
TIMEOUT = 90
RUN = f"{sys.executable} -m harness run --axes none --no-faults -j 1 -x --adapter "
#: Hypothesis without deadlines and chance, so that a busy machine kills no mutant.
UNIT_TESTS = (
    f"{sys.executable} -m pytest -q -x -p no:randomly -p no:cacheprovider --hypothesis-profile=ci "
    f"tests/{MODULES}"
)

cosmic_ray.plugins.OPERATOR_PROVIDERS["tapecheck"] = {
    "ChangeWord": ChangeWord,
    "DropStatement": DropStatement,
}


def mutants(modules: list[Path], chance: random.Random) -> list[MutationSpec]:
    """One mutation for each place in the modules, in an order of chance."""
    places = defaultdict(list)
    for module in modules:
        silent = list(_silent(ast.parse(module.read_text(encoding="utf-8"))))
        for item in _all_work_items([module], {}):
            (mutation,) = item.mutations
            if not any(start <= mutation.start_pos < end for start, end in silent):
                places[module, mutation.start_pos].append(mutation)
    found = [chance.choice(some) for some in places.values()]
    chance.shuffle(found)
    return found


def _silent(tree: ast.Module) -> Iterator[tuple[Position, Position]]:
    """From where to where nothing is done: signatures, decorators, annotations, docstrings."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                yield (first, 0), (node.body[0].lineno, 0)
            case ast.AnnAssign(annotation=quiet) | ast.Expr(value=ast.Constant() as quiet):
                last_line, last_column = quiet.end_lineno or 0, quiet.end_col_offset or 0
                yield (quiet.lineno, quiet.col_offset), (last_line, last_column)


def judge(adapter: str, mutation: MutationSpec) -> str:
    """Who noticed: ``run``, ``unit tests`` or ``nobody``; prints what the run did not notice."""
    try:
        result = mutate_and_test([mutation], RUN + adapter, TIMEOUT)
    except AttributeError:
        return "not possible"  # cosmic-ray's replacement of exceptions knows no dotted names
    if result.test_outcome is TestOutcome.KILLED:
        print(
            f"{mutation.module_path}:{mutation.start_pos[0]}: {_reason(result.output)}", flush=True
        )
        return "run"
    if result.test_outcome is not TestOutcome.SURVIVED:
        raise SystemExit(f"{mutation}: {result.output}")
    tests = mutate_and_test([mutation], UNIT_TESTS, TIMEOUT)
    judged = "unit tests" if tests.test_outcome is TestOutcome.KILLED else "nobody"
    print(f"not noticed by the run of {adapter} ({judged} noticed)\n{result.diff}\n", flush=True)
    return judged


def _reason(output: str) -> str:
    """The first failure that the run names, else its last line: a timeout or a broken import."""
    lines = output.splitlines() or ["no output: the adapter could not be used"]
    return next((line for line in lines if line.startswith("✗ ")), lines[-1])


def _check_clean(command: str) -> None:
    if subprocess.run(command.split(), stdout=subprocess.DEVNULL).returncode:
        raise SystemExit(f"this fails without any mutation: {command}")


def main() -> None:
    """Mutate a copy of the checkout, print what survives, and a score for each adapter."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("adapters", nargs="*", metavar="ADAPTER", help=", ".join(ADAPTERS))
    parser.add_argument("--sample", type=int, help="mutants for each adapter; default: all")
    parser.add_argument("--seed", type=int, default=1, help="which sample; default: 1")
    options = parser.parse_args()
    if unknown := set(options.adapters) - set(ADAPTERS):
        parser.error(f"no such adapter: {', '.join(sorted(unknown))}")
    os.environ["PYTHONPATH"] = "."
    with tempfile.TemporaryDirectory() as copy:
        for name in NEEDED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, Path(copy, name))
        os.chdir(copy)
        _check_clean(UNIT_TESTS)
        for adapter in options.adapters or ADAPTERS:
            _check_clean(RUN + adapter)
            modules = sorted(m for g in ADAPTERS[adapter] for m in MODULES.glob(f"{g}.py"))
            chosen = mutants(modules, random.Random(f"{options.seed} {adapter}"))
            seen = Counter(judge(adapter, mutation) for mutation in chosen[: options.sample])
            print(f"{adapter}: {dict(seen)} of {len(chosen)} places", flush=True)
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
