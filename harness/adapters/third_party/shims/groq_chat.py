"""The SDK of Groq for Python: chat.completions.create, whose chunks are handed on."""
# mypy: ignore-errors

import groq
import httpx
from tapecheck_client import serve

KNOWN = ("model", "messages", "tools")


async def make(call):
    """Make the call as a user of the SDK does."""
    given = {name: call.arguments[name] for name in KNOWN if name in call.arguments}
    # Fields of other servers than Groq's own are no parameters of the method.
    given["extra_body"] = {n: v for n, v in call.arguments.items() if n not in KNOWN}

    async def keep_address(request):
        # The SDK puts /openai/v1 between the address and the path.
        if request.url.host == "localhost":
            request.url = httpx.URL(call.base_url + request.url.path.removeprefix("/openai/v1"))

    async with groq.AsyncGroq(
        base_url="http://localhost",
        api_key=call.api_key,
        timeout=call.timeout,
        max_retries=call.max_retries,
        http_client=groq.DefaultAsyncHttpxClient(event_hooks={"request": [keep_address]}),
    ) as client:
        if not call.stream:
            yield await client.chat.completions.create(**given)
            return
        async with await client.chat.completions.create(**given, stream=True) as chunks:
            async for chunk in chunks:
                yield chunk


serve(
    make,
    name="groq-python",
    version=f"groq {groq.__version__}",
    dialects=["openai-chat"],
    features=[
        *("streaming", "non_streaming", "tools", "reasoning", "retries", "multi_turn"),
        *("structured_output", "legacy_functions"),
    ],
    profile="accumulator",
    exposes=["tool_deltas", "arguments_raw", "error_code", "error_status"],
    failures=[groq.GroqError],
)
