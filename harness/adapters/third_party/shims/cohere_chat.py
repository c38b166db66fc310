"""The SDK of Cohere for Python: v2.chat and v2.chat_stream."""
# mypy: ignore-errors

import cohere
from cohere.core.api_error import ApiError
from tapecheck_client import serve


async def make(call):
    """Make the call as a user of the SDK does."""
    async with cohere.AsyncClientV2(
        call.api_key,
        base_url=call.base_url,
        timeout=call.timeout,
        max_retries=call.max_retries,
    ) as client:
        if not call.stream:
            yield await client.chat(**call.arguments)
            return
        async for event in client.chat_stream(**call.arguments):
            yield event


serve(
    make,
    name="cohere-python",
    version=f"cohere {cohere.__version__}",
    dialects=["cohere"],
    features=[
        *("streaming", "non_streaming", "tools", "reasoning", "citations"),
        *("retries", "multi_turn", "structured_output"),
    ],
    profile="framework",
    exposes=["response_id", "raw_finish_reason", "tool_deltas", "arguments_raw", "error_status"],
    failures=[ApiError],
)
