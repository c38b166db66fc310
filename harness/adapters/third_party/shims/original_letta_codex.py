"""The client of Letta for the Codex backend of ChatGPT."""
# mypy: ignore-errors

import importlib.metadata
import time

from original_imports import without

without(
    *("aiohttp", "asyncpg", "demjson3", "docstring_parser", "mcp", "pathvalidate", "pytz"),
    *("opentelemetry.exporter", "opentelemetry.instrumentation"),
)

from letta.errors import LettaError  # noqa: E402
from letta.llm_api.chatgpt_oauth_client import ChatGPTOAuthClient  # noqa: E402
from letta.schemas.enums import AgentType  # noqa: E402
from letta.schemas.llm_config import LLMConfig  # noqa: E402
from letta.schemas.message import Message  # noqa: E402
from letta.schemas.providers.chatgpt_oauth import ChatGPTOAuthCredentials  # noqa: E402
from tapecheck_client import Native, NativeTurn, serve  # noqa: E402


class Client(ChatGPTOAuthClient):
    """The client with the credentials of a call, in place of those in Letta's database."""

    def __init__(self, call):
        super().__init__()
        stated = call.options.get("credentials") or {}
        self._credentials = ChatGPTOAuthCredentials(
            access_token=call.api_key,
            refresh_token=stated.get("refresh_token") or "none",
            account_id=stated.get("account_id") or "none",
            expires_at=stated.get("expires_at") or int(time.time()) + 3600,
        )

    async def _get_provider_and_credentials_async(self, _config):
        return None, self._credentials


async def make(call):
    """Make the call as Letta's agents do."""
    client = Client(call)
    config = LLMConfig(
        model=call.model,
        model_endpoint_type="chatgpt_oauth",
        model_endpoint=f"{call.base_url}/responses",
        provider_category="byok",
        provider_name="codex",
        context_window=100_000,
        reasoning_effort=call.options.get("reasoning_effort"),
    )
    tools = [tool["function"] for tool in call.tools if tool.get("type") == "function"]
    messages = [message_of(stated) for stated in call.messages]
    data = client.build_request_data(AgentType.letta_v1_agent, messages, config, tools)
    if not call.stream:
        yield NativeTurn(await client.request_async(data, config), "openai-chat")
        return
    async with await client.stream_async(data, config) as events:
        async for event in events:
            yield Native(event.model_dump(mode="json", warnings=False), "openai-responses")


def message_of(stated):
    """Return a neutral message as one of Letta's."""
    content = stated.get("content") or ""
    texts = content if isinstance(content, str) else "".join(p.get("text", "") for p in content)
    return Message.dict_to_message("agent-1", {**stated, "content": texts})


serve(
    make,
    name="original-chatgpt-oauth",
    version=f"letta {importlib.metadata.version('letta')}",
    dialects=["openai-responses", "codex"],
    # Those of the client that replaces it, as far as one can ask for them.
    features=[
        *("streaming", "non_streaming", "tools", "reasoning", "refusal", "citations"),
        *("hosted_tools", "multi_turn", "oauth"),
    ],
    failures=[LettaError],
)
