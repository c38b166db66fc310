"""The file formats of other recorders: what their interactions say, in vcrpy's words.

Each format is recognized by its shape. Where a file does not have what was on the wire, the
interaction is left out with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from mockserver.cassettes.addresses import NO_HOST, real_uri
from mockserver.cassettes.llm_recorders import from_llm_recorder, from_llm_vcr
from mockserver.cassettes.parts import LONGEST_MS, as_json, from_base64, status, with_kind

#: Interactions of vcrpy's schema, version 1, one for each of the file.
Convert = Callable[[Any], dict[str, Any]]

#: A duration of Go, and the milliseconds of its units.
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(h|ms|m|s|µs|us|ns)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_MS = {"h": 3.6e6, "m": 6e4, "s": 1e3, "ms": 1.0, "µs": 1e-3, "us": 1e-3, "ns": 1e-6}


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name, its items with the path to their list, and how to convert one."""

    name: str
    root: tuple[str | int, ...]
    items: list[Any]
    convert: Convert
    by: str


def recognize(data: Any) -> Format | None:
    """Return the format of parsed YAML or JSON; ``None`` if it is none of these."""
    match data:
        case {"interactions": [{"request": {"url": _}}, *_] as items}:
            version = data.get("version", 1)
            return Format(f"go-vcr {version}", ("interactions",), items, _go_vcr, "go-vcr")
        case {"interactions": [{"method": _, "url": _, "status_code": _}, *_] as items}:
            return Format("llm-vcr", ("interactions",), items, from_llm_vcr, "llm-vcr")
        case {"recordings": [{"request": {"url": _}, "response": dict()}, *_] as items}:
            return Format("llm-recorder", ("recordings",), items, from_llm_recorder, "llm-recorder")
        case [{"hash": _, "request": {"url": _}, "response": dict()}, *_] as items:
            return Format("llm-recorder", (), items, from_llm_recorder, "llm-recorder")
        case {"requests": list(asked), "responses": list(answered)}:
            pairs = [
                {"request": request, "response": response}
                for request, response in zip(asked, answered, strict=False)
            ]
            return Format("LangChain's vcr", ("requests",), pairs, _langchain, "vcrpy (LangChain)")
        case {"when": _, "then": _}:
            return Format("httpmock", (), [data], _httpmock, "httpmock")
        case [{"when": _, "then": _}, *_]:
            return Format("httpmock", (), data, _httpmock, "httpmock")
        case {"mappings": [{"request": _, "response": _}, *_] as items}:
            return Format("WireMock mappings", ("mappings",), items, _wiremock, "WireMock")
        case [{"scope": _, "path": _, "status": _}, *_]:
            return Format("nock", (), data, _nock, "nock")
        case {"request": dict(request), "response": {"status": int()}} if _is_mapping(request):
            return Format("a WireMock mapping", (), [data], _wiremock, "WireMock")
        case {"request": {"url": _}, "response": dict()}:
            return Format("dd-apm-test-agent", (), [data], _one_file, "dd-apm-test-agent")
        case [{"request": {"url": _}, "response": dict()}, *_]:
            return Format("php-vcr", (), data, _one_file, "php-vcr")
    return None


def _go_vcr(item: Any) -> dict[str, Any]:
    request, response = item["request"], item["response"]
    body = request.get("body") or ""
    if not body and request.get("form"):
        body = urlencode([(n, v) for n, values in request["form"].items() for v in _listed(values)])
    return {
        **_rest(item, "id"),
        "request": {
            "method": request.get("method") or "GET",
            "uri": request["url"],
            "headers": request.get("headers") or {},
            "body": body,
        },
        "response": {
            "status": status(response.get("code"), response.get("status")),
            "headers": response.get("headers") or {},
            "body": {"string": response.get("body") or ""},
            "http_version": response.get("proto"),
            **_lasting(response.get("duration")),
        },
    }


def _lasting(duration: Any) -> dict[str, Any]:
    """Return how long an answer took until its end, as Go writes it: ``1m2.5s``, ``376.6ms``."""
    if not isinstance(duration, str) or not _DURATION.fullmatch(duration):
        return {}
    ms = sum(float(number) * _MS[unit] for number, unit in _PART.findall(duration))
    return {"wire": {"v": 1, "end": [round(ms, 1), "eof"]}} if ms < LONGEST_MS else {}


def _langchain(item: Any) -> dict[str, Any]:
    request, response = item["request"], item["response"]

    def known(headers: Any) -> dict[str, list[Any]]:
        pairs = headers.items() if isinstance(headers, dict) else ()
        lists = {n: [v for v in _listed(values) if v != "**REDACTED**"] for n, values in pairs}
        return {name: values for name, values in lists.items() if values}

    body = response.get("body")
    headers = known(response.get("headers"))
    return {
        "request": {**request, "headers": known(request.get("headers"))},
        "response": {**response, "headers": with_kind(headers, body)},
    }


def _httpmock(item: Any) -> dict[str, Any]:
    when, then = item["when"], item["then"]
    query = urlencode([(p["name"], p["value"]) for p in when.get("query_param") or ()])
    path = str(when.get("path") or _missing("a path"))
    asked = from_base64(when["body_base64"]) if "body_base64" in when else when.get("body") or ""
    return {
        "request": {
            "method": str(when.get("method") or "POST").upper(),
            "uri": f"{NO_HOST}{path}" + (f"?{query}" if query else ""),
            "headers": _named(when.get("header")),
            "body": asked,
        },
        "response": {
            "status": status(then.get("status", 200), None),
            "headers": _named(then.get("header")),
            "body": {
                "string": from_base64(then["body_base64"])
                if "body_base64" in then
                else then.get("body") or ""
            },
        },
    }


def _nock(item: Any) -> dict[str, Any]:
    headers = item.get("rawHeaders", item.get("headers")) or {}
    if isinstance(headers, list):
        pairs = list(zip(headers[::2], headers[1::2], strict=False))
        headers = {}
        for name, value in pairs:
            headers.setdefault(name, []).append(value)
    encoded = any(str(name).lower() == "content-encoding" for name in headers)
    answer = item.get("response", "")
    if item.get("responseIsBinary") and isinstance(answer, str):
        answer = _hex(answer)
    elif encoded and isinstance(answer, list):
        answer = b"".join(_hex(part) for part in answer)
    elif encoded and isinstance(answer, str) and re.fullmatch(r"(?:[0-9a-f]{2})+", answer):
        answer = _hex(answer)
    answer = answer if isinstance(answer, str | bytes) else as_json(answer)
    if not headers and item.get("contentType"):
        headers = {"content-type": item["contentType"]}
    asked = item.get("body", "")
    return {
        "request": {
            "method": str(item.get("method") or "GET").upper(),
            "uri": f"{str(item['scope']).rstrip('/')}{item['path']}",
            "headers": item.get("reqheaders") or {},
            "body": asked if isinstance(asked, str) else as_json(asked),
        },
        "response": {
            "status": status(item["status"], None),
            "headers": with_kind(headers, answer),
            "body": {"string": answer},
        },
    }


def _wiremock(item: Any) -> dict[str, Any]:
    request, response = item["request"], item["response"]
    url = request.get("url") or request.get("urlPath")
    if url is None:
        raise ValueError("matches more than one address, so it is no recording")
    method = str(request.get("method") or "ANY")
    if method == "ANY":
        raise ValueError("matches any method, so it is no recording")
    if "bodyFileName" in response:
        raise ValueError(f"has its body in another file: {response['bodyFileName']}")
    if fault := response.get("fault") or response.get("proxyBaseUrl"):
        raise ValueError(f"has no answer, but {fault}")
    query = {
        name: rule["equalTo"]
        for name, rule in (request.get("queryParameters") or {}).items()
        if isinstance(rule, dict) and "equalTo" in rule
    }
    body: str | bytes = ""
    if "jsonBody" in response:
        body = as_json(response["jsonBody"])
    elif "base64Body" in response:
        body = from_base64(response["base64Body"])
    else:
        body = response.get("body") or ""
    return {
        "request": {
            "method": method,
            "uri": real_uri(url) + (f"?{urlencode(query)}" if query else ""),
            "headers": {
                name: rule["equalTo"]
                for name, rule in (request.get("headers") or {}).items()
                if isinstance(rule, dict) and "equalTo" in rule
            },
            "body": _pattern(request.get("bodyPatterns") or ()),
        },
        "response": {
            "status": status(response["status"], response.get("statusMessage")),
            "headers": with_kind(response.get("headers") or {}, {"string": body}),
            "body": {"string": body},
        },
    }


def _one_file(item: Any) -> dict[str, Any]:
    request, response = item["request"], item["response"]
    given = response.get("status")
    code = given.get("code") if isinstance(given, dict) else given
    message = given.get("message") if isinstance(given, dict) else None
    return {
        "request": {
            "method": request.get("method"),
            "uri": request["url"],
            "headers": request.get("headers") or {},
            "body": _marked(request.get("body")),
        },
        "response": {
            "status": status(code, message),
            "headers": response.get("headers") or {},
            "body": {"string": _marked(response.get("body"))},
        },
    }


def _marked(body: Any) -> str | bytes:
    """Return a body; dd-apm-test-agent marks one that is no text."""
    if isinstance(body, str) and body.startswith("base64:"):
        return from_base64(body.removeprefix("base64:"))
    return body if isinstance(body, str | bytes) else as_json(body or "")


def _is_mapping(request: Mapping[str, Any]) -> bool:
    """Whether a request says what to match, and not what was sent."""
    url = request.get("url")
    patterns = ("urlPath", "urlPattern", "urlPathPattern", "urlPathTemplate", "bodyPatterns")
    return any(p in request for p in patterns) or (isinstance(url, str) and url.startswith("/"))


def _pattern(patterns: Sequence[Any]) -> str:
    for pattern in patterns:
        match pattern:
            case {"equalToJson": str(text)} | {"equalTo": str(text)}:
                return text
            case {"equalToJson": data}:
                return as_json(data)
    return ""


def _named(headers: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for header in headers or ():
        found.setdefault(header["name"], []).append(header["value"])
    return found


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _rest(item: dict[str, Any], *known: str) -> dict[str, Any]:
    return {n: v for n, v in item.items() if n not in (*known, "request", "response")}


def _hex(text: Any) -> bytes:
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        raise ValueError("has a body that is not hexadecimal") from None


def _missing(what: str) -> Any:
    raise ValueError(f"has not {what}")
