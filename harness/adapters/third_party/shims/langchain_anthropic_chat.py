"""LangChain's ChatAnthropic."""
# mypy: ignore-errors

from importlib.metadata import version

import anthropic
import langchain_parts
from langchain_anthropic import ChatAnthropic
from langchain_core.exceptions import LangChainException
from tapecheck_client import serve


async def make(call):
    """Make the call as a user of the package does."""
    options = dict(call.options)
    bound = {k: options.pop(k) for k in ("tool_choice", "parallel_tool_calls") if k in options}
    known = {k: options.pop(k) for k in call.options if k in ChatAnthropic.model_fields}
    model = ChatAnthropic(
        model=call.model,
        base_url=call.base_url,
        api_key=call.api_key,
        timeout=call.timeout,
        max_retries=call.max_retries,
        model_kwargs=options,
        **known,
    )
    if functions := [tool for tool in call.tools if "function" in tool]:
        model = model.bind_tools(functions, **bound)
    async for item in langchain_parts.answer(call, model):
        yield item


serve(
    make,
    name="langchain-anthropic",
    version="langchain-anthropic " + version("langchain-anthropic"),
    dialects=["anthropic"],
    features=["streaming", "non_streaming", "tools", "reasoning", "retries", "multi_turn"],
    failures=[anthropic.AnthropicError, LangChainException],
    exposes=["usage", "finish_reason", "error_message", "assembly"],
)
