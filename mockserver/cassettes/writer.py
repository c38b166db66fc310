"""Writes cassettes so that a person can review them: one event per line, one key order.

The body is written once, in a literal block where YAML can carry it unchanged, else quoted, else
as ``!!binary``. Every dump is read back and compared before it is returned.
"""

from __future__ import annotations

from typing import Any

import yaml

from mockserver.cassettes.cassette import Cassette, Headers, Interaction, Wire, parse


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
        if parse(text, cassette.path) == cassette:
            return text
    raise AssertionError(f"{cassette.path}: cannot be written without loss")


def _render(cassette: Cassette, style: type[str] | None) -> bytes:
    data = {
        "version": 1,
        "interactions": [_interaction(i, style) for i in cassette.interactions],
    }
    return yaml.dump(
        data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=2**31, encoding="utf-8"
    )


def _interaction(interaction: Interaction, style: type[str] | None) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    return {
        "request": {
            "method": request.method,
            "uri": request.uri,
            "headers": _headers(request.headers),
            "body": _text(request.body, str if style else None),
        },
        "response": {
            "status": {"code": response.status, "message": response.reason},
            "headers": _headers(response.headers),
            "body": {"string": _text(response.body, style)},
            "wire": _wire(response.wire),
        },
    }


def _headers(headers: Headers) -> dict[str, _Flow]:
    grouped: dict[str, _Flow] = {}
    for name, value in headers:
        grouped.setdefault(name, _Flow()).append(value)
    return grouped


def _text(body: bytes, style: type[str] | None) -> str | bytes:
    if style is None:
        return body
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body
    return style(text) if "\n" in text else text


def _wire(wire: Wire) -> dict[str, Any]:
    data: dict[str, Any] = {"v": 1}
    if wire.http:
        data["http"] = wire.http
    data["headers_ms"] = _number(wire.headers_ms)
    if wire.chunks is not None:
        data["chunks"] = _Flow(_Flow([_number(c.at_ms), c.length]) for c in wire.chunks)
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
