"""The judge: pure functions from what was seen of a case to findings and a verdict.

What it needs is imported when it is used: an adapter's own module needs no more than the words in
which a client declares itself.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.judge.judging import CHECKS, judge

__all__ = ["CHECKS", "judge"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("harness.judge.judging"), name)
