"""The SDK of Google for Python: models.generate_content, and its stream."""
# mypy: ignore-errors

from google import genai
from google.genai import errors
from tapecheck_client import serve


async def make(call):
    """Make the call as a user of the SDK does."""
    client = genai.Client(
        api_key=call.api_key,
        http_options={
            "base_url": call.base_url,
            "api_version": "v1beta",
            "timeout": int(call.timeout * 1000),
            "retry_options": {"attempts": call.max_retries + 1},
        },
    )
    async with client.aio as aio:
        if not call.stream:
            yield await aio.models.generate_content(**call.arguments)
            return
        async for chunk in await aio.models.generate_content_stream(**call.arguments):
            yield chunk


serve(
    make,
    name="google-genai-python",
    version=f"google-genai {genai.__version__}",
    dialects=["gemini"],
    features=[
        *("streaming", "non_streaming", "tools", "reasoning", "citations"),
        *("retries", "multi_turn", "structured_output", "hosted_tools"),
    ],
    profile="accumulator",
    exposes=["images", "error_code", "error_status"],
    failures=[errors.APIError, errors.UnknownApiResponseError],
)
