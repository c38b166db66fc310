"""LangChain's messages, for the shims of its packages, in the words of Chat Completions."""
# mypy: ignore-errors

import json
from collections import defaultdict
from contextlib import aclosing

from langchain_core.messages import message_chunk_to_message
from tapecheck_client import Native, NativeTurn

#: The answers so far, by conversation: each has an address of its own.
ANSWERS = defaultdict(list)
#: Why the model stopped: LangChain has the providers' own words.
REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


def history(call):
    """Return the conversation; answers are in it as LangChain gave them."""
    given = iter(ANSWERS[call.base_url])
    return [next(given) if "parts" in said else said for said in call.messages]


def said_by(message):
    """Return what a message or a chunk of one says."""
    said = {"content": str(message.text), "thinking_blocks": [], "tool_calls": calls_of(message)}
    said["refusal"] = message.additional_kwargs.get("refusal") or ""
    for block in message.content_blocks:
        other = block.get("value", {})
        if block["type"] == "reasoning":
            proof = block.get("extras", {}).get("signature")
            said["thinking_blocks"].append({"thinking": block.get("reasoning"), "signature": proof})
        elif other.get("type") == "redacted_thinking":
            said["thinking_blocks"].append({"data": other.get("data")})
    for block in message.content:
        if isinstance(block, dict) and block.get("type") == "refusal":
            said["refusal"] += block["refusal"]
    return said


def calls_of(message):
    """Return the tool calls, those with arguments that LangChain cannot parse included."""
    calls = getattr(message, "tool_call_chunks", None)
    calls = [*message.tool_calls, *message.invalid_tool_calls] if calls is None else calls
    said = []
    for call in calls:
        args = call["args"]
        text = json.dumps(args) if isinstance(args, dict) else args
        function = {"name": call["name"], "arguments": text or ""}
        index = {"index": call["index"]} if call.get("index") is not None else {}
        said.append({**index, "id": call["id"], "function": function})
    return said


def reason_of(message):
    """Return why the model stopped, as far as the message says it."""
    about = message.response_metadata
    cut = (about.get("incomplete_details") or {}).get("reason")
    word = cut or about.get("finish_reason") or about.get("stop_reason") or about.get("status")
    return {**REASONS, "completed": "stop"}.get(word, word)


def counts_of(message):
    """Return the usage."""
    if not (counts := message.usage_metadata):
        return None
    return {
        "prompt_tokens": counts["input_tokens"],
        "completion_tokens": counts["output_tokens"],
        "total_tokens": counts["total_tokens"],
    }


async def answer(call, model):
    """Yield what a chat model answers."""
    if call.stream:
        whole = None
        async with aclosing(model.astream(history(call))) as chunks:
            async for chunk in chunks:
                whole = chunk if whole is None else whole + chunk
                choice = {"index": 0, "delta": said_by(chunk)}
                yield Native({"choices": [choice]}, form="openai-chat")
        message = message_chunk_to_message(whole)
        last = {"index": 0, "delta": {}, "finish_reason": reason_of(message)}
        yield Native({"choices": [last], "usage": counts_of(message)}, form="openai-chat")
    else:
        message = await model.ainvoke(history(call))
    ANSWERS[call.base_url].append(message)
    choice = {"index": 0, "message": said_by(message), "finish_reason": reason_of(message)}
    yield NativeTurn({"choices": [choice], "usage": counts_of(message)}, form="openai-chat")
