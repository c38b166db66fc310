"""Writes cassettes so that a person can review them: one event per line, one key order.

The body is written once, in a literal block where YAML can carry it unchanged, else quoted, else
as ``!!binary``. Every dump is read back and compared before it is returned.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import yaml

from mockserver.cassettes.cassette import Cassette, Headers, Interaction, Wire, parse
from mockserver.errors import CassetteError


class _Literal(str):
    pass


class _Flow(list[Any]):
    pass


class _Dumper(yaml.SafeDumper):
    """PyYAML's own emitter: the C one escapes emoji."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # YAML takes NEL and the Unicode separators for line ends, and folds them unless escaped.
    style = '"' if any(c in text for c in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(
    _Literal, lambda d, v: d.represent_scalar("tag:yaml.org,2002:str", v, style="|")
)
_Dumper.add_representer(
    _Flow, lambda d, v: d.represent_sequence("tag:yaml.org,2002:seq", v, flow_style=True)
)


def dump(cassette: Cassette) -> bytes:
    """Return the YAML text of ``cassette``; reading it gives an equal cassette.

    Raises ``AssertionError`` if it would not, which is a bug in this module.
    """
    for style in (_Literal, str, None):
        text = _render(cassette, style)
        # YAML may make another of what is no line end anywhere else: the chunks do not fit then.
        with suppress(CassetteError):
            if parse(text, cassette.path) == cassette:
                return text
    raise AssertionError(f"{cassette.path}: cannot be written without loss")


def _render(cassette: Cassette, style: type[str] | None) -> bytes:
    written = _Written()
    data = {
        "version": 1,
        "interactions": [_interaction(i, style, written) for i in cassette.interactions],
    }
    text = yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=2**31)
    return written.insert(text)


class _Written:
    """What is long and simple, written without PyYAML, which takes seconds for a megabyte.

    A name stands for each text while PyYAML writes the rest. Texts may be large, so that they are
    not copied more often than necessary.
    """

    def __init__(self) -> None:
        self._texts: list[list[bytes]] = []

    def literal(self, text: str) -> str:
        """Return what stands for a text in a literal block, or the text if it may need quotes."""
        if len(text) < _LONG or _NOT_LITERAL.search(text) or text[0] in " \n":
            return _Literal(text)
        keep = "-" if text[-1] != "\n" else "+" if text[-2:] == "\n\n" else ""
        # The block's last line end is that of the line on which the name stands.
        block = f"\n{text.removesuffix(chr(10))}"
        return self._name(f"|{keep}", _LINE_START.sub(f"\n{_INDENT}", block))

    def quoted(self, text: str) -> str:
        """Return what stands for a text in single quotes, or the text if it may need others."""
        if len(text) < _LONG or text[0] not in '{["' or _NOT_QUOTED.search(text):
            return text
        return self._name("'", text.replace("'", "''"), "'")

    def binary(self, data: bytes, indent: int) -> str | bytes:
        """Return what stands for bytes in base64, behind so many blanks."""
        if len(data) < _LONG:
            return data
        start = b"\n" + b" " * indent
        slices = (base64.encodebytes(data[n : n + _SLICE]) for n in range(0, len(data), _SLICE))
        return self._name("!!binary |", *(start + s[:-1].replace(b"\n", start) for s in slices))

    def chunks(self, pairs: Sequence[tuple[float, int]]) -> Any:
        """Return what stands for a list of pairs."""
        text = "[" + ", ".join(f"[{_number(ms)}, {length}]" for ms, length in pairs) + "]"
        if "e" in text or "n" in text:
            # A number that YAML spells in its own way.
            return _Flow(_Flow([_number(ms), length]) for ms, length in pairs)
        return self._name(text)

    def insert(self, text: str) -> bytes:
        """Return the text in UTF-8, with what its names stand for."""
        parts = _NAME.split(text)
        out: list[bytes] = []
        for between, name in zip(parts[::2], [*parts[1::2], None], strict=True):
            out.append(_encoded(between))
            out += self._texts[int(name)] if name is not None else ()
        return b"".join(out)

    def _name(self, *parts: str | bytes) -> str:
        self._texts.append([p if isinstance(p, bytes) else _encoded(p) for p in parts])
        return f"__tapecheck_{len(self._texts) - 1}__"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


#: A line that is not empty; what is empty stays without indentation.
_LINE_START = re.compile(r"\n(?!\n|\Z)")
_NAME = re.compile("__tapecheck_([0-9]+)__")
#: Bytes that are written as base64 at a time: whole lines.
_SLICE = 57 * 4096
#: Shorter texts cost little.
_LONG = 200
#: Of the lines of an answer's body.
_INDENT = " " * 8
_PRINTED = (
    "\\x20-\\x7e\\xa0-\\u2027\\u202a-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010fffe"
)
#: PyYAML writes these with escapes: what is not printed, and blanks at the end of a line.
_NOT_LITERAL = re.compile(rf"[^\n{_PRINTED}]| (?:\n|\Z)")
_NOT_QUOTED = re.compile(f"[^{_PRINTED}]")


def _interaction(
    interaction: Interaction, style: type[str] | None, written: _Written
) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    return {
        "request": {
            "method": request.method,
            "uri": request.uri,
            "headers": _headers(request.headers),
            "body": _text(request.body, style and str, written, 6),
        },
        "response": {
            "status": {"code": response.status, "message": response.reason},
            "headers": _headers(response.headers),
            "body": {"string": _text(response.body, style, written, 8)},
            "wire": _wire(response.wire, written),
        },
    }


def _headers(headers: Headers) -> dict[str, _Flow]:
    grouped: dict[str, _Flow] = {}
    for name, value in headers:
        grouped.setdefault(name, _Flow()).append(value)
    return grouped


def _text(body: bytes, style: type[str] | None, written: _Written, indent: int) -> str | bytes:
    if style is None:
        return written.binary(body, indent)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return written.binary(body, indent)
    if "\n" not in text:
        return written.quoted(text)
    return written.literal(text) if style is _Literal else style(text)


def _wire(wire: Wire, written: _Written) -> dict[str, Any]:
    data: dict[str, Any] = {"v": 1}
    if wire.http:
        data["http"] = wire.http
    data["headers_ms"] = _number(wire.headers_ms)
    if wire.chunks is not None:
        data["chunks"] = written.chunks([(c.at_ms, c.length) for c in wire.chunks])
    if wire.end_ms is not None:
        data["end"] = _Flow([_number(wire.end_ms), str(wire.end)])
    data["origin"] = str(wire.origin)
    if wire.recorded:
        data["recorded"] = dict(wire.recorded)
    if wire.redacted:
        data["redacted"] = list(wire.redacted)
    return data


def _number(ms: float) -> int | float:
    return int(ms) if ms == int(ms) else ms
