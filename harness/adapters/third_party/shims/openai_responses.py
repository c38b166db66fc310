"""The SDK of OpenAI for Python: responses.create, whose events are handed on."""
# mypy: ignore-errors

import openai
from tapecheck_client import serve


async def make(call):
    """Make the call as a user of the SDK does."""
    async with openai.AsyncOpenAI(
        base_url=call.base_url,
        api_key=call.api_key,
        timeout=call.timeout,
        max_retries=call.max_retries,
    ) as client:
        if not call.stream:
            yield await client.responses.create(**call.arguments)
            return
        async with await client.responses.create(**call.arguments, stream=True) as events:
            async for event in events:
                yield event


serve(
    make,
    name="openai-python-responses",
    version=f"openai {openai.__version__}",
    dialects=["openai-responses"],
    features=[
        *("streaming", "non_streaming", "tools", "reasoning", "refusal", "citations"),
        *("retries", "multi_turn", "structured_output", "hosted_tools"),
    ],
    profile="accumulator",
    exposes=["tool_deltas", "arguments_raw", "error_code", "error_status", "request_id"],
    failures=[openai.OpenAIError],
)
