"""Cassettes on disk: list, open and search them, and decide who gets which answer."""

from mockserver.library import library
from mockserver.library.library import SUFFIXES, Library
from mockserver.library.session import Exchange

__all__ = [
    "SUFFIXES",
    "Exchange",
    "Library",
    "library",
]
