"""Find secrets in text: known values in every encoding, and what looks like a credential.

Text represents bytes here, one character per byte (latin-1), so that offsets are byte offsets.
Encoded text is decoded and searched again, to a fixed depth.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import quote, quote_plus

from mockserver.secrets import allowed, placeholder, slices
from mockserver.secrets.allowed import NOTHING_ALLOWED, Allowed
from mockserver.secrets.recent import SHORTEST as SHORTEST_KEPT
from mockserver.secrets.recent import Recent, digest
from mockserver.secrets.shapes import MASKED as MASKED
from mockserver.secrets.shapes import RUN_CHARACTER, SHAPES, SHORTEST_RUN
from mockserver.wire.content_coding import inflate, is_text

#: Shorter values would match ordinary text.
SHORTEST = 6

#: How many encodings may be nested.
DEPTH = 3

_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{20,}")
#: Base64 in lines of one length (RFC 2045, section 6.8).
_WRAPPED = re.compile(r"(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]+")
#: One class of characters, because a group takes memory for each time that it fits.
_HEX_RUN = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{32,}(?![0-9A-Za-z])")
_BASE32_RUN = re.compile(r"(?<![A-Za-z0-9])[A-Z2-7]{26,}(?![A-Za-z0-9])")
#: Longer runs are not kept in memory for the next time.
_LONGEST_CACHED = 1024
#: What a secret has at least, so that the bytes of a picture are passed over.
_READABLE = re.compile(r"[\x20-\x7e]{14}")

_SHORTEST_CODE = 20
#: Of hex and base32, as in their patterns; and what turns all around them into blanks.
_SHORTEST_WORD = 26
_NO_WORD = bytes(c if chr(c).isascii() and chr(c).isalnum() else 32 for c in range(256))
_JSON = "in JSON escapes"
_CODED = re.compile(r"\\(?:u(?P<hex>[0-9A-Fa-f]{4})|x(?P<short>[0-9A-Fa-f]{2}))")
#: A character that no secret has.
_BEYOND = re.compile(r"\\u(?!00)[0-9A-Fa-f]{4}")
_OTHER_ESCAPE = re.compile(r"\\(.)")

#: How one character is written in an escape: its code in hexadecimal, in decimal, or a letter.
_ESCAPES = {
    "percent-encoded": ("%", re.compile(r"%(?P<hex>[0-9A-Fa-f]{2})")),
    _JSON: (
        "\\",
        re.compile(r"\\(?:u(?P<hex>[0-9A-Fa-f]{4})|x(?P<short>[0-9A-Fa-f]{2})|(?P<plain>.))"),
    ),
    "in HTML entities": (
        "&",
        re.compile(
            r"&(?:#[xX](?P<hex>[0-9A-Fa-f]{1,6})|#(?P<decimal>[0-9]{1,7})"
            r"|(?P<name>amp|lt|gt|quot|apos|nbsp|colon|sol|period|equals|lowbar|hyphen|dash));"
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class SecretSpan:
    """Kind and position of a secret in a text, without the secret itself."""

    kind: str
    start: int
    stop: int

    def mark(self, text: str) -> str:
        """Return what allows the span of ``text``; empty for a known secret, which is one."""
        is_known = self.kind.startswith(_KNOWN)
        return "" if is_known else allowed.mark(text[self.start : self.stop])


_KNOWN = "a known secret"


@dataclass(frozen=True)
class Known:
    """Secrets whose values are known, such as the key that was sent."""

    values: frozenset[str] = frozenset()
    #: What only looks like a secret.
    allowed: Allowed = NOTHING_ALLOWED

    @classmethod
    def of(cls, values: Iterable[str], innocent: Iterable[str] = ()) -> Known:
        """Take the values that are long enough to differ from ordinary text."""
        return cls(frozenset(v for v in values if len(v) >= SHORTEST), Allowed.of(innocent))

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """Matches any of the values in any encoding."""
        forms = {form for value in self.values for form in _encodings(value)}
        if not forms:
            return None
        return re.compile("|".join(re.escape(f) for f in sorted(forms, key=len, reverse=True)))


NOTHING_KNOWN = Known()

_recent: Recent[tuple[SecretSpan, ...]] = Recent(64)


def find(text: str, known: Known = NOTHING_KNOWN, *, depth: int = DEPTH) -> Iterator[SecretSpan]:
    """Yield the secrets in ``text``; they may overlap.

    The span of an encoded secret is the whole run of characters that encodes it.
    """
    spans: Iterable[SecretSpan] = _all(text, known, depth)
    if len(text) >= SHORTEST_KEPT:
        key = digest(text.encode("utf-8", "surrogatepass")), known, depth
        spans = _recent.get(key, lambda: tuple(_all(text, known, depth)))
    if not known.allowed.entries:
        return iter(spans)
    return iter(span for span in spans if not known.allowed.has(text[span.start : span.stop]))


def _all(text: str, known: Known, depth: int) -> Iterator[SecretSpan]:
    if known.pattern is not None:
        for match in known.pattern.finditer(text):
            yield SecretSpan(_KNOWN, match.start(), match.end())
    raw = text.encode("latin-1", "replace") if len(text) > _LONGEST_CACHED else b""
    if not is_text(raw):
        # Offsets in binary data are seldom needed: most of it is no text.
        strings = _strings(raw)
        if len(strings) < len(text) // 2 and next(find(strings, known, depth=depth), None) is None:
            return
    del raw
    # Ids and field names stand in every event of a stream: what repeats is searched once.
    runs = _runs(text)
    if len(text) > _LONGEST_CACHED or _READABLE.search(text):
        yield from _shaped(text, "\n".join(map(_edges, runs)))
    if depth:
        yield from _encoded(text, runs, known, depth - 1)


def mask(text: str, known: Known = NOTHING_KNOWN, placeholder: str = "REDACTED") -> str:
    """Return ``text`` for people, such as an error message, with every secret replaced."""
    text = text.encode().decode("latin-1")
    parts, end = [], 0
    for found in merge_spans(find(text, known)):
        parts += [text[end : found.start], placeholder]
        end = found.stop
    return "".join((*parts, text[end:])).encode("latin-1").decode(errors="replace")


def merge_spans(spans: Iterable[SecretSpan]) -> list[SecretSpan]:
    """Return the spans in order, with overlapping ones merged."""
    out: list[SecretSpan] = []
    for found in sorted(spans, key=lambda f: (f.start, -f.stop)):
        if out and found.start < out[-1].stop:
            out[-1] = SecretSpan(out[-1].kind, out[-1].start, max(out[-1].stop, found.stop))
        else:
            out.append(found)
    return out


def _shaped(text: str, runs: str) -> Iterator[SecretSpan]:
    """Yield what has the shape of a credential; ``runs`` has each run of the text once."""
    lower = text.lower()
    replaced = placeholder.may_have(text)
    for shape in SHAPES:
        searched = lower if shape.any_case else text if shape.wide else runs
        for marker in shape.markers:
            if marker in searched:
                break
        else:
            continue
        for start, stop in shape.matches(text):
            if not (replaced and _is_replaced(text[start:stop])):
                yield SecretSpan(shape.kind, start, stop)


#: Turns every byte into a blank that is not a character of tokens.
_BLANKS = bytes(c if RUN_CHARACTER.match(chr(c)) else 32 for c in range(256))


def _runs(text: str) -> list[str]:
    """Return each run of characters of tokens once, if it is long enough for one."""
    return slices.words(text, _BLANKS, SHORTEST_RUN)


def _edges(run: str) -> str:
    """Return a run without the middles of its long parts: data, in which no token begins."""
    if len(run) <= _DATA:
        return run
    parts = _PARTS.split(run)
    return "\n".join(p if len(p) <= _DATA else f"{p[:_EDGE]}\n{p[-_EDGE:]}" for p in parts)


_DATA, _EDGE = 4096, 1024
_PARTS = re.compile("[=:.@~]")


def _is_replaced(text: str) -> bool:
    """Return whether nothing is left of a secret but its placeholder, and what is around it."""
    rest, count = placeholder.PATTERN.subn("", text)
    return count > 0 and len(rest) < _REST


#: Scheme, name and punctuation around a placeholder.
_REST = 14


def _encoded(text: str, runs: Sequence[str], known: Known, depth: int) -> Iterator[SecretSpan]:
    longest = [run for run in runs if len(run) >= _SHORTEST_CODE]
    for pattern, how, decode in _RUNS:
        found: dict[str, str] = {}
        # Hex and base32 are words of their own: looking at each place of an image takes long.
        searched = longest if pattern is _BASE64_RUN else _words(longest)
        for part in {part for run in searched for part in pattern.findall(run)}:
            kind = decode(part, known, depth)
            if kind is not None:
                found[part] = f"{kind}, in {how}"
        if found:
            for match in pattern.finditer(text):
                if match.group() in found:
                    yield SecretSpan(found[match.group()], match.start(), match.end())
    for match in _WRAPPED.finditer(text) if any(map(_is_line, runs)) else ():
        kind = _in_base64(match.group(), known, depth)
        if kind is not None:
            yield SecretSpan(f"{kind}, in base64", match.start(), match.end())
    for how, (mark, escape) in _ESCAPES.items():
        if mark in text and escape.search(text):
            # What has no escape in its line was searched already.
            lines = "\n".join(line for line in text.split("\n") if mark in line)
            yield from _escaped(text, lines, escape, how, known, depth)


def _words(runs: Sequence[str]) -> Iterator[str]:
    for run in runs:
        yield from slices.words(run, _NO_WORD, _SHORTEST_WORD)


def _escaped(
    text: str, lines: str, escape: re.Pattern[str], how: str, known: Known, depth: int
) -> Iterator[SecretSpan]:
    plain = _unescaped(lines) if how == _JSON else escape.sub(_character, lines)
    if next(find(plain, known, depth=depth), None) is None:
        return
    # Offsets are seldom needed, and cost more than the search.
    view = _View(escape, text)
    for found in find(view.text, known, depth=depth):
        start, stop = view.offset(found.start), view.offset(found.stop)
        yield SecretSpan(f"{found.kind}, {how}", start, stop)


def _unescaped(text: str) -> str:
    """Return a text without its JSON escapes, as :func:`_character` reads them."""
    text = text.replace("\\\\", "\0")
    if "\\u" in text or "\\x" in text:
        text = _CODED.sub(_character, _BEYOND.sub("\xff", text))
    for letter, character in (*_CONTROLS.items(), ('"', '"'), ("/", "/")):
        text = text.replace(f"\\{letter}", character)
    return _OTHER_ESCAPE.sub(r"\1", text).replace("\0", "\\")


def _is_line(run: str) -> bool:
    return 60 <= len(run) <= 76


def _in_base64(run: str, known: Known, depth: int) -> str | None:
    if len(run) <= _LONGEST_CACHED:
        return _in_short_base64(run, known, depth)
    kinds = (_in_bytes(data, known, depth) for data in _base64_readings(run))
    return next((kind for kind in kinds if kind is not None), None)


@lru_cache(maxsize=4096)
def _in_short_base64(run: str, known: Known, depth: int) -> str | None:
    # Ids and signatures stand in every event of a stream.
    kinds = (_in_bytes(data, known, depth) for data in _base64_readings(run))
    return next((kind for kind in kinds if kind is not None), None)


def _in_hex(run: str, known: Known, depth: int) -> str | None:
    if len(run) % 2:
        return None
    return _in_bytes(inflate(bytes.fromhex(run)), known, depth)


def _in_base32(run: str, known: Known, depth: int) -> str | None:
    # The lengths that a whole number of bytes has, without padding (RFC 4648, section 6).
    usable = run[: len(run) - (len(run) % 8 in (1, 3, 6))]
    return _in_bytes(inflate(base64.b32decode(usable + "=" * (-len(usable) % 8))), known, depth)


_RUNS = (
    (_BASE64_RUN, "base64", _in_base64),
    (_HEX_RUN, "hex", _in_hex),
    (_BASE32_RUN, "base32", _in_base32),
)


def _in_bytes(data: bytes, known: Known, depth: int) -> str | None:
    readable = slices.has_string(data)
    pattern = known.pattern
    if not readable and (pattern is None or not pattern.search(data.decode("latin-1"))):
        return None
    if not is_text(data):
        # An image, or a wrong start of base64: neither has text encoded inside.
        return next((f.kind for f in find(_strings(data), known, depth=0)), None)
    return next((f.kind for f in find(data.decode("latin-1"), known, depth=depth)), None)


def _strings(data: bytes) -> str:
    """Return what can be read in binary data, line by line."""
    return b"\n".join(_STRING.findall(data)).decode("ascii")


_STRING = re.compile(rb"[\t\n\r\x20-\x7e]{14,}")


class _View:
    """A text without its escapes, and the original offset of each character."""

    def __init__(self, escape: re.Pattern[str], text: str) -> None:
        parts: list[str] = []
        self._ends, self._offsets = [0], [0]
        length = end = 0
        for match in escape.finditer(text):
            parts += [text[end : match.start()], _character(match)]
            length += match.start() - end + 1
            end = match.end()
            self._ends.append(length)
            self._offsets.append(end)
        self.text = "".join((*parts, text[end:]))

    def offset(self, position: int) -> int:
        """Return the offset in the text with escapes."""
        nearest = bisect_right(self._ends, position) - 1
        return self._offsets[nearest] + position - self._ends[nearest]


def _character(match: re.Match[str]) -> str:
    kind = match.lastgroup
    text = match[kind] if kind else ""
    # Secrets have single bytes only; anything above becomes one character, too.
    match kind:
        case "hex" | "short":
            return chr(min(int(text, 16), 0xFF))
        case "decimal":
            return chr(min(int(text), 0xFF))
        case "name":
            return _ENTITIES[text]
        case _:
            return _CONTROLS.get(text, text)


_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": " ", "f": " "}
_ENTITIES = {
    "amp": "&",
    "apos": "'",
    "colon": ":",
    "dash": "-",
    "equals": "=",
    "gt": ">",
    "hyphen": "-",
    "lowbar": "_",
    "lt": "<",
    "nbsp": " ",
    "period": ".",
    "quot": '"',
    "sol": "/",
}


def _base64_readings(run: str) -> Iterator[bytes]:
    """Yield what a run of base64 may decode to; the code may begin within the run."""
    digits = bytearray(run, "latin-1")
    if _OTHER_DIGIT.search(digits):
        digits = digits.translate(_STANDARD, b"\r\n")
    packed = {digits.find(mark) for mark in _PACKED} - {-1}
    size = len(digits)
    digits += b"=="
    # A view of it is no copy.
    padded = memoryview(digits)
    for start in {0, 1, 2, 3} | packed:
        length = size - start
        stop = size - 1 if length % 4 == 1 else size + -length % 4
        yield inflate(binascii.a2b_base64(padded[start:stop]))


#: How gzip and zstd begin in base64; zlib's two letters are too common.
_PACKED = (b"H4sI", b"KLUv")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_OTHER_DIGIT = re.compile(rb"[-_\r\n]")


def _encodings(value: str) -> Iterator[str]:
    raw = value.encode()
    plain = raw.decode("latin-1")
    yield plain
    yield json.dumps(value)[1:-1]
    yield json.dumps(value)[1:-1].replace("/", "\\/")
    for quoted in (quote(value, safe=""), quote_plus(value), quote(value)):
        yield quoted
        yield re.sub("%..", lambda m: m.group().lower(), quoted)
    yield raw.hex()
    yield raw.hex().upper()
    for codec in ("utf-16-le", "utf-16-be"):
        yield value.encode(codec).decode("latin-1")
