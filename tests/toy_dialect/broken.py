"""Dialects that a package may bring by mistake."""

from __future__ import annotations

import re

from mockserver.dialects.dialect import Dialect
from tests.toy_dialect import Toy


class Nameless(Dialect):
    """Has an endpoint alone."""

    endpoint = re.compile("/x")


class Formless(Toy):
    """Has no form, and readers that raise."""

    form = 5  # type: ignore[assignment]


class Raising(Toy):
    """Is well formed, and raises in each of its methods."""

    name = "raising"
    matches = base_path = read_facts = read_call = property(lambda _: 1 / 0)  # type: ignore[assignment]


def __getattr__(name: str) -> object:
    if name == "ENDS_THE_PROGRAM":
        raise SystemExit(0)
    raise AttributeError(name)


NAMELESS, FORMLESS, RAISING = Nameless(), Formless(), Raising()
