"""Turns provider error bodies into :class:`~mockserver.vocabulary.model.ErrorInfo`. Pure.

Codes, messages and delays are collected from a body of any shape, and then classified by
``failure_tables``: by a code that names one cause, else by the HTTP status if it does, else by
the message, else by a status that says more than a vague code, else by what a vague code or
status usually means.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from harness.adapters.common.failure_tables import (
    CLEAR_STATUSES,
    CODE_KEYS,
    CODES,
    EMPTY_BODIES,
    EXTRA_FIELDS,
    MEANINGLESS_CODES,
    REQUEST_ID_HEADERS,
    RETRYABLE_STATUSES,
    STATUSES,
    TEXTS,
    VAGUE_CODES,
    VAGUE_STATUSES,
    normalized,
)
from harness.adapters.common.retry_after import from_fields, from_headers, from_text
from harness.adapters.common.surrogates import fix_surrogates
from mockserver.vocabulary import ErrorClass, ErrorInfo, Json

MESSAGE_LIMIT = 500
_SHORTEST_SECRET = 4
#: How deep an error is read, and how many characters of it are searched for words.
_DEEPEST = 20
_SEARCHED = 20_000


def failure(error_class: ErrorClass, message: str, *, code: str | None = None) -> ErrorInfo:
    """Make an error that the client itself found; its class decides whether it is retryable."""
    return ErrorInfo(
        error_class=error_class, message=message, retryable=error_class.retryable, code=code
    )


def scrub(text: str, secrets: Collection[str]) -> str:
    """Replace every secret in ``text``; secrets under 4 characters are ignored."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "[redacted]")
    return text


def clip(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Shorten ``text`` to ``limit`` characters, with an ellipsis at the end."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def plain(text: str) -> str:
    """Make one readable line of ``text``: the title of an HTML page, else its words."""
    if text.startswith("<"):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.I | re.S)
        text = title[1] if title else re.sub(r"(?is)<(script|style).*?</\1>|<[^>]*>", " ", text)
        text = html.unescape(text)
    return " ".join(text.split())


def is_error(value: Json) -> bool:
    """Return whether a JSON value inside a stream is an error, in any of the known shapes.

    A truthy ``error`` (object or text), vLLM's flat ``{"object": "error"}`` and
    ``error_type``/``error_message``, the flat ``{"type": "error"}`` of the Responses API,
    Gemini's object inside a list, MiniMax's ``base_resp``, and DashScope's flat ``code`` and
    ``message``.
    """
    match value:
        case [dict() as first, *_]:
            return is_error(first)
        case dict():
            return (
                bool(value.get("error"))
                or "error" in (value.get("object"), value.get("type"))
                or "error_message" in value
                or _minimax_code(value) is not None
                or _is_flat_error(value)
            )
    return False


def _is_flat_error(value: Mapping[str, Json]) -> bool:
    """Return whether ``value`` has a code, a message and no answer; 0 and 200 are no errors."""
    code, message = value.get("code"), value.get("message")
    if isinstance(code, bool) or not isinstance(code, int | str) or _is_blank(code):
        return False
    return (
        not re.fullmatch("0|2[0-9][0-9]|ok|success|true|false", str(code).strip(), re.I)
        and isinstance(message, str)
        and not _is_blank(message)
        and not value.get("choices")
        and not str(value.get("type")).startswith("response.")
    )


def _minimax_code(value: Mapping[str, Json]) -> str | None:
    """Return the ``status_code`` of ``base_resp``, unless it is 0 for success."""
    base = value.get("base_resp")
    code = str(base.get("status_code")) if isinstance(base, Mapping) else ""
    return code if re.fullmatch("-?[1-9][0-9]*", code) else None


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """Return the request id, for the provider's support. ``headers`` have lower-case names."""
    return next((value for name in REQUEST_ID_HEADERS if (value := headers.get(name))), None)


def from_http(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    secrets: Collection[str] = (),
) -> ErrorInfo:
    """Classify an answer with an error status.

    ``now`` is the time in epoch seconds, needed for a wait that the server gives as a date.
    ``secrets`` never appear in the result.
    """
    head = {name.lower(): value for name, value in headers.items()}
    parsed = _ErrorBody()
    parsed.walk(_base64_json(head.get("x-error-json", "")))
    text = body.decode(errors="replace").strip()
    try:
        parsed.walk(json.loads(text))
    except (ValueError, RecursionError):
        parsed.walk(plain(text))
    if kind := head.get("x-amzn-errortype"):
        parsed.codes.append(kind.partition(":")[0])
    error_class = parsed.classify(status, empty=not text, default=ErrorClass.PROTOCOL)
    retryable = error_class.retryable or status in RETRYABLE_STATUSES
    return parsed.to_error(
        error_class,
        status=status,
        now=now,
        secrets=secrets,
        retryable={"true": True, "false": False}.get(head.get("x-should-retry", ""), retryable),
        request_id=request_id_of(head),
        wait=from_headers(head, now),
    )


def from_payload(
    value: Json,
    *,
    default: ErrorClass = ErrorClass.STREAM_ERROR,
    secrets: Collection[str] = (),
) -> ErrorInfo:
    """Classify an error inside a body or stream of status 200.

    ``default`` is for an error that names no cause. A status inside the payload (OpenRouter,
    Groq, LiteLLM) helps to classify it; ``ErrorInfo.status`` stays that of HTTP.
    """
    parsed = _ErrorBody()
    parsed.walk(value)
    error_class = parsed.classify(None, empty=False, default=default)
    return parsed.to_error(error_class, secrets=secrets, retryable=error_class.retryable)


@dataclass(slots=True)
class _ErrorBody:
    """What an error body says, collected from any shape by :meth:`walk`."""

    depth: int = 0
    codes: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    fields: dict[str, Json] = field(default_factory=dict)

    def walk(self, value: Json) -> None:
        if self.depth > _DEEPEST:
            return
        self.depth += 1
        match value:
            case str() if value.strip():
                self._text(value.strip())
            case list():
                for item in value:
                    self.walk(item)
            case dict():
                self._object(value)
        self.depth -= 1

    def _text(self, text: str) -> None:
        if text.startswith("{"):
            try:
                return self.walk(json.loads(text))
            except (ValueError, RecursionError):
                pass
        if text not in self.texts:
            self.texts.append(text)
        return None

    def _object(self, data: Mapping[str, Json]) -> None:
        known = {key: value for key, value in self.fields.items() if not _is_blank(value)}
        self.fields = {**data, **known}
        self.codes += [key for key in CODE_KEYS if data.get(key)]
        if (number := _minimax_code(data)) is not None:
            self.codes += [number, f"minimax_{number}"]
            self.walk(data["base_resp"].get("status_msg"))
        for key in ("code", "status", "status_code", "type", "__type", "error_type", "reason"):
            self._code(data.get(key))
        for key in ("message", "Message", "error_message", "msg"):
            if isinstance(data.get(key), str) and isinstance(data.get("loc"), list):
                self._text(f"{'.'.join(map(str, data['loc']))}: {data[key]}")
            else:
                self.walk(data.get(key))
        for key in ("error", "innererror", "detail", "errors", "raw"):
            self.walk(data.get(key))
        for key in ("metadata", "details"):
            for item in data[key] if isinstance(data.get(key), list) else [data.get(key)]:
                if isinstance(item, dict):
                    self._object(item)

    def _code(self, code: Json) -> None:
        if isinstance(code, bool) or not isinstance(code, int | str) or code in MEANINGLESS_CODES:
            return
        if re.fullmatch(r"[1-5]\d\d", str(code)):
            self.statuses.append(int(code))
        else:
            self.codes.append(str(code))

    def classify(self, status: int | None, *, empty: bool, default: ErrorClass) -> ErrorClass:
        """Find the class. ``empty``: the body had no text."""
        status = status or next(iter(self.statuses), 0)
        code_words = [normalized(code) for code in self.codes]
        words = " ".join((*self.codes, *self.texts))[:_SEARCHED]
        found = (
            *(CODES.get(f"{status} {code}") or CODES.get(code) for code in code_words),
            STATUSES.get(status),
            *(row.error_class for row in TEXTS if row.matches(words, status)),
            EMPTY_BODIES.get(status) if empty else None,
            CLEAR_STATUSES.get(status),
            *(VAGUE_CODES.get(code) for code in code_words),
            VAGUE_STATUSES.get(status // 100),
        )
        return next((error_class for error_class in found if error_class), default)

    def to_error(
        self,
        error_class: ErrorClass,
        *,
        secrets: Collection[str],
        retryable: bool,
        status: int | None = None,
        now: float | None = None,
        request_id: str | None = None,
        wait: float | None = None,
    ) -> ErrorInfo:
        """Make the error. A request id and a wait (seconds) from the headers win."""

        def clean(text: str) -> str:
            return clip(scrub(fix_surrogates(text), secrets))

        code = next(iter((*self.codes, *map(str, self.statuses))), None)
        where = "an error" if status is None else f"HTTP {status}"
        message = "; ".join(self.texts) or code or f"{where} without a message"
        if extras := ", ".join(self._extras()):
            message += f" ({extras})"
        request_id = request_id or self.fields.get("request_id")
        for later in (from_fields(self.fields, now), from_text(self.texts)):
            wait = later if wait is None else wait
        return ErrorInfo(
            error_class=error_class,
            message=clean(message),
            retryable=retryable,
            status=status,
            code=None if code is None else clean(code),
            request_id=None
            if not isinstance(request_id, str) or _is_blank(request_id)
            else clean(request_id),
            retry_after=wait,
        )

    def _extras(self) -> Iterator[str]:
        for key in EXTRA_FIELDS:
            match self.fields.get(key):
                case str() | int() | float() as value if value not in self.texts:
                    yield f"{key}: {value}"
                case dict() as filters:
                    hits = [
                        name
                        for name, hit in filters.items()
                        if isinstance(hit, dict) and hit.get("filtered")
                    ]
                    if hits:
                        yield f"filtered: {', '.join(hits)}"


def _is_blank(value: Json) -> bool:
    return isinstance(value, str) and not value.strip()


def _base64_json(value: str) -> Json:
    try:
        return json.loads(base64.b64decode(value, validate=True)) if value else None
    except (binascii.Error, ValueError, RecursionError):
        return None
