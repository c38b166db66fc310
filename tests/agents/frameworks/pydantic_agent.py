"""pydantic-ai, with several providers; the output by a tool and by the provider's own form."""

from __future__ import annotations

import asyncio
import sys
from itertools import product

from common import QUESTION, Case, Weather, run
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

URL = sys.argv[1]


def openai() -> OpenAIProvider:
    return OpenAIProvider(base_url=f"{URL}/v1", api_key="sk-test")


MODELS = {
    "chat": lambda: OpenAIChatModel("gpt-4.1", provider=openai()),
    "responses": lambda: OpenAIResponsesModel("gpt-4.1", provider=openai()),
    "anthropic": lambda: AnthropicModel(
        "claude-sonnet-4-5", provider=AnthropicProvider(base_url=URL, api_key="sk-test")
    ),
    "gemini": lambda: GoogleModel(
        "gemini-2.5-flash", provider=GoogleProvider(base_url=URL, api_key="sk-test")
    ),
}
#: Reasoning whose proofs have to come back; the models of these are others.
THINKING = {
    "responses": (
        lambda: OpenAIResponsesModel("gpt-5", provider=openai()),
        {"openai_reasoning_effort": "low", "openai_reasoning_summary": "auto"},
    ),
    "anthropic": (
        MODELS["anthropic"],
        {"anthropic_thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4000},
    ),
    "gemini": (
        lambda: GoogleModel(
            "gemini-3-pro", provider=GoogleProvider(base_url=URL, api_key="sk-test")
        ),
        {"google_thinking_config": {"include_thoughts": True}},
    ),
}
OUTPUTS = {"": lambda: Weather, " native": lambda: NativeOutput(Weather)}


async def ask(
    case: Case, api: str, stream: bool, output: str | None, thinking: bool = False
) -> object:
    model, settings = THINKING[api] if thinking else (MODELS[api], None)
    form = str if output is None else OUTPUTS[output]()
    agent = Agent(model(), output_type=form, model_settings=settings)

    @agent.tool_plain
    def get_weather(city: str, unit: str = "C") -> str:
        """Return the weather of a city."""
        return case.called("get_weather", city=city, unit=unit)

    @agent.tool_plain
    def get_time(zone: str) -> str:
        """Return the time of a zone."""
        return case.called("get_time", zone=zone)

    if not stream:
        return (await agent.run(QUESTION)).output
    async with agent.run_stream(QUESTION) as result:
        return await result.get_output()


if __name__ == "__main__":
    for api, stream, output in product(MODELS, (False, True), (None, *OUTPUTS)):
        if output == " native" and api == "gemini":
            continue  # pydantic-ai offers no tools beside Gemini's own form.
        run(
            api + (output or ""),
            stream,
            output is not None,
            lambda case, a=api, s=stream, t=output: asyncio.run(ask(case, a, s, t)),
        )
    for api, stream in product(THINKING, (False, True)):
        run(
            f"{api} thinking",
            stream,
            False,
            lambda case, a=api, s=stream: asyncio.run(ask(case, a, s, None, thinking=True)),
        )
