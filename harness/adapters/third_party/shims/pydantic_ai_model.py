"""The models of Pydantic AI, asked with its direct requests.

What it hands out is said in the words of Chat Completions.
"""
# mypy: ignore-errors

from importlib.metadata import version

from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.tools import ToolDefinition
from pydantic_ai_parts import ANSWERS, chunk, delta_of, history, said_by, whole
from tapecheck_client import NativeTurn, serve

MODELS = {
    "openai-chat": (OpenAIChatModel, OpenAIProvider),
    "openai-responses": (OpenAIResponsesModel, OpenAIProvider),
    "anthropic": (AnthropicModel, AnthropicProvider),
    "gemini": (GoogleModel, GoogleProvider),
}
#: Options that Pydantic AI has a setting for.
SETTINGS = ("max_tokens", "temperature", "top_p", "seed", "parallel_tool_calls")
NOTHING = {"type": "object", "properties": {}}


def tool(function):
    """Return a function as a tool."""
    return ToolDefinition(
        name=function["name"],
        description=function.get("description"),
        parameters_json_schema=function.get("parameters", NOTHING),
        strict=function.get("strict"),
    )


async def make(call):
    """Make the call as a user of the direct requests does."""
    model_class, provider_class = MODELS[call.dialect]
    options = dict(call.options)
    settings = {name: options.pop(name) for name in SETTINGS if name in options}
    settings |= {"timeout": call.timeout, "max_retries": call.max_retries}
    provider = provider_class(api_key=call.api_key, base_url=call.base_url)
    asked = {
        "model": model_class(call.model, provider=provider),
        "messages": history(call),
        "model_settings": {**settings, "extra_body": options} if options else settings,
        "model_request_parameters": ModelRequestParameters(
            function_tools=[tool(t["function"]) for t in call.tools if "function" in t]
        ),
    }
    if call.stream:
        calls, numbers = [], {}
        async with model_request_stream(**asked) as stream:
            async for event in stream:
                if event.event_kind == "part_start":
                    numbers[event.index] = len(calls)
                    yield chunk(delta=said_by([event.part], calls))
                elif event.event_kind == "part_delta":
                    yield chunk(delta=delta_of(event.delta, numbers[event.index]))
        response = stream.get()
        answer = whole(response)
        reason = answer["choices"][0]["finish_reason"]
        yield chunk(delta={}, finish_reason=reason, usage=answer["usage"])
    else:
        response = await model_request(**asked)
        answer = whole(response)
    yield NativeTurn(answer, form="openai-chat")
    ANSWERS[call.base_url].append(response)


serve(
    make,
    name="pydantic-ai",
    version="pydantic-ai " + version("pydantic-ai-slim"),
    dialects=list(MODELS),
    features=["streaming", "non_streaming", "tools", "reasoning", "retries", "multi_turn"],
    failures=[AgentRunError, UserError],
    exposes=["usage", "finish_reason", "error_message", "assembly"],
)
