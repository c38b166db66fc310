"""The SDK of OpenAI for Python: chat.completions.create, whose chunks are handed on."""
# mypy: ignore-errors

import openai
from tapecheck_client import serve

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
        create = client.chat.completions.create
        if not call.stream:
            yield await create(**given)
            return
        options = {"include_usage": True}
        async with await create(**given, stream=True, stream_options=options) as chunks:
            async for chunk in chunks:
                yield chunk


serve(
    make,
    name="openai-python-chat",
    version=f"openai {openai.__version__}",
    dialects=["openai-chat"],
    features=[
        *("streaming", "non_streaming", "tools", "reasoning", "refusal", "retries", "multi_turn"),
        *("structured_output", "legacy_functions", "multiple_choices", "audio"),
    ],
    profile="accumulator",
    exposes=["tool_deltas", "arguments_raw", "error_code", "error_status", "request_id"],
    failures=[openai.OpenAIError],
)
