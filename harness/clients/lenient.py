"""Small gaps that a wrapper may leave, filled before its events are checked.

Client libraries hand on what the wire says, and wires leave things out. Whoever writes a wrapper
should not need to invent an id, or to know every word of the vocabulary. What is filled in here
is never content, and what is missing stays visible to the judge.
"""

from __future__ import annotations

from typing import Any

from mockserver.vocabulary import ErrorClass, FinishReason, JsonObject

#: Texts that are absent rather than empty.
_OPTIONAL = ("response_id", "model", "thought_signature")


#: Digits of a count that is given as text.
_DIGITS = 20


def filled_event(event: JsonObject) -> JsonObject:
    """Return an event with its gaps filled; the object itself if there is none."""
    match event.get("type"):
        case "message_start" | "tool_call_end":
            return _without_empty(event)
        case "usage":
            return {**event, "usage": _usage(event.get("usage"))}
        case "content_delta" if isinstance(event.get("delta"), dict | list):
            return {**event, "delta": _text_of(event.get("delta"))}
        case "reasoning_delta" if "channel" not in event:
            return {"channel": "text", **event}
        case "tool_call_start":
            name = event.get("tool_call_index")
            return {**event, **_id("tool_call_id", event.get("tool_call_id"), name)}
        case "message_stop":
            return _without_empty(event) | _reason(event)
        case "error" if isinstance(event.get("error"), dict):
            return {**event, "error": _error(event["error"])}
    return event


def filled_turn(turn: JsonObject) -> JsonObject:
    """Return a turn with its gaps filled."""
    filled = _without_empty(turn)
    if filled.get("finish_reason") is not None:
        filled |= _reason(turn)
    if isinstance(turn.get("error"), dict):
        filled["error"] = _error(turn["error"])
    if isinstance(turn.get("usage"), dict):
        filled["usage"] = _usage(turn["usage"])
    parts = turn.get("parts")
    if isinstance(parts, list):
        filled["parts"] = [_part(p, n) if isinstance(p, dict) else p for n, p in enumerate(parts)]
    return filled


def _part(part: JsonObject, number: int) -> JsonObject:
    if part.get("type") == "tool_call":
        return {**part, **_id("id", part.get("id"), number)}
    if part.get("type") == "text" and isinstance(part.get("text"), dict | list):
        return {**part, "text": _text_of(part.get("text"))}
    if part.get("type") == "reasoning" and "channel" not in part:
        return {"channel": "text", **part}
    return part


def _text_of(value: Any) -> Any:
    """Return the text of content in parts, as some wires send it; anything else as it is."""
    parts = value if isinstance(value, list) else [value]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    known = [text for text in texts if isinstance(text, str)]
    return "".join(known) if known else value


def _id(key: str, value: Any, number: Any) -> JsonObject:
    """Return the id of a call as text; a missing one is made up and marked so."""
    if isinstance(value, str) and value.strip():
        return {}
    if isinstance(value, int) and not isinstance(value, bool):
        return {key: str(value)}
    if value is None or isinstance(value, str):
        return {key: f"call_{number}", "id_synthesized": True}
    return {}


def _reason(event: JsonObject) -> JsonObject:
    """Return the finish reason in the vocabulary; another word becomes the raw one."""
    reason = event.get("finish_reason")
    if reason is None:
        return {"finish_reason": "unknown"}
    if not isinstance(reason, str) or reason in list(FinishReason):
        return {}
    return {
        "finish_reason": "unknown",
        "raw_finish_reason": event.get("raw_finish_reason") or reason,
    }


def _usage(usage: Any) -> Any:
    """Return token counts as numbers; a wire that says something else has no count."""
    if usage is None:
        return {}
    if not isinstance(usage, dict):
        return usage
    return {
        name: int(value) if isinstance(value, str) and _is_count(value) else value
        for name, value in usage.items()
        if not _is_junk(value)
    }


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) <= _DIGITS


def _is_junk(value: Any) -> bool:
    if isinstance(value, str):
        return not _is_count(value)
    return isinstance(value, int | float) and not value >= 0


def _error(error: JsonObject) -> JsonObject:
    filled = {k: v for k, v in error.items() if v is not None and v != ""}
    name = filled.setdefault("class", str(_class_of(filled.get("status"))))
    filled.setdefault("message", "")
    if isinstance(name, str) and name in list(ErrorClass):
        filled.setdefault("retryable", ErrorClass(name).retryable)
    wait = filled.get("retry_after")
    if isinstance(wait, int | float) and wait < 0:
        del filled["retry_after"]  # no wait that a caller could keep
    return filled


def _class_of(status: Any) -> ErrorClass:
    """Return the class of an error that has none, by its HTTP status."""
    if not isinstance(status, int):
        return ErrorClass.STREAM_ERROR
    return _CLASSES.get(
        status, ErrorClass.SERVER_ERROR if status >= 500 else ErrorClass.INVALID_REQUEST
    )


_CLASSES = {
    401: ErrorClass.AUTHENTICATION,
    403: ErrorClass.PERMISSION,
    404: ErrorClass.MODEL_NOT_FOUND,
    408: ErrorClass.TIMEOUT,
    413: ErrorClass.PAYLOAD_TOO_LARGE,
    429: ErrorClass.RATE_LIMIT,
    503: ErrorClass.OVERLOADED,
    504: ErrorClass.TIMEOUT,
    529: ErrorClass.OVERLOADED,
}


def _without_empty(data: JsonObject) -> JsonObject:
    """Return the data without texts that are empty in place of absent."""
    return {k: v for k, v in data.items() if not (k in _OPTIONAL and v in ("", None))}
