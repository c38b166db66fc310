"""The SDK of Anthropic for Python: messages.create, whose events are handed on."""
# mypy: ignore-errors

import anthropic
from tapecheck_client import serve


async def make(call):
    """Make the call as a user of the SDK does."""
    async with anthropic.AsyncAnthropic(
        base_url=call.base_url,
        api_key=call.api_key,
        timeout=call.timeout,
        max_retries=call.max_retries,
    ) as client:
        if not call.stream:
            yield await client.messages.create(**call.arguments)
            return
        async with await client.messages.create(**call.arguments, stream=True) as events:
            async for event in events:
                yield event


serve(
    make,
    name="anthropic-python",
    version=f"anthropic {anthropic.__version__}",
    dialects=["anthropic"],
    features=[
        *("streaming", "non_streaming", "tools", "reasoning", "citations", "refusal"),
        *("retries", "multi_turn", "hosted_tools"),
    ],
    profile="accumulator",
    exposes=["tool_deltas", "arguments_raw", "error_code", "error_status", "request_id"],
    failures=[anthropic.AnthropicError],
)
