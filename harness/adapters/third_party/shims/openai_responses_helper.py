"""The SDK of OpenAI for Python: responses.stream, which assembles a response."""
# mypy: ignore-errors

import openai
from tapecheck_client import Native, NativeTurn, serve


async def make(call):
    """Make the call as a user of the SDK does."""
    async with (
        openai.AsyncOpenAI(
            base_url=call.base_url,
            api_key=call.api_key,
            timeout=call.timeout,
            max_retries=call.max_retries,
        ) as client,
        client.responses.stream(**call.arguments) as stream,
    ):
        async for event in stream:
            yield Native(event)
        yield NativeTurn(await stream.get_final_response())


serve(
    make,
    name="openai-python-responses-helper",
    version=f"openai {openai.__version__}",
    dialects=["openai-responses"],
    features=[
        *("streaming", "tools", "reasoning", "refusal", "citations"),
        *("retries", "multi_turn", "hosted_tools"),
    ],
    profile="accumulator",
    exposes=["tool_deltas", "arguments_raw", "error_code", "error_status", "request_id"],
    failures=[openai.OpenAIError],
)
