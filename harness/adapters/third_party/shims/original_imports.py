"""Lets a package be imported without those of its requirements that a client of it never calls.

A server has many requirements; one client in it needs few. A module of an absent package is empty:
whatever is looked up in it is a class that does nothing.
"""
# mypy: ignore-errors

import importlib.abc
import importlib.machinery
import os
import sys
import types


class Nothing:
    """Takes the place of whatever an absent module has: a class, decorator or function."""

    def __init__(self, *_, **__):
        pass

    def __init_subclass__(cls, **_):
        pass

    def __call__(self, *given, **__):
        """Return the only argument, so that a decorator leaves alone what it decorates."""
        return given[0] if len(given) == 1 and callable(given[0]) else self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()


class EmptyModule(types.ModuleType):
    """A module in which every name is a class of its own, derived from :class:`Nothing`."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = type(name, (Nothing,), {"__module__": self.__name__})
        setattr(self, name, value)
        return value


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the named packages, and all below them, as empty modules."""

    def __init__(self, names):
        self.names = tuple(names)

    def find_spec(self, fullname, *_):
        """Return a specification for what is absent, ``None`` for the rest."""
        if any(fullname == name or fullname.startswith(f"{name}.") for name in self.names):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        """Return an empty module."""
        return EmptyModule(spec.name)

    def exec_module(self, module):
        """Do nothing."""


def without(*names):
    """Let these packages be imported where they are not installed."""
    # Behind the other finders: an installed package is the real one.
    sys.meta_path.append(Absent(names))
    # What a package keeps in the home directory stays in its environment, and what it prints while
    # it is imported is no message.
    os.environ["HOME"] = sys.prefix
    sys.stdout = sys.stderr
