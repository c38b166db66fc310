"""The models of OpenAI's Agents SDK. What they hand out are events of the Responses API."""
# mypy: ignore-errors

from importlib.metadata import version

import openai
from agents import (
    AgentsException,
    FunctionTool,
    ModelSettings,
    ModelTracing,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
)
from tapecheck_client import Native, NativeTurn, serve

MODELS = {"openai-chat": OpenAIChatCompletionsModel, "openai-responses": OpenAIResponsesModel}


def items(messages):
    """Yield messages as items of the Responses API, which this SDK takes for every model."""
    for said in messages:
        if said["role"] == "tool":
            output = {"call_id": said["tool_call_id"], "output": said["content"]}
            yield {"type": "function_call_output", **output}
            continue
        if said.get("content"):
            yield {"role": said["role"], "content": said["content"]}
        for call in said.get("tool_calls", ()):
            yield {"type": "function_call", "call_id": call["id"], **call["function"]}


def tool(function):
    """Return a function as a tool; nobody calls it here."""
    schema = function.get("parameters", {"type": "object", "properties": {}})
    return FunctionTool(
        name=function["name"], description=function.get("description", ""),
        params_json_schema=schema, on_invoke_tool=None, strict_json_schema=False,
    )  # fmt: skip


async def make(call):
    """Make the call as a model of the SDK does."""
    given = call.arguments["input"] if call.dialect == "openai-responses" else items(call.messages)
    async with openai.AsyncOpenAI(
        base_url=call.base_url, api_key=call.api_key, timeout=call.timeout,
        max_retries=call.max_retries,
    ) as client:  # fmt: skip
        model = MODELS[call.dialect](call.model, client)
        asked = {
            "system_instructions": None,
            "input": list(given),
            "model_settings": ModelSettings(include_usage=True, extra_args=call.options),
            "tools": [tool(t["function"]) for t in call.tools if "function" in t],
            "output_schema": None,
            "handoffs": [],
            "tracing": ModelTracing.DISABLED,
            "previous_response_id": None,
            "conversation_id": None,
            "prompt": None,
        }
        if call.stream:
            async for event in model.stream_response(**asked):
                yield Native(event, form="openai-responses")
        else:
            whole = await model.get_response(**asked)
            answer = {"id": whole.response_id, "output": whole.output, "usage": whole.usage}
            yield NativeTurn(answer, form="openai-responses")


serve(
    make,
    name="openai-agents",
    version="openai-agents " + version("openai-agents"),
    dialects=list(MODELS),
    features=["streaming", "non_streaming", "tools", "refusal", "retries", "multi_turn"],
    failures=[AgentsException, openai.OpenAIError],
    # Neither says why the model stopped.
    exposes=["usage", "error_message", "assembly"],
)
