"""Say which versions a result is about: this package, Python, and what the client is made of."""

from __future__ import annotations

import ast
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from harness.clients.registry import bundled_names
from harness.environments import listing
from harness.errors import HarnessError
from harness.suite.loader import read_yaml

_OWN = "tapecheck"
_OWN_MODULES = frozenset({"harness", "mockserver"})
#: Packages that send the requests of others; one of them may be at fault.
_TRANSPORTS = frozenset(
    {
        *("aiohttp", "h11", "h2", "requests", "urllib3"),
        *("httpcore", "httpcore2", "httpx", "httpx2"),
    }
)
#: Files of a client whose imports are read.
_FILES = 20


def versions_of(references: tuple[str, ...]) -> tuple[str, ...]:
    """Return names with versions, the most important first, for the adapters of these references.

    The imports of an adapter's file, and of the files beside it that it imports, name its
    distributions; of their requirements, those that send requests are added. Nothing is imported.
    """
    return (
        f"{_OWN} {metadata.version(_OWN)}",
        f"Python {platform.python_version()}",
        *_of_clients(references),
    )


def client_versions(reference: str) -> tuple[str, ...]:
    """Return what a client is made of, as :func:`versions_of` does; nothing for a bundled one."""
    return () if reference in bundled_names() else _of_clients((reference,))


@lru_cache(maxsize=64)
def _of_clients(references: tuple[str, ...]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    apart = [r for r in references if r.startswith(listing.PREFIX)]
    for reference in (r for r in references if r not in apart):
        names |= dict.fromkeys(_distributions(_imports_of(reference)))
    senders = [*names, *([_OWN] if set(references) & set(bundled_names()) else [])]
    transports = {t for name in senders for t in _transports(name, frozenset())}
    here = _with_versions([*names, *sorted(transports - names.keys())])
    return tuple(dict.fromkeys([*here, *(v for r in apart for v in _of_environment(r))]))


def _of_environment(reference: str) -> Iterator[str]:
    """Yield what a third-party client is made of, if its environment is there."""
    from harness.environments import making, pins  # it loads what starts processes

    try:
        client = listing.third_party(reference)
        made = making.find(client.environment, newest=client.newest)
    except HarnessError:
        return
    if made is not None:
        if made.interpreter is None:
            yield made.interpreter_shown  # not the Python of this process
        names = [*pins.names(client.environment), *sorted(_TRANSPORTS & made.versions.keys())]
        yield from (f"{name} {made.versions[name]}" for name in names if name in made.versions)


def _imports_of(reference: str) -> set[str]:
    """Return the top-level modules that the adapter of a reference is made of."""
    path = Path(reference)
    if path.suffix in (".yaml", ".yml"):
        try:
            entry = str(read_yaml(path, "adapter").data.get("entry", ""))
        except (HarnessError, OSError):
            return set()
        name = entry.partition(":")[0]
        return _imports_of(str(path.parent / entry) if name.endswith(".py") else entry)
    name = reference.partition(":")[0]
    if name.endswith(".py"):
        return _imports(Path(name))
    return {name.partition(".")[0]} if ":" in reference or "." in name else set()


def _with_versions(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue


def _imports(entry: Path) -> set[str]:
    """Return the top-level names that a file imports, and its neighbours with it."""
    found: set[str] = set()
    pending, seen = [entry], {entry}
    while pending and len(seen) <= _FILES:
        path = pending.pop()
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, ValueError, SyntaxError):
            continue
        for name in _imported(tree):
            near = path.parent / f"{name}.py"
            if near.is_file() and near not in seen:
                seen.add(near)
                pending.append(near)
            found.add(name)
    return found - sys.stdlib_module_names


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _distributions(modules: Set[str]) -> Iterator[str]:
    for module in sorted(modules - _OWN_MODULES):
        yield from _names_of(module)


def _names_of(module: str) -> Iterable[str]:
    """Return the distributions that a module comes from; most have its name."""
    try:
        return (metadata.distribution(module).name,)
    except (metadata.PackageNotFoundError, ValueError):
        return _modules().get(module, ())


@lru_cache(maxsize=1)
def _modules() -> Mapping[str, Sequence[str]]:
    # It reads the lists of files of all that is installed, which takes long.
    return metadata.packages_distributions()


def _transports(name: str, above: frozenset[str]) -> Iterator[str]:
    """Yield the transports that a distribution requires, and those that they require."""
    try:
        required = metadata.requires(name) or ()
    except metadata.PackageNotFoundError:
        return
    for requirement in required:
        match = re.match(r"[A-Za-z0-9._-]+", requirement)
        if match is None or "extra ==" in requirement:
            continue
        found = match.group().lower()
        if found in _TRANSPORTS and found not in above:
            yield found
            yield from _transports(found, above | {found})
