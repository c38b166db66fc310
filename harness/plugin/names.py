"""The names of cassettes that belong to tests: one of its own for each, on every file system."""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import Path

import pytest

#: Tests whose id says the same in the characters of a file name, with one ``-`` for each mark.
_PLAIN = re.compile(r"\w+(?:::\w+)*(?:\[\w(?:[\w.-]*\w)?\])?")
#: What a second cassette of a test ends with.
_NUMBERED = re.compile(r"\.\d+\]?$")
#: File systems allow 255 bytes; the rest is for suffixes, locks and temporary files.
_LONGEST = 150
#: Directories that only say that tests are in them.
_TESTS = frozenset({"test", "tests"})


def name_of(node: pytest.Item | pytest.Collector, number: int = 0) -> str:
    """Return the name of the cassette with that number of a test, module, class or session.

    It is ``<module>/<test>`` in characters that every file system allows, behind the directories
    of the module. Where they cannot keep two ids apart (``a/b`` and ``a-b``), a digest does.
    """
    more = f".{number + 1}" if number else ""
    if isinstance(node, pytest.Session):
        return f"session{more}"
    module = node.path.with_suffix("")
    base = node.config.rootpath
    folders = list(module.relative_to(base).parts if module.is_relative_to(base) else [module.name])
    while len(folders) > 1 and folders[0] in _TESTS:
        del folders[0]
    test = node.nodeid.partition("::")[2]
    if isinstance(node, pytest.Item):
        return "/".join((*map(_safe, folders), _safe_test(test))) + more
    scope = f"{_safe_test(test)}.class" if test else "module"
    return "/".join((*map(_safe, folders), scope)) + more


def _safe(part: str) -> str:
    safe = re.sub(r"[^\w.-]+", "-", part)
    return safe if safe == part and len(safe) <= _LONGEST else _with_digest(safe, part)


def _safe_test(test: str) -> str:
    safe = re.sub(r"[^\w.-]+", "-", test).strip("-")
    plain = _PLAIN.fullmatch(test) and not _NUMBERED.search(test) and len(safe) <= _LONGEST
    return safe if plain else _with_digest(safe, test)


def _with_digest(safe: str, text: str) -> str:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    while len(safe.encode()) > _LONGEST:
        safe = safe[: len(safe) - 10]
    return f"{safe}-{digest}"


def relative(path: str | Path, root: Path) -> str:
    """Return a path as people see it: below ``root`` if it is there."""
    return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else str(path)
