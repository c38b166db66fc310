"""Read which releases of packages are pinned or installed. Pure functions over texts.

Pins of Python are lines ``name==version``, a file of constraints for pip; those of Node.js are a
lock file of npm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from harness.environments.listing import Environment, Kind

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
#: The name in a requirement of pip, without extras and versions.
_NAME = re.compile(r"^[A-Za-z0-9._-]+")
_MODULES = "node_modules/"


def normal(name: str) -> str:
    """Return the name of a Python package as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_python(text: str) -> dict[str, str]:
    """Return the versions in lines ``name==version``, by normal name."""
    return {normal(name): version for name, version in _PINNED.findall(text)}


def read_node(text: str) -> dict[str, str]:
    """Return the versions in a lock file of npm, of packages that are not below another one.

    Raises ``ValueError`` for a text that is none.
    """
    found = {}
    for path, entry in json.loads(text).get("packages", {}).items():
        name = path.removeprefix(_MODULES)
        if path.startswith(_MODULES) and _MODULES not in name and "version" in entry:
            found[name] = entry["version"]
    return found


def pinned(environment: Environment) -> dict[str, str]:
    """Return the pinned versions of an environment, by package. Raises ``OSError``."""
    text = environment.pins.read_text(encoding="utf-8")
    return read_python(text) if environment.kind is Kind.PYTHON else read_node(text)


def names(environment: Environment) -> Iterator[str]:
    """Return the names of the packages that an environment is made of."""
    return _named(environment.kind, (*environment.alone, *environment.packages))


def _named(kind: Kind, packages: Iterable[str]) -> Iterator[str]:
    for package in packages:
        if kind is Kind.NODE:
            # @scope/name@range: the first @ belongs to the name.
            yield package[0] + package[1:].partition("@")[0]
        elif found := _NAME.match(package):
            yield normal(found[0])


def main_versions(environment: Environment, versions: Mapping[str, str]) -> str:
    """Return the versions of the packages that an environment is about, for people.

    Where some stand alone, the others are only there for them.
    """
    about = _named(environment.kind, environment.alone or environment.packages)
    return ", ".join(f"{name} {versions[name]}" for name in about if name in versions)


def write_python(versions: Mapping[str, str]) -> str:
    """Return the lines ``name==version``, in order."""
    return "".join(f"{name}=={versions[name]}\n" for name in sorted(versions))


def write_node(text: str) -> str:
    """Return a lock file of npm without addresses: of registries, and of who asks for money."""
    lock = json.loads(text)
    for entry in lock["packages"].values():
        for name in ("funding", "resolved"):
            entry.pop(name, None)
    return json.dumps(lock, indent=1) + "\n"


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterable[str]:
    """Yield a line for each package whose version differs, or that came or went."""
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if old is None:
            yield f"{name} {new} is new"
        elif new is None:
            yield f"{name} {old} is gone"
        else:
            yield f"{name} {old} -> {new}"
