"""The SDK of OpenAI for Python: chat.completions.stream, which assembles a completion."""
# mypy: ignore-errors

import openai
from tapecheck_client import Native, NativeTurn, serve

KNOWN = ("model", "messages", "tools")


async def make(call):
    """Make the call as a user of the SDK does."""
    given = {name: call.arguments[name] for name in KNOWN if name in call.arguments}
    # Fields of other servers than OpenAI's own are no parameters of the method.
    given["extra_body"] = {n: v for n, v in call.arguments.items() if n not in KNOWN}
    async with openai.AsyncOpenAI(
        base_url=call.base_url,
        api_key=call.api_key,
        timeout=call.timeout,
        max_retries=call.max_retries,
    ) as client:
        options = {"include_usage": True}
        async with client.chat.completions.stream(**given, stream_options=options) as stream:
            async for event in stream:
                if event.type == "chunk":
                    yield Native(event.chunk)
            yield NativeTurn(await stream.get_final_completion())


serve(
    make,
    name="openai-python-chat-helper",
    version=f"openai {openai.__version__}",
    dialects=["openai-chat"],
    features=["streaming", "tools", "reasoning", "refusal", "retries", "multi_turn"],
    profile="accumulator",
    exposes=["tool_deltas", "arguments_raw", "error_code", "error_status", "request_id"],
    failures=[openai.OpenAIError],
)
