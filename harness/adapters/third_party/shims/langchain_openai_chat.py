"""LangChain's ChatOpenAI, with both APIs of OpenAI."""
# mypy: ignore-errors

from importlib.metadata import version

import langchain_parts
import openai
from langchain_core.exceptions import LangChainException
from langchain_openai import ChatOpenAI
from tapecheck_client import serve


async def make(call):
    """Make the call as a user of the package does."""
    model = ChatOpenAI(
        model=call.model,
        base_url=call.base_url,
        api_key=call.api_key,
        timeout=call.timeout,
        max_retries=call.max_retries,
        stream_usage=call.dialect == "openai-chat",
        use_responses_api=call.dialect == "openai-responses",
        extra_body=call.options or None,
    )
    if functions := [tool for tool in call.tools if "function" in tool]:
        model = model.bind_tools(functions)
    async for item in langchain_parts.answer(call, model):
        yield item


serve(
    make,
    name="langchain-openai",
    version="langchain-openai " + version("langchain-openai"),
    dialects=["openai-chat", "openai-responses"],
    features=["streaming", "non_streaming", "tools", "refusal", "retries", "multi_turn"],
    failures=[openai.OpenAIError, LangChainException],
    exposes=["usage", "finish_reason", "error_message", "assembly"],
)
