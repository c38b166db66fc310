"""Cassettes on disk: list, open and search them, and decide who gets which answer."""

from mockserver.library import library, settings
from mockserver.library.library import SUFFIXES, Library
from mockserver.library.rule import Rule
from mockserver.library.session import Exchange
from mockserver.library.settings import Settings

__all__ = [
    "SUFFIXES",
    "Exchange",
    "Library",
    "Rule",
    "Settings",
    "library",
    "settings",
]
