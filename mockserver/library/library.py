"""Libraries of cassettes on disk: listed at once, opened on demand, written as a whole.

A name is a cassette's path below its library's directory, with ``/`` and without the suffix.
Names are looked up among the listed files only, so no request can reach another file.
"""

from __future__ import annotations

import difflib
import os
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

from mockserver import files
from mockserver.cassettes import loading
from mockserver.cassettes.cassette import Cassette
from mockserver.errors import CassetteError, SessionError, UnwritableError
from mockserver.library.index import Index, stamp_of
from mockserver.library.rule import EXACT, Rule
from mockserver.library.session import Exchange, Found, varied
from mockserver.wire.variation import PLAIN, Variation

SUFFIXES = loading.SUFFIXES
#: Whether a file is one to read, by its name, and where that does not say, by its beginning.
is_recording = loading.is_recording

#: How many bytes of parsed cassette files to cache; at least one file is cached.
CACHE_BYTES = 16 * 1024 * 1024

#: How many paths to cache with their cassette names, and variations of one cassette.
_SPLITS, _VARIATIONS = 1024, 16

#: Seconds before an open cassette is checked for changes again.
RECHECK = 0.5


class Answers:
    """The answers of a cassette in one variation, by method and path."""

    def __init__(self, found: Iterable[Found]) -> None:
        self.found = tuple(found)
        self._by_route: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for position, answer in enumerate(self.found):
            self._by_route[answer.exchange.route].append(position)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The requests with their answers."""
        return tuple(f.exchange for f in self.found)

    def positions(self, method: str, path: str) -> Sequence[int]:
        """Return the positions of the answers to that method and plain path.

        If there are none, return those with placeholders that it fits.
        """
        equal = self._by_route.get((method, path))
        return equal or [n for n, f in enumerate(self.found) if f.exchange.answers(method, path)]


@dataclass(eq=False)
class Opened:
    """A parsed cassette under its name.

    ``stamp`` identifies the content of the file; ``checked`` is when it was last compared.
    """

    name: str
    cassette: Cassette
    stamp: tuple[int, int]
    checked: float
    _varied: dict[Variation, Answers] = field(default_factory=dict)

    def prepared(self, variation: Variation = PLAIN) -> Answers | None:
        """Return the answers in a variation, if they are in the cache."""
        return self._varied.get(variation)

    def answers(self, variation: Variation = PLAIN) -> Answers:
        """Return the answers in a variation, from a cache.

        Raises ``ValueError`` for what the cassette does not have, and :class:`CodingError` for a
        body that cannot be decoded here.
        """
        answers = self._varied.get(variation)
        if answers is None:
            pairs = varied(self.cassette, variation)
            answers = Answers(Found(exchange, self.name, number) for number, exchange in pairs)
            if len(self._varied) >= _VARIATIONS:
                self._varied.clear()
            self._varied[variation] = answers
        return answers


def load(path: Path) -> Cassette:
    """Read a cassette, an HTTP archive, or another tool's recording as it is.

    Raises :class:`CassetteError`.
    """
    return loading.load(path)


def write(cassette: Cassette, source: str = "") -> None:
    """Replace the file of ``cassette`` as a whole, or leave it unchanged.

    ``source``, one line, becomes the comment at its beginning. Raises :class:`UnwritableError` if
    the file cannot be written.
    """
    from mockserver.cassettes import writer

    comment = f"# {source}\n".encode() if source else b""
    replace(cassette.path, comment + writer.dump(cassette))


def replace(path: Path, text: bytes) -> None:
    """Replace a file as a whole, or leave it unchanged.

    Raises :class:`UnwritableError` if it cannot be written.
    """
    try:
        files.replace(path, text)
    except OSError as exc:
        raise UnwritableError(path, f"cannot be written: {exc.strerror}") from exc


class Library:
    """The cassettes below some directories, and single files.

    Requests are found by ``rule``. Safe to use from several threads. If two directories have the
    same name, the first wins.
    """

    def __init__(
        self, roots: Iterable[Path] = (), *, rule: Rule = EXACT, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self.roots = tuple(Path(root) for root in roots)
        self.rule = rule
        self._cache_bytes = cache_bytes
        self._lock = threading.Lock()
        self._indexing = threading.Lock()
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._problems: dict[str, CassetteError] = {}
        self._index: Index | None = None
        self._paths: dict[str, Path] = {}
        self.scan()

    def scan(self) -> None:
        """List the files again and forget what was read. Raises :class:`CassetteError`."""
        paths: dict[str, Path] = {}
        unlisted: dict[str, CassetteError] = {}
        for root in self.roots:
            own: dict[str, Path] = {}
            # In a fixed order: which of two files has a name must not depend on the disk.
            for name, path in sorted(_list(root, unlisted)):
                first = own.setdefault(name, path)
                if first != path:
                    unlisted[name + path.suffix] = CassetteError(
                        path, f"not used: {first} has the same name", hint="rename one of them"
                    )
            paths = own | paths
        with self._lock:
            self._paths = dict(sorted(paths.items()))
            self._splits: dict[str, tuple[str, str]] = {}
            self._depth = max((name.count("/") + 1 for name in paths), default=0)
            self._opened.clear()
            self._problems = dict(unlisted)
            self._index = None

    @property
    def paths(self) -> Mapping[str, Path]:
        """The file of each cassette, by name."""
        return MappingProxyType(self._paths)

    @property
    def problems(self) -> Mapping[str, CassetteError]:
        """The cassettes found unusable so far, by name, and the folders that cannot be listed."""
        with self._lock:
            return dict(self._problems)

    def find(self, name: str) -> Path:
        """Return the file of a cassette. Raises :class:`SessionError` that suggests names."""
        path = self._paths.get(name)
        if path is None:
            close = difflib.get_close_matches(name, self._paths, n=3)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise SessionError(f"no cassette {name!r} among {len(self._paths)}{hint}")
        return path

    def split(self, path: str) -> tuple[str, str] | None:
        """Split a URL's path into the longest name at its start and the path behind it."""
        known = self._splits.get(path)
        if known is None:
            segments = path.split("/")
            for count in range(min(len(segments), self._depth), 0, -1):
                name = unquote("/".join(segments[:count]))
                if name in self._paths:
                    known = name, "/" + "/".join(segments[count:])
                    if len(self._splits) < _SPLITS:
                        self._splits[path] = known
                    break
        return known

    def opened(self, name: str) -> Opened | None:
        """Return a cassette that is open and has not changed since, without reading it."""
        found = self._opened.get(name)
        if found is None:
            return None
        now = time.monotonic()
        if now - found.checked > RECHECK:
            try:
                changed = stamp_of(found.cassette.path) != found.stamp
            except CassetteError:
                changed = True
            with self._lock:
                if changed or name not in self._opened:
                    return None
                self._opened.move_to_end(name)
            found.checked = now
        return found

    def open(self, name: str) -> Opened:
        """Return a parsed cassette, from memory if it has not changed since.

        Raises :class:`SessionError` for an unknown name, :class:`CassetteError` for a file
        that cannot be used; the latter is also added to :attr:`problems`.
        """
        path = self.find(name)
        found = self.opened(name)
        if found is not None:
            return found
        try:
            stamp = stamp_of(path)
            found = Opened(name, load(path), stamp, time.monotonic())
        except CassetteError as exc:
            with self._lock:
                self._problems[name] = exc
            raise
        with self._lock:
            self._problems.pop(name, None)
            self._opened[name] = found
            self._opened.move_to_end(name)
            while len(self._opened) > 1 and self._cached_bytes() > self._cache_bytes:
                self._opened.popitem(last=False)
        return found

    def unusable(self) -> list[CassetteError]:
        """Return what cannot be used: whole files, and interactions that are left out.

        Reads every file, or if they are large, only their requests.
        """
        found: dict[str, tuple[CassetteError, ...]] = {}
        if sum(map(_size, self.paths.values())) > self._cache_bytes:
            self.build_index()
        else:
            for name in self.paths:
                with suppress(CassetteError):
                    found[name] = self.open(name).cassette.left_out
        problems = self.problems
        return [
            error
            for name in dict.fromkeys((*self.paths, *problems))
            for error in ([problems[name]] if name in problems else found.get(name, ()))
        ]

    @property
    def readable(self) -> int:
        """How many of the listed files were not found unusable so far."""
        return len(self.paths.keys() - self.problems.keys())

    @property
    def index(self) -> Index | None:
        """The index over all requests, if it was built."""
        return self._index

    def build_index(self) -> Index:
        """Return the index over all requests. The first call reads every file."""
        with self._indexing:
            if self._index is None:
                index = Index.build(self._paths, self.rule)
                with self._lock:
                    self._problems.update(index.problems)
                self._index = index
            return self._index

    def _cached_bytes(self) -> int:
        return sum(opened.stamp[1] for opened in self._opened.values())


def _list(root: Path, unlisted: dict[str, CassetteError]) -> Iterator[tuple[str, Path]]:
    if root.is_file():
        yield root.stem, root
        return
    if not root.is_dir():
        if os.path.lexists(root):
            raise CassetteError(root, "neither a file nor a directory", hint="check the path")
        raise CassetteError(root, "no such file or directory", hint="check the path")
    inside = os.path.realpath(root)
    pending = [(root, "")]
    while pending:
        directory, prefix = pending.pop()
        try:
            listed = os.scandir(directory)
        except OSError as exc:
            name = prefix or "."
            unlisted[name] = CassetteError(directory, f"cannot be listed: {exc.strerror}")
            continue
        with listed as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append((Path(entry.path), f"{prefix}{entry.name}/"))
                    continue
                path = Path(entry.path)
                # A link may point elsewhere in the library, but not out of it.
                target = os.path.realpath(path)
                if entry.is_symlink() and not Path(target).is_relative_to(inside):
                    continue
                if loading.is_recording(path):
                    yield prefix + path.stem, path


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
