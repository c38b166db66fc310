"""What a file seems to be that is no recording of HTTP, and what helps."""

from __future__ import annotations

from typing import Any

_RECORD = (
    "run it and record from it: tapecheck record -p openai --upstream http://127.0.0.1:PORT/v1"
)


def guess(data: Any) -> tuple[str, str] | None:
    """Return what parsed YAML or JSON seems to be, and a hint; ``None`` if nothing is known."""
    match data:
        case {"fixtures": [{"match": _, "response": _}, *_]} | [{"match": _, "response": _}, *_]:
            return "seems to be fixtures of aimock, which hold answers, but no HTTP", _RECORD
        case {"imposters": list()}:
            return "seems to be imposters of mountebank, which match more than one request", _RECORD
        case {"data": {"pairs": list()}, "meta": {"schemaVersion": _}}:
            return "seems to be a simulation of Hoverfly, which matches requests by rules", _RECORD
        case {"openapi": _} | {"swagger": _}:
            return (
                "seems to be an OpenAPI description, which holds no recording",
                "record a server that follows it, with 'tapecheck record'",
            )
        case {"info": {"schema": str(schema)}} if "postman" in schema:
            return "seems to be a Postman collection", "export the history as HAR instead"
        case {"scenario": _} | [{"scenario": _}, *_]:
            return "seems to be a scenario", "'tapecheck run' plays it"
        case {"interactions": dict() | [_, *_]} | {"recordings": dict() | [_, *_]}:
            return (
                "seems to be recordings, but not of HTTP: there is no request with a method and a "
                "URL",
                "record the HTTP of the client with 'tapecheck record'",
            )
    return None
