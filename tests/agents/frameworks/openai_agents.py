"""The OpenAI Agents SDK, with Chat Completions and with Responses."""

from __future__ import annotations

import asyncio
import sys
from itertools import product

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from common import QUESTION, Case, Weather, run
from openai import AsyncOpenAI

MODELS = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}


async def ask(case: Case, api: str, stream: bool, typed: bool, team: bool) -> object:
    @function_tool
    def get_weather(city: str, unit: str = "C") -> str:
        """Return the weather of a city."""
        return case.called("get_weather", city=city, unit=unit)

    @function_tool
    def get_time(zone: str) -> str:
        """Return the time of a zone."""
        return case.called("get_time", zone=zone)

    client = AsyncOpenAI(base_url=f"{sys.argv[1]}/v1", api_key="sk-test", max_retries=0)
    model = MODELS[api](model="gpt-4.1", openai_client=client)
    form = Weather if typed else None
    if not team:
        agent = Agent(name="a", model=model, tools=[get_weather, get_time], output_type=form)
    else:
        # The one that is asked has one tool and hands over to the other.
        other = Agent(name="b", model=model, tools=[get_time], output_type=form)
        agent = Agent(
            name="a", model=model, tools=[get_weather], handoffs=[other], output_type=form
        )
    if not stream:
        return (await Runner.run(agent, QUESTION, max_turns=6)).final_output
    result = Runner.run_streamed(agent, QUESTION, max_turns=6)
    async for _ in result.stream_events():
        pass
    return result.final_output


if __name__ == "__main__":
    set_tracing_disabled(True)
    both = (False, True)
    for api, stream, typed, team in product(MODELS, both, both, both):
        run(
            f"{api} handoff" if team else api,
            stream,
            typed,
            lambda case, a=api, s=stream, t=typed, h=team: asyncio.run(ask(case, a, s, t, h)),
        )
