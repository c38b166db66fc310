"""What an answer says, apart from how it was cut into events: text, calls, usage, error and so on.

Expected and observed events, or a turn, are brought into the same form, so that the order of
events and the size of their deltas do not matter. A channel that is not stated has no key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from mockserver.dialects import repaired, texts_in
from mockserver.vocabulary import JsonObject

#: Values by channel, whose names are the words of ``harness.judge.terms`` and the content:
#: ``text``, ``refusal``, ``tool_calls``, ``status``, ``error``.
Channels: TypeAlias = dict[str, Any]

_TEXTS = {"content_delta": "text", "reasoning_delta": "reasoning", "refusal_delta": "refusal"}
_OPAQUE = ("signature", "encrypted_content", "redacted_data")


def of_events(events: Sequence[JsonObject]) -> Channels:
    """Return every channel of a sequence of events in their JSON form."""
    found: Channels = {
        "signatures": [],
        "kept": [],
        "citations": [],
        "images": [],
        "hosted_tools": [],
        "warnings": [],
        "usage": {},
        "response_id": None,
        "model": None,
        "status": None,
        "finish_reason": None,
        "raw_finish_reason": None,
        "error": None,
    }
    calls: dict[Any, JsonObject] = {}
    pieces: dict[str, list[str]] = {name: [] for name in _TEXTS.values()}
    for event in events:
        kind = event.get("type")
        match event:
            case {"type": str(), "delta": str() as delta} if kind in _TEXTS:
                pieces[_TEXTS[kind]].append(delta)
                _sign(found["signatures"], event)
            case {"type": "reasoning_signature"}:
                found["signatures"] += [v for k in _OPAQUE if (v := event.get(k)) is not None]
            case {"type": "send_back", "fields": Mapping() as fields}:
                found["kept"] += texts_in(dict(fields))
            case {"type": "citation"}:
                found["citations"].append(_plain(event))
            case {"type": "image"}:
                found["images"].append(_plain(event))
                _sign(found["signatures"], event)
            case {"type": "hosted_tool"}:
                found["hosted_tools"].append(event.get("kind"))
            case {"type": "warning"}:
                found["warnings"].append(event.get("code"))
            case {"type": "usage", "usage": Mapping() as usage}:
                found["usage"].update((k, v) for k, v in usage.items() if v is not None)
            case {"type": "message_start"}:
                found["response_id"] = event.get("response_id")
                found["model"] = event.get("model")
            case {"type": "message_stop"}:
                found["status"] = "completed"
                found["finish_reason"] = event.get("finish_reason")
                found["raw_finish_reason"] = event.get("raw_finish_reason")
            case {"type": "error", "error": Mapping() as error}:
                found["status"], found["error"] = "failed", error
            case {"type": "tool_call_start" | "tool_call_delta" | "tool_call_end"}:
                _add_call(calls, event)
    found |= {name: "".join(texts) for name, texts in pieces.items()}
    found["tool_calls"] = list(calls.values())
    return _whole_characters(found)


def _sign(signatures: list[Any], event: JsonObject) -> None:
    """Add the signature of a text or an image; each delta of a part repeats it."""
    signature = event.get("thought_signature")
    if signature is not None and signature not in signatures:
        signatures.append(signature)


def _add_call(calls: dict[Any, JsonObject], event: JsonObject) -> None:
    call = calls.setdefault(repr(event.get("tool_call_index")), {"pieces": ""})
    match event["type"]:
        case "tool_call_start":
            call["name"] = event.get("tool_name")
            if "tool_call_id" in event:
                call["id"] = event["tool_call_id"]
            call["id_synthesized"] = bool(event.get("id_synthesized"))
        case "tool_call_delta" if isinstance(event.get("arguments_delta"), str):
            call["pieces"] += event["arguments_delta"]
        case "tool_call_end":
            call["arguments"] = event.get("arguments")
            if "arguments_raw" in event:
                call["arguments_raw"] = event["arguments_raw"]
            call["thought_signature"] = event.get("thought_signature")


def of_turn(turn: JsonObject) -> Channels:
    """Return the channels that a turn states: a whole one with its views, or the given keys."""
    found: Channels = {}
    for key, channel in _OF_TURN.items():
        if key in turn:
            found[channel] = turn[key]
    if isinstance(calls := turn.get("tool_calls"), list | tuple):
        found["tool_calls"] = [dict(c) if isinstance(c, Mapping) else {} for c in calls]
    if isinstance(usage := turn.get("usage"), Mapping):
        found["usage"] = {k: v for k, v in usage.items() if v is not None}
    elif "usage" in turn:
        found["usage"] = {}
    if isinstance(cited := turn.get("citations"), list | tuple):
        found["citations"] = [_plain(c) if isinstance(c, Mapping) else c for c in cited]
    if isinstance(parts := turn.get("parts"), list | tuple):
        found |= _of_parts([p for p in parts if isinstance(p, Mapping)])
    if found.get("status") in ("completed", "incomplete"):
        # Cut by its own limit or not, the call itself succeeded.
        found["cut"] = found["status"] == "incomplete"
        found["status"] = "completed"
    return _whole_characters(found)


def _whole_characters(found: Channels) -> Channels:
    """Join the halves of characters that came in two pieces."""
    for name in ("text", "reasoning", "refusal"):
        if isinstance(text := found.get(name), str):
            found[name] = repaired(text)
    for call in found.get("tool_calls", ()):
        if isinstance(arguments := call.get("arguments"), dict):
            text = json.dumps(arguments, ensure_ascii=False)
            if (whole := repaired(text)) != text:
                call["arguments"] = json.loads(whole)
    return found


_OF_TURN = {
    "response_id": "response_id",
    "model": "model",
    "status": "status",
    "finish_reason": "finish_reason",
    "raw_finish_reason": "raw_finish_reason",
    "error": "error",
    "content": "text",
    "reasoning": "reasoning",
    "refusal": "refusal",
}


def _of_parts(parts: Sequence[Mapping[str, Any]]) -> Channels:
    opaque = (*_OPAQUE, "thought_signature")
    return {
        "text": _joined(p.get("text") for p in parts if p.get("type") == "text"),
        "reasoning": _joined(p.get("text") for p in parts if p.get("type") == "reasoning"),
        "refusal": _joined(p.get("refusal") for p in parts if p.get("type") == "refusal"),
        "signatures": [
            v
            for p in parts
            if p.get("type") in ("reasoning", "text", "image")
            for k in opaque
            if (v := p.get(k))
        ],
        "kept": [v for p in parts if p.get("type") == "send_back" for v in texts_in(p["fields"])],
        "tool_calls": [dict(p) for p in parts if p.get("type") == "tool_call"],
        "hosted_tools": [p.get("kind") for p in parts if p.get("type") == "hosted_tool"],
        "images": [_plain(p) for p in parts if p.get("type") == "image"],
    }


def _joined(texts: Iterable[Any]) -> str:
    return "".join(text for text in texts if isinstance(text, str))


def _plain(event: Mapping[str, Any]) -> JsonObject:
    left_out = ("type", "native", "index", "thought_signature")
    return {k: v for k, v in event.items() if k not in left_out and v is not None}
