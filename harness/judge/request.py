"""Check what the client sent: how many requests, where to, with which headers and bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from harness.judge.comparing import same_keys
from harness.judge.reading import Reading
from harness.judge.terms import Terms
from harness.judge.transcript import Finding, SeenRequest
from harness.suite.scenario import RequestSpec, StepSpec
from mockserver.cassettes import KeyPath
from mockserver.dialects import find_dialect
from mockserver.secrets import is_credential_header


def request(reading: Reading) -> Iterator[Finding]:
    """Check that the client sent what the scenario requires, and nothing that is not recorded."""
    spec, requests = reading.spec.request, reading.record.requests
    expected = sum(not r.again for r in requests)
    if expected < len(requests) and (spec is None or spec.count is None):
        yield Finding(
            check="request",
            kind="extra-request",
            field="request.count",
            message=f"{len(requests)} requests, {expected} expected",
            expected=expected,
            observed=len(requests),
        )
    if spec is None or not requests:
        return
    key = reading.transcript.api_key
    key_path = (*reading.spec.key_path, "request")
    yield from _all(spec, requests, key_path)
    first = requests[0]
    if spec.path is not None and first.path != spec.path:
        yield Finding(
            check="request",
            kind="wrong-request",
            field="request.path",
            message="the request went to the wrong path",
            key_path=(*key_path, "path"),
            expected=spec.path,
            observed=first.path,
        )
    for one in requests if spec.sequence else [first]:
        yield from _headers(spec.headers, one, key, key_path)
    yield from _body(spec, first, key_path, reading)
    for number, (step, one) in enumerate(zip(spec.sequence or (), requests, strict=False)):
        at = (*key_path, "sequence", number)
        yield from _headers(step.headers, one, key, at)
        yield from _body(step, one, at, reading)


def _all(
    spec: RequestSpec, requests: tuple[SeenRequest, ...], key_path: KeyPath
) -> Iterator[Finding]:
    """Check the requests taken together."""
    if spec.count is not None and len(requests) != spec.count:
        yield Finding(
            check="request",
            kind="extra-request" if len(requests) > spec.count else "no-retry",
            field="request.count",
            message=f"{spec.count} request(s) expected, {len(requests)} sent",
            key_path=(*key_path, "count"),
            expected=spec.count,
            observed=len(requests),
        )
    if spec.identical and len({r.body for r in requests}) > 1:
        yield Finding(
            check="request",
            kind="extra-request",
            field="request.identical",
            message="the request bodies differ, but must be identical",
            key_path=(*key_path, "identical"),
            observed=[r.body.decode(errors="replace") for r in requests],
        )
    sent = [f"{r.method} {r.path}{'?' * bool(r.query)}{r.query}" for r in requests]
    if spec.sequence is not None and (wanted := [s.line for s in spec.sequence]) != sent:
        yield Finding(
            check="request",
            kind=_kind_of_sequence(wanted, sent),
            field="request.sequence",
            message="the requests sent differ from the expected sequence",
            key_path=(*key_path, "sequence"),
            expected=wanted,
            observed=sent,
        )


def _kind_of_sequence(wanted: list[str], sent: list[str]) -> str:
    if sent[: len(wanted)] == wanted:
        return "extra-request"
    return "no-retry" if wanted[: len(sent)] == sent else "wrong-request"


def _headers(
    headers: Mapping[str, str | None], sent: SeenRequest, key: str, key_path: KeyPath
) -> Iterator[Finding]:
    for name, wanted in headers.items():
        filled = None if wanted is None else wanted.replace("{api_key}", key)
        seen = next((v for n, v in sent.headers if n.lower() == name.lower()), None)
        if seen != filled:
            yield Finding(
                check="request",
                kind="request-form",
                field=f"request.headers.{name.lower()}",
                message=f"header {name} differs",
                key_path=(*key_path, "headers", name),
                expected=wanted,
                observed=None if seen is None else _shown(name, seen, key),
            )


def _shown(name: str, value: str, key: str) -> str:
    """Return a header value without any key: a client may have sent one of its own."""
    if key in value:
        return value.replace(key, "{api_key}")
    return "a different value" if is_credential_header(name) else value


def _body(
    spec: RequestSpec | StepSpec, sent: SeenRequest, key_path: KeyPath, reading: Reading
) -> Iterator[Finding]:
    if spec.contains is None and not spec.absent:
        return
    try:
        fields = _fields(sent)
    except ValueError:
        yield Finding(
            check="request",
            kind="wrong-request",
            field="request.body",
            message="the request body is neither JSON nor a form",
            key_path=key_path,
        )
        return
    terms = reading.terms
    body = find_dialect(reading.case.scenario.dialect).plain_request(dict(fields))
    for key, wanted in (spec.contains or {}).items():
        if key not in body or not same_keys(wanted, body[key]):
            yield Finding(
                check="request",
                kind=_kind_of(key, wanted, body, terms),
                field=f"request.body.{key}",
                message=f"{key} of the request body differs",
                key_path=(*key_path, "body", "contains", key),
                expected=wanted,
                observed=body.get(key),
            )
    for pointer in spec.absent:
        if (found := _at(body, pointer)) is not _NOTHING:
            yield Finding(
                check="request",
                kind="request-form",
                field=f"request.body{pointer.replace('/', '.')}",
                message=f"{pointer} must not be in the request body",
                key_path=(*key_path, "body", "absent"),
                observed=found,
            )


#: Lists of messages and items, in which a client sends back what it was given before.
_CONVERSATION = ("messages", "input", "contents")
#: Fields that name what the provider has of the conversation, which need not be sent again.
_EARLIER = ("previous_response_id", "conversation")
#: Fields whose values the provider compares with what it sent, or that hold a tool's result.
_IDS = frozenset({"id", "tool_call_id", "call_id", "output", "previous_response_id"})
#: Fields of what must go back unread; a client that does not expose them is not asked for them.
_OPAQUE = frozenset(
    {
        "signature",
        "thought_signature",
        "thoughtSignature",
        "encrypted_content",
        "redacted_data",
        "data",
    }
)


def _kind_of(key: str, wanted: Any, body: Mapping[str, Any], terms: Terms) -> str:
    """Return the kind of a field that is not as it should be.

    In a conversation there are many right forms; but what was given must go back, and what is
    said and shown to the model must be there.
    """
    if key == "previous_response_id":
        return "not-sent-back"
    if key not in _CONVERSATION:
        return "request-form"
    keys = _IDS | (_OPAQUE if terms.misses("signatures") else frozenset())
    there = set(_leaves(body.get(key), keys, everything=True))
    if not there.issuperset(_leaves(wanted, keys)):
        return "not-sent-back"
    if any(body.get(name) for name in _EARLIER):
        return "request-form"
    # Texts may be joined, and the first of them may be in a field of its own.
    sent = "\0".join(_leaves(body, keys, everything=True))
    return "request-form" if all(said in sent for said in _said(wanted)) else "wrong-request"


def _said(messages: Any) -> Iterator[str]:
    """Yield the texts of messages, and the addresses of their images."""
    for message in messages if isinstance(messages, list | tuple) else ():
        content = message.get("content") if isinstance(message, Mapping) else None
        for part in content if isinstance(content, list | tuple) else [content]:
            values = [part]
            if isinstance(part, Mapping):
                image = part.get("image_url")
                values = [part.get("text"), image.get("url") if isinstance(image, dict) else image]
            yield from (value for value in values if isinstance(value, str))


def _leaves(
    value: Any, keys: frozenset[str], *, everything: bool = False, key: str = ""
) -> Iterator[str]:
    """Yield the texts under ``keys``, which must go back, or all texts of a value."""
    if isinstance(value, dict):
        result = value.get("role") == "tool"
        for name, item in value.items():
            whole = everything or (result and name == "content")
            yield from _leaves(item, keys, everything=whole, key=name)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, keys, everything=everything, key=key)
    elif isinstance(value, str) and (everything or key in keys):
        yield value


def _fields(sent: SeenRequest) -> Mapping[str, Any]:
    """Return the fields of a body. Raises ``ValueError`` for a body without fields."""
    kind = next((v for n, v in sent.headers if n.lower() == "content-type"), "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(sent.body.decode(), keep_blank_values=True, strict_parsing=True))
    try:
        body = json.loads(sent.body)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return body


_NOTHING = object()


def _at(value: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer (RFC 6901)."""
    for raw in pointer.split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _NOTHING
    return value
