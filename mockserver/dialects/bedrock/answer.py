"""Writes turns as answers of Converse and ConverseStream, and errors.

Members of objects come in alphabetical order and with a pad field ``p``, as recorded streams have
them. Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and
API_runtime_ConverseStream.html.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from uuid import UUID

from mockserver.cassettes.cassette import Headers, Response
from mockserver.dialects.capacity import Capacity
from mockserver.dialects.writing import Pace, compact, deltas, digest, retry_after, streamed, whole
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass, ErrorInfo
from mockserver.vocabulary.model import (
    AssistantTurn,
    FinishReason,
    Json,
    JsonObject,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    Usage,
)
from mockserver.wire.eventstream import CONTENT_TYPE, Header, encode

CAPACITY = Capacity(
    words={
        FinishReason.STOP: "end_turn",
        FinishReason.LENGTH: "max_tokens",
        FinishReason.TOOL_CALLS: "tool_use",
        FinishReason.CONTENT_FILTER: "content_filtered",
    },
    parts=frozenset({TextPart, ReasoningPart, ToolCallPart}),
    seals=frozenset({"signature", "redacted_data"}),
    citations=True,
    stop_word="stop_sequence",
    response_id=False,
    model=False,
    usage=frozenset(
        {
            "input_tokens",
            "output_tokens",
            "total_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
        }
    ),
)
_JSON = "application/json"
#: Type and status of each error, and the class that stands for those without an entry.
_ERRORS: Mapping[ErrorClass, tuple[str, int]] = {
    ErrorClass.AUTHENTICATION: ("UnrecognizedClientException", 403),
    ErrorClass.PERMISSION: ("AccessDeniedException", 403),
    ErrorClass.MODEL_NOT_FOUND: ("ResourceNotFoundException", 404),
    ErrorClass.INVALID_REQUEST: ("ValidationException", 400),
    ErrorClass.CONTEXT_LENGTH: ("ValidationException", 400),
    ErrorClass.PAYLOAD_TOO_LARGE: ("RequestEntityTooLargeException", 413),
    ErrorClass.QUOTA_EXHAUSTED: ("ServiceQuotaExceededException", 400),
    ErrorClass.RATE_LIMIT: ("ThrottlingException", 429),
    ErrorClass.OVERLOADED: ("ServiceUnavailableException", 503),
    ErrorClass.SERVER_ERROR: ("InternalServerException", 500),
    ErrorClass.TIMEOUT: ("ModelTimeoutException", 408),
    ErrorClass.STREAM_ERROR: ("ModelStreamErrorException", 424),
}
_OTHER = ErrorClass.SERVER_ERROR
#: The exceptions that a stream has, by class; others are the second.
_EXCEPTIONS: Mapping[ErrorClass, str] = {
    ErrorClass.RATE_LIMIT: "throttlingException",
    ErrorClass.OVERLOADED: "serviceUnavailableException",
    ErrorClass.SERVER_ERROR: "internalServerException",
    ErrorClass.INVALID_REQUEST: "validationException",
    ErrorClass.CONTEXT_LENGTH: "validationException",
}
_OTHER_EXCEPTION = "modelStreamErrorException"
#: Failures that a stream tells by a word for why it stopped.
FAILED_WORDS: Mapping[str, ErrorClass] = {
    "malformed_tool_use": ErrorClass.INVALID_TOOL_ARGUMENTS,
    "malformed_model_output": ErrorClass.STREAM_ERROR,
}
#: Failures of a stream that just ends.
_BROKEN_OFF = frozenset({ErrorClass.TRUNCATED_STREAM, ErrorClass.CONNECTION_LOST})
_PAD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def event(name: str, payload: Json) -> bytes:
    """Return the frame of an event."""
    return _frame(":event-type", name, "event", payload)


def exception(name: str, payload: Json) -> bytes:
    """Return the frame of an exception that the service has a model of."""
    return _frame(":exception-type", name, "exception", payload)


def error(code: str, message: str) -> bytes:
    """Return the frame of an error without a model, which has no payload."""
    texts = ((":message-type", "error"), (":error-code", code), (":error-message", message))
    return encode((Header(*text) for text in texts), b"")


def write_answer(turn: AssistantTurn, call: NeutralCall, pace: Pace) -> Response:
    """Return what Bedrock would answer."""
    if not call.stream:
        if turn.error is not None:
            return write_error(turn.error)
        return whole(_document(turn), headers=_request_id(turn), pace=pace)
    return streamed(_frames(turn, pace), pace, content_type=CONTENT_TYPE, headers=_request_id(turn))


def write_error(failed: ErrorInfo) -> Response:
    """Return what Bedrock would answer for an error with an HTTP status."""
    kind, status = _ERRORS.get(failed.error_class, _ERRORS[_OTHER])
    return whole(
        {"message": failed.message},
        status=status,
        headers=(
            ("x-amzn-requestid", failed.request_id or _uuid(failed)),
            ("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"),
            *retry_after(failed.retry_after),
        ),
    )


def _frames(turn: AssistantTurn, pace: Pace) -> Iterator[bytes]:
    yield event("messageStart", {"role": "assistant"})
    for index, part in enumerate(turn.parts):
        if isinstance(part, ToolCallPart):
            use = {"name": part.name, "toolUseId": part.id}
            yield event(
                "contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": use}}
            )
        for delta in _deltas(part, pace):
            yield event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
        yield event("contentBlockStop", {"contentBlockIndex": index})
    word = turn.raw_finish_reason
    if turn.error is not None:
        if turn.error.error_class in _BROKEN_OFF:
            return
        words = {kind: name for name, kind in FAILED_WORDS.items()}
        word = words.get(turn.error.error_class) if turn.error.code in FAILED_WORDS else None
        if word is None:
            name = _EXCEPTIONS.get(turn.error.error_class, _OTHER_EXCEPTION)
            yield exception(name, {"message": turn.error.message})
            return
    yield event("messageStop", {"stopReason": word})
    yield event("metadata", {"metrics": _metrics(turn), **_usage(turn.usage)})


def _deltas(part: Part, pace: Pace) -> Iterator[JsonObject]:
    match part:
        case TextPart():
            yield from ({"text": piece} for piece in deltas(part.text, pace))
            for citation in part.citations:
                yield {"citation": _citation(citation.url, citation.title)}
        case ReasoningPart(redacted_data=str(data)):
            yield {"reasoningContent": {"redactedContent": data}}
        case ReasoningPart():
            yield from ({"reasoningContent": {"text": t}} for t in deltas(part.text, pace))
            if part.signature is not None:
                yield {"reasoningContent": {"signature": part.signature}}
        case ToolCallPart():
            yield from ({"toolUse": {"input": t}} for t in deltas(part.arguments_raw, pace))


def _document(turn: AssistantTurn) -> JsonObject:
    message = {"content": [_block(part) for part in turn.parts], "role": "assistant"}
    return {
        "metrics": _metrics(turn),
        "output": {"message": message},
        "stopReason": turn.raw_finish_reason,
        **_usage(turn.usage),
    }


def _block(part: Part) -> JsonObject:
    match part:
        case TextPart(citations=(_, *_)):
            cited = [_citation(c.url, c.title) for c in part.citations]
            return {"citationsContent": {"citations": cited, "content": [{"text": part.text}]}}
        case TextPart():
            return {"text": part.text}
        case ReasoningPart(redacted_data=str(data)):
            return {"reasoningContent": {"redactedContent": data}}
        case ReasoningPart():
            signed = {} if part.signature is None else {"signature": part.signature}
            return {"reasoningContent": {"reasoningText": {**signed, "text": part.text}}}
        case ToolCallPart():
            use = {"input": part.arguments or {}, "name": part.name, "toolUseId": part.id}
            return {"toolUse": use}
    raise AssertionError(part)


def _citation(url: str | None, title: str | None) -> JsonObject:
    located = {} if url is None else {"location": {"web": {"url": url}}}
    return {**located, **({} if title is None else {"title": title})}


def _usage(usage: Usage | None) -> JsonObject:
    """Return the counts: those of cached input are no part of ``inputTokens``."""
    if usage is None:
        return {}
    read, write = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    cached = (read or 0) + (write or 0)
    plain = usage.input_tokens
    if plain is not None and plain >= cached:
        plain -= cached
    counts = {
        "cacheReadInputTokens": read,
        "cacheWriteInputTokens": write,
        "inputTokens": plain,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens,
    }
    return {"usage": {name: count for name, count in counts.items() if count is not None}}


def _metrics(turn: AssistantTurn) -> JsonObject:
    return {"latencyMs": 300 + len(turn.content)}


def _request_id(turn: AssistantTurn) -> Headers:
    return (("x-amzn-requestid", _uuid(turn)),)


def _uuid(value: object) -> str:
    return str(UUID(hex=digest(value, length=32), version=4))


def _frame(name_header: str, name: str, kind: str, payload: Json) -> bytes:
    size = zlib.crc32(compact(payload).encode()) % len(_PAD) + 1
    padded = dict(sorted({**payload, "p": _PAD[:size]}.items()))
    texts = ((name_header, name), (":content-type", _JSON), (":message-type", kind))
    return encode(
        (Header(*text) for text in texts),
        compact(padded if kind == "event" else payload).encode(),
    )
