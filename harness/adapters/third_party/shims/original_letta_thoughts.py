"""Letta's reader of Chat Completions streams in which the model thinks inside tool arguments."""
# mypy: ignore-errors

import importlib.metadata
import json
import sys

from original_imports import without

without(
    *("aiohttp", "asyncpg", "composio", "demjson3", "jinja2", "mcp", "numpy", "pathvalidate"),
    *("pytz", "rich", "sqlite_vec", "yaml"),
    *("opentelemetry.exporter", "opentelemetry.instrumentation"),
)

import openai  # noqa: E402
from letta.interfaces.openai_streaming_interface import OpenAIStreamingInterface  # noqa: E402
from letta.streaming_utils import JSONInnerThoughtsExtractor  # noqa: E402
from tapecheck_client import Event, serve  # noqa: E402

OURS = {"inner_thoughts_key", "assistant_message_tool", "assistant_message_key"}
OURS |= {"hidden_reasoning", "estimate_usage", "tokenizer"}
#: Whether it counts tokens, as it does for servers other than OpenAI's.
ESTIMATES = "estimates" in sys.argv[1:]


async def make(call):
    """Stream one call; the final call, thoughts and counts come from the getters."""
    key = call.options.get("inner_thoughts_key")
    reader = OpenAIStreamingInterface(
        use_assistant_message="assistant_message_tool" in call.options,
        is_openai_proxy=ESTIMATES,
        messages=call.messages,
        tools=call.tools,
        put_inner_thoughts_in_kwarg=key is not None,
    )
    if key is not None:
        reader.function_args_reader = JSONInnerThoughtsExtractor(key, wait_for_first_key=True)
    if tool := call.options.get("assistant_message_tool"):
        reader.assistant_message_tool_name = tool
    arguments = {name: value for name, value in call.arguments.items() if name not in OURS}
    async with openai.AsyncOpenAI(
        base_url=call.base_url,
        api_key=call.api_key,
        timeout=call.timeout,
        max_retries=call.max_retries,
    ) as client:
        chunks = await client.chat.completions.create(**arguments, stream=True)
        pieces, said = [], set()
        async for message in reader.process(chunks):
            for one in events_of(message, reader, said):
                pieces.append(one.data.get("arguments_delta", ""))
                yield one
    reader.get_reasoning_content()
    if reader.function_name_buffer or reader.last_flushed_function_name:
        reader.get_tool_call_object()
    if "start" not in said:
        yield start(reader)
    if reader.input_tokens or reader.output_tokens or reader.is_openai_proxy:
        into = reader.input_tokens or reader.fallback_input_tokens
        out = reader.output_tokens or reader.fallback_output_tokens
        counts = {"input_tokens": into, "output_tokens": out, "total_tokens": into + out}
        yield event("usage", usage=counts)
    if "call" in said:
        yield ending(0, "".join(pieces) or "{}")
    yield event("message_stop", finish_reason="tool_calls" if "call" in said else "stop")


def events_of(message, reader, said):
    """Yield the normalized events of a message of Letta; ``said`` is what has begun."""
    if "start" not in said:
        said.add("start")
        yield start(reader)
    match message.message_type:
        case "reasoning_message":
            yield event("reasoning_delta", delta=message.reasoning, channel="inner_thoughts")
        case "assistant_message":
            yield event("content_delta", delta=message.content)
        case "tool_call_message":
            call, here = message.tool_call, {"tool_call_index": 0}
            if "call" not in said:
                said.add("call")
                names = {"tool_call_id": call.tool_call_id, "tool_name": call.name}
                yield event("tool_call_start", **here, **names)
            if call.arguments:
                yield event("tool_call_delta", **here, arguments_delta=call.arguments)


def start(reader):
    """Return the beginning of the answer."""
    return event("message_start", response_id=reader.message_id, model=reader.model)


def ending(index, raw):
    """Return the end of the call whose arguments were streamed as ``raw``, or the error in them."""
    try:
        parsed = json.loads(raw)
    except ValueError as exc:
        parsed = exc
    if isinstance(parsed, dict):
        return event("tool_call_end", tool_call_index=index, arguments=parsed, arguments_raw=raw)
    about = {"class": "invalid_tool_arguments", "message": f"not an object: {parsed}"}
    return event("error", error=about)


def event(kind, **fields):
    """Return a normalized event, without the fields of which nothing is known."""
    return Event({"type": kind, **{n: v for n, v in fields.items() if v is not None}})


serve(
    make,
    name="original-inner-thoughts",
    version=f"letta {importlib.metadata.version('letta')}",
    dialects=["openai-chat"],
    # Those of the client that replaces it, as far as they are about streams.
    features=[
        *("streaming", "tools", "reasoning", "refusal", "multi_turn"),
        *("inner_thoughts", "assistant_message_tool", "usage_estimate"),
    ],
    failures=[openai.OpenAIError],
)
