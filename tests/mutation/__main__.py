"""Change one place of the code at a time and report whether a check notices.

A target is a bundled adapter, checked by its run and its unit tests, or a folder of mockserver,
checked by its unit tests. Run it as ``python -m tests.mutation --help``; it needs the
dependency group ``mutation``.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_item import MutationSpec, TestOutcome

from tests.mutation.mutants import mutants

ROOT = Path(__file__).parents[2]
NEEDED = ("harness", "mockserver", "specs", "cassettes", "tests", "pyproject.toml", "README.md")
#: The folders that the run of an adapter checks. Shared ones belong to their first user.
ADAPTERS = {
    "openai-compat": ("openai_compat", "chat", "common"),
    "inner-thoughts": ("inner_thoughts",),
    "chatcmpl-to-responses": ("chatcmpl_to_responses",),
    "chatgpt-oauth": ("chatgpt_oauth", "responses"),
    "response-strategies": ("response_strategies",),
    "anthropic-client": ("anthropic",),
    "bedrock-client": ("bedrock",),
    "cohere-client": ("cohere",),
    "gemini-client": ("gemini",),
    "ollama-client": ("ollama",),
}
#: The checks of each folder, the quick ones first: most mutants fail there.
ROOMS = {
    "secrets": {
        "unit tests": "--ignore=tests/mockserver/secrets/test_planted_secrets.py"
        " tests/mockserver/secrets",
        "planted secrets": "tests/mockserver/secrets/test_planted_secrets.py",
    },
    "recording": {"unit tests": "tests/mockserver/recording"},
    "library": {"unit tests": "tests/mockserver/library"},
}
RUN = f"{sys.executable} -m harness run --axes none --no-faults -j 1 -x --adapter "
#: Hypothesis without deadlines and randomness, so that a busy machine kills no mutant.
PYTEST = (
    f"{sys.executable} -m pytest -q -x -p no:randomly -p no:cacheprovider --hypothesis-profile=ci "
)


@dataclass(frozen=True)
class Target:
    """Folders that are mutated together, and the commands that have to notice, by name."""

    folders: tuple[str, ...]
    checks: Mapping[str, str]


TARGETS = {
    **{
        adapter: Target(
            tuple(f"harness/adapters/{folder}" for folder in folders),
            {"run": RUN + adapter, "unit tests": f"{PYTEST}tests/harness/adapters"},
        )
        for adapter, folders in ADAPTERS.items()
    },
    **{
        room: Target(
            (f"mockserver/{room}",), {name: PYTEST + tests for name, tests in checks.items()}
        )
        for room, checks in ROOMS.items()
    },
}


def judge(mutation: MutationSpec, checks: Mapping[str, str], limits: Mapping[str, float]) -> str:
    """Return the name of the first check that notices, or ``unnoticed``; print what happened."""
    unnoticed: list[str] = []
    for name, command in checks.items():
        try:
            result = mutate_and_test([mutation], command, limits[name])
        except AttributeError:
            return "not possible"  # cosmic-ray's replacement of exceptions knows no dotted names
        if result.test_outcome is TestOutcome.KILLED:
            if unnoticed:
                print(f"noticed by {name}, not by {', '.join(unnoticed)}\n{result.diff}\n")
            else:
                place = f"{mutation.module_path}:{mutation.start_pos[0]}"
                print(f"{place}: {_reason(result.output)}", flush=True)
            return name
        if result.test_outcome is not TestOutcome.SURVIVED:
            raise SystemExit(f"{mutation}: {result.output}")
        unnoticed.append(name)
    print(f"not noticed\n{result.diff}\n", flush=True)
    return "unnoticed"


def _reason(output: str) -> str:
    """Return the first failure that the output names, else its last line, such as a timeout."""
    lines = output.splitlines() or ["no output: the command did not start"]
    return next((line for line in lines if line.startswith(("✗ ", "FAILED "))), lines[-1])


def _limits(checks: Mapping[str, str]) -> dict[str, float]:
    """Return how long each check may take: a busy machine must not look like a killed mutant."""
    limits = {}
    for name, command in checks.items():
        started = time.monotonic()
        if subprocess.run(command.split(), stdout=subprocess.DEVNULL).returncode:
            raise SystemExit(f"this fails without any mutation: {command}")
        limits[name] = 60 + 4 * (time.monotonic() - started)
    return limits


def _try(name: str, sample: int | None, seed: int) -> None:
    target = TARGETS[name]
    limits = _limits(target.checks)
    modules = sorted(m for folder in target.folders for m in Path(folder).glob("*.py"))
    chosen = mutants(modules, random.Random(f"{seed} {name}"))
    seen = Counter(judge(mutation, target.checks, limits) for mutation in chosen[:sample])
    print(f"{name}: {dict(seen)} of {len(chosen)} places", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Mutate a copy of the checkout, print what survives, and a score for each target."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--sample", type=int, help="mutants for each target; default: all")
    parser.add_argument("--seed", type=int, default=1, help="which sample; default: 1")
    options = parser.parse_args(arguments)
    if unknown := set(options.targets) - set(TARGETS):
        known = ", ".join(TARGETS)
        parser.error(f"no such target: {', '.join(sorted(unknown))}; known are {known}")
    os.environ["PYTHONPATH"] = "."
    with tempfile.TemporaryDirectory() as copy:
        for name in NEEDED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, Path(copy, name))
        os.chdir(copy)
        for name in options.targets or TARGETS:
            _try(name, options.sample, options.seed)
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
