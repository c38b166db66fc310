"""The client of Ollama for Python: chat."""
# mypy: ignore-errors

from importlib.metadata import version

import ollama
from tapecheck_client import serve


async def make(call):
    """Make the call as a user of the SDK does."""
    async with ollama.AsyncClient(
        host=call.base_url,
        headers={"Authorization": f"Bearer {call.api_key}"},
        timeout=call.timeout,
    ) as client:
        if not call.stream:
            yield await client.chat(**call.arguments)
            return
        async for part in await client.chat(**call.arguments, stream=True):
            yield part


serve(
    make,
    name="ollama-python",
    version=f"ollama {version('ollama')}",
    dialects=["ollama"],
    features=[
        *("streaming", "non_streaming", "tools", "reasoning", "multi_turn"),
        "structured_output",
    ],
    profile="framework",
    exposes=["model", "raw_finish_reason", "error_status"],
    failures=[ollama.ResponseError, ConnectionError],
)
