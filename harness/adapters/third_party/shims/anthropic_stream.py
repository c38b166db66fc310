"""The SDK of Anthropic for Python: messages.stream, which assembles a message."""
# mypy: ignore-errors

import anthropic
from tapecheck_client import Native, NativeTurn, serve


async def make(call):
    """Make the call as a user of the SDK does."""
    async with (
        anthropic.AsyncAnthropic(
            base_url=call.base_url,
            api_key=call.api_key,
            timeout=call.timeout,
            max_retries=call.max_retries,
        ) as client,
        client.messages.stream(**call.arguments) as stream,
    ):
        async for event in stream:
            yield Native(event)
        yield NativeTurn(await stream.get_final_message())


serve(
    make,
    name="anthropic-python-helper",
    version=f"anthropic {anthropic.__version__}",
    dialects=["anthropic"],
    features=[
        *("streaming", "tools", "reasoning", "citations", "refusal"),
        *("retries", "multi_turn", "hosted_tools"),
    ],
    profile="accumulator",
    exposes=["tool_deltas", "arguments_raw", "error_code", "error_status", "request_id"],
    failures=[anthropic.AnthropicError],
)
