"""The SDK of Mistral for Python: chat.complete and chat.stream, whose chunks are handed on."""
# mypy: ignore-errors

from importlib.metadata import version
from inspect import signature

import httpx2
from mistralai.client import Mistral
from mistralai.client.errors import MistralError, NoResponseError
from tapecheck_client import serve


async def make(call):
    """Make the call as a user of the SDK does."""

    async def keep_address(request):
        # The SDK puts /v1 between the address and the path.
        if request.url.host == "localhost":
            request.url = httpx2.URL(call.base_url + request.url.path.removeprefix("/v1"))

    http = httpx2.AsyncClient(follow_redirects=True, event_hooks={"request": [keep_address]})
    async with (
        http,
        Mistral(
            server_url="http://localhost",
            api_key=call.api_key,
            async_client=http,
            timeout_ms=int(call.timeout * 1000),
        ) as client,
    ):
        # Fields of other servers than Mistral's own cannot be sent.
        known = signature(client.chat.stream_async).parameters
        given = {name: value for name, value in call.arguments.items() if name in known}
        if not call.stream:
            answer = await client.chat.complete_async(**given)
            yield answer.model_dump(mode="json", by_alias=True)
            return
        async with await client.chat.stream_async(**given) as events:
            async for event in events:
                yield event.data.model_dump(mode="json", by_alias=True)


serve(
    make,
    name="mistralai-python",
    version=f"mistralai {version('mistralai')}",
    dialects=["openai-chat"],
    features=["streaming", "non_streaming", "tools", "reasoning", "multi_turn"],
    profile="accumulator",
    exposes=["tool_deltas", "arguments_raw", "error_status"],
    # As its README says: its own, and that of its HTTP library for requests.
    failures=[MistralError, NoResponseError, httpx2.RequestError],
)
