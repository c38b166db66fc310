"""Messages of Pydantic AI from a call, and its answers in the words of Chat Completions."""
# mypy: ignore-errors

import json
from collections import defaultdict

from pydantic_ai import messages as m
from tapecheck_client import Native

#: The answers so far, by conversation: each has an address of its own.
ANSWERS = defaultdict(list)


def history(call):
    """Return the conversation; answers are in it as Pydantic AI gave them."""
    asked, names, given = [], {}, iter(ANSWERS[call.base_url])
    for said in call.messages:
        names |= {each["id"]: each["function"]["name"] for each in said.get("tool_calls", ())}
        if said["role"] == "assistant":
            asked.append(next(given) if "parts" in said else m.ModelResponse(answered(said)))
            continue
        if not asked or not isinstance(asked[-1], m.ModelRequest):
            asked.append(m.ModelRequest([]))
        text, call_id = said["content"], said.get("tool_call_id")
        if said["role"] == "tool":
            asked[-1].parts.append(m.ToolReturnPart(names[call_id], text, call_id))
        elif said["role"] == "user":
            asked[-1].parts.append(m.UserPromptPart(content(text)))
        else:
            asked[-1].parts.append(m.SystemPromptPart(text))
    return asked


def content(said):
    """Return what a user says."""
    if isinstance(said, str):
        return said
    return [p["text"] if "text" in p else image(p["image_url"]["url"]) for p in said]


def image(url):
    """Return an image by its address, or by what a data: URL has."""
    is_data = url.startswith("data:")
    return m.BinaryContent.from_data_uri(url) if is_data else m.ImageUrl(url)


def answered(said):
    """Return the parts of an answer that was given elsewhere."""
    text = [m.TextPart(said["content"])] if said.get("content") else []
    calls = [(c["id"], c["function"]) for c in said.get("tool_calls", ())]
    return text + [m.ToolCallPart(f["name"], f["arguments"], number) for number, f in calls]


def said_by(parts, calls):
    """Return what parts say as a message; ``calls`` are the numbers of the calls."""
    said = {"content": "", "thinking_blocks": [], "tool_calls": []}
    for part in parts:
        signed = (getattr(part, "provider_details", None) or {}).get("thought_signature")
        if signed and part.part_kind in ("text", "file"):
            said["thought_signature"] = signed
        if part.part_kind == "text":
            said["content"] += part.content
        elif part.part_kind == "thinking":
            proof = "data" if part.id == "redacted_thinking" else "signature"
            said["thinking_blocks"].append({"thinking": part.content, proof: part.signature})
        elif part.part_kind == "tool-call":
            args = json.dumps(part.args) if isinstance(part.args, dict) and part.args else part.args
            function = {"name": part.tool_name, "arguments": args or ""}
            call = {"index": len(calls), "id": part.tool_call_id, "function": function}
            call |= {"extra_content": {"google": {"thought_signature": signed}}} if signed else {}
            said["tool_calls"].append({"type": "function", **call})
            calls.append(part.tool_call_id)
    return said


def delta_of(delta, number):
    """Return what one delta says."""
    if delta.part_delta_kind == "tool_call":
        function = {"arguments": delta.args_delta or ""}
        return {"tool_calls": [{"index": number, "function": function}]}
    if delta.part_delta_kind == "thinking":
        block = {"thinking": delta.content_delta, "signature": delta.signature_delta}
        return {"thinking_blocks": [block]}
    details = delta.provider_details
    signed = details.get("thought_signature") if isinstance(details, dict) else None
    said = {"content": delta.content_delta or ""}
    return {**said, "thought_signature": signed} if signed else said


def chunk(usage=None, **choice):
    """Return a chunk of Chat Completions."""
    said = {"choices": [{"index": 0, **choice}], "usage": usage}
    return Native(said, form="openai-chat")


def whole(response):
    """Return a whole answer."""
    counts, why = response.usage, response.finish_reason
    usage = {
        "prompt_tokens": counts.input_tokens,
        "completion_tokens": counts.output_tokens,
        "total_tokens": counts.total_tokens,
    }
    reason = "tool_calls" if why == "tool_call" else why
    choice = {"index": 0, "message": said_by(response.parts, []), "finish_reason": reason}
    return {"choices": [choice], "usage": usage if counts.has_values() else None}
