"""Mutations that cosmic-ray does not have: an adapter's rules are often a word or one statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import parso
from cosmic_ray.operators.operator import Operator

_WORD = re.compile(r"""(["'])[\w.:-]+\1""")


class ChangeWord(Operator):
    """Change a string of one word; leave sentences as they are."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "string" and _WORD.fullmatch(node.value):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.value = f"{node.value[:-1]}~{node.value[-1]}"
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


class DropStatement(Operator):
    """Drop a call, a return or an assignment to more than a name from a function."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.parent is None or node.parent.type != "simple_stmt" or not _in_function(node):
            return
        if node.type in ("atom_expr", "yield_expr", "return_stmt") or (
            node.type == "expr_stmt" and node.children[0].type != "name"
        ):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        nothing = parso.parse("pass").children[0]
        nothing.prefix = node.get_first_leaf().prefix
        return nothing

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


def _in_function(node: Any) -> bool:
    while node is not None and node.type != "funcdef":
        node = node.parent
    return node is not None
