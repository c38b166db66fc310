"""Where modules can be broken, and how: one mutation for each place that does something."""

from __future__ import annotations

import ast
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import cosmic_ray.plugins
from cosmic_ray.commands.init import _all_work_items
from cosmic_ray.work_item import MutationSpec

from tests.mutation.operators import ChangeWord, DropStatement

Position = tuple[int, int]

cosmic_ray.plugins.OPERATOR_PROVIDERS["tapecheck"] = {
    "ChangeWord": ChangeWord,
    "DropStatement": DropStatement,
}


def mutants(modules: Sequence[Path], chance: random.Random) -> list[MutationSpec]:
    """Return one mutation for each place in the modules, in random order."""
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
    """Yield the ranges without effect: signatures, decorators, annotations, docstrings."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                yield (first, 0), (node.body[0].lineno, 0)
            case ast.AnnAssign(annotation=quiet) | ast.Expr(value=ast.Constant() as quiet):
                last_line, last_column = quiet.end_lineno or 0, quiet.end_col_offset or 0
                yield (quiet.lineno, quiet.col_offset), (last_line, last_column)
