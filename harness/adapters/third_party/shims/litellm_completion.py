"""LiteLLM's acompletion, in the wire format of each provider."""
# mypy: ignore-errors

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # ask no other server for prices

from importlib.metadata import version

import litellm
import openai
from tapecheck_client import Native, NativeTurn, serve

#: The prefix of the model, and what follows the address, by dialect. Cohere is left out: LiteLLM
#: asks it for "application/json", to which Cohere streams JSON lines, which are not recorded.
ROUTES = {
    "openai-chat": ("openai/", ""),
    "anthropic": ("anthropic/", ""),
    "gemini": ("gemini/", "/v1beta"),
    "ollama": ("ollama_chat/", ""),
    "bedrock": ("bedrock/converse/", ""),
}


def history(message):
    """Return a message of the conversation, with what has to go back under LiteLLM's own names."""
    parts = message.get("parts", ())
    said = {name: value for name, value in message.items() if name != "parts"}
    for part in parts:
        said |= part["fields"] if part["type"] == "send_back" else {}
    kept = {p["id"]: p.get("send_back", {}) for p in parts if p["type"] == "tool_call"}
    if kept:
        said["tool_calls"] = [{**c, **kept.get(c["id"], {})} for c in said["tool_calls"]]
    thoughts = [thinking(p) for p in parts if p["type"] == "reasoning"]
    return {**said, "thinking_blocks": thoughts} if thoughts else said


def thinking(part):
    """Return a part of the reasoning in the form of Anthropic's blocks."""
    if data := part.get("redacted_data"):
        return {"type": "redacted_thinking", "data": data}
    return {"type": "thinking", "thinking": part["text"], "signature": part.get("signature", "")}


async def make(call):
    """Make the call as a user of LiteLLM does."""
    prefix, path = ROUTES[call.dialect]
    options = {"max_retries": 0} if not call.max_retries else {"num_retries": call.max_retries}
    if call.tools:  # also for models that LiteLLM does not know
        options |= {"tools": call.tools, "allowed_openai_params": ["tools", "tool_choice"]}
    if call.stream:
        options |= {"stream": True, "stream_options": {"include_usage": True}}
    answer = await litellm.acompletion(
        model=prefix + call.model, messages=[history(m) for m in call.messages],
        api_base=call.base_url + path, api_key=call.api_key, timeout=call.timeout,
        **options, **call.options,
    )  # fmt: skip
    if not call.stream:
        yield NativeTurn(answer, form="openai-chat")
        return
    try:
        async for chunk in answer:
            yield Native(chunk, form="openai-chat")
    finally:
        await answer.aclose()


serve(
    make,
    name="litellm",
    version="litellm " + version("litellm"),
    dialects=list(ROUTES),
    features=["streaming", "non_streaming", "tools", "reasoning", "retries", "multi_turn"],
    failures=[openai.OpenAIError],  # LiteLLM's exceptions derive from those of OpenAI's SDK
    # Ids and names of models are LiteLLM's own.
    exposes=["usage", "finish_reason", "error_message", "assembly"],
)
