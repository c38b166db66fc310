"""The request body of Chat Completions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from mockserver.vocabulary.fold import merged
from mockserver.vocabulary.model import Json, JsonObject


def request_body(
    *,
    model: str,
    messages: Iterable[JsonObject],
    tools: Sequence[JsonObject] = (),
    stream: bool,
    options: Mapping[str, Json] | None = None,
    return_reasoning: str | None = None,
) -> JsonObject:
    """Build the body. ``options`` are further fields by name; one that is ``None`` is left out.

    Without tools neither ``tools`` nor ``tool_choice`` is sent: servers refuse an empty list.
    A stream is requested with its usage. ``return_reasoning`` names the field in which
    reasoning is sent back, see :func:`outgoing_message`. Raises ``ValueError`` as that does.
    """
    body: JsonObject = {
        "model": model,
        "messages": [outgoing_message(m, return_reasoning) for m in messages],
        "tools": list(tools) or None,
        "tool_choice": "auto",
        "stream": stream,
        "stream_options": {"include_usage": True} if stream else None,
        **(options or {}),
    }
    if not body["tools"]:
        body["tool_choice"] = None
    return {name: value for name, value in body.items() if value is not None}


def outgoing_message(message: JsonObject, return_reasoning: str | None = None) -> JsonObject:
    """Make the message to send: without ``parts``, with what the provider wants back.

    Gemini requires the thought signature of every tool call
    (https://ai.google.dev/gemini-api/docs/thought-signatures), under the name by which it came;
    that of text goes back too. Images do not: most servers refuse them. Reasoning is sent back
    only if ``return_reasoning`` names its field, since servers disagree: DeepSeek's thinking mode
    refuses tool turns without ``reasoning_content`` even if it was empty (vercel/ai#13203), its
    older reasoner refuses them with it, Mistral refuses unknown fields. ``reasoning_details`` is
    OpenRouter's, ``thinking_blocks`` LiteLLM's. Raises ``ValueError`` for another name.
    """
    if return_reasoning is not None and return_reasoning not in _REASONING_FIELDS:
        known = ", ".join(_REASONING_FIELDS)
        raise ValueError(f"return_reasoning must be one of {known}, not {return_reasoning!r}")
    sent = {name: value for name, value in message.items() if name != "parts"}
    parts: list[JsonObject] = message.get("parts") or []
    signed = {
        part["id"]: fields
        for part in parts
        if part["type"] == "tool_call" and (fields := _fields_to_send_back(part))
    }
    if signed:
        sent["tool_calls"] = [
            merged(call, signed.get(call.get("id"), {})) for call in message["tool_calls"]
        ]
    for part in parts:
        if part["type"] == "send_back":
            sent = merged(sent, part["fields"])
    reasoning = [p for p in parts if p["type"] == "reasoning"]
    is_due = return_reasoning == "reasoning_content" and bool(sent.get("tool_calls"))
    if return_reasoning and (reasoning or is_due):
        sent[return_reasoning] = _REASONING_FIELDS[return_reasoning](reasoning)
    return sent


def _fields_to_send_back(call: JsonObject) -> Json:
    signature = call.get("thought_signature")
    google = {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}
    return call.get("send_back") or google


def _as_text(parts: list[JsonObject]) -> Json:
    return "".join(p["text"] for p in parts)


def _as_details(parts: list[JsonObject]) -> Json:
    details: list[JsonObject] = []
    for part in parts:
        if part["channel"] == "summary" and part["text"]:
            details.append({"type": "reasoning.summary", "summary": part["text"]})
        elif part["text"] or part.get("signature"):
            details.append(
                {
                    "type": "reasoning.text",
                    "text": part["text"],
                    "signature": part.get("signature"),
                }
            )
        if part.get("encrypted_content"):
            details.append({"type": "reasoning.encrypted", "data": part["encrypted_content"]})
    return details


def _as_blocks(parts: list[JsonObject]) -> Json:
    return [
        {"type": "redacted_thinking", "data": part["redacted_data"]}
        if part.get("redacted_data")
        else {"type": "thinking", "thinking": part["text"], "signature": part.get("signature", "")}
        for part in parts
    ]


_REASONING_FIELDS: Mapping[str, Callable[[list[JsonObject]], Json]] = {
    "reasoning_content": _as_text,
    "reasoning": _as_text,
    "reasoning_details": _as_details,
    "thinking_blocks": _as_blocks,
}
