"""``create_agent`` of langchain, with several providers."""

from __future__ import annotations

import sys
from itertools import product

from common import QUESTION, Case, Weather, run
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI

URL = sys.argv[1]
OPENAI = {"base_url": f"{URL}/v1", "api_key": "sk-test", "model": "gpt-4.1", "max_retries": 0}
MODELS = {
    "chat": lambda: ChatOpenAI(**OPENAI),
    "responses": lambda: ChatOpenAI(**OPENAI, use_responses_api=True),
    "anthropic": lambda: ChatAnthropic(
        base_url=URL, api_key="sk-test", model="claude-sonnet-4-5", max_retries=0
    ),
    "gemini": lambda: ChatGoogleGenerativeAI(
        base_url=URL, api_key="sk-test", model="gemini-2.5-flash", max_retries=1
    ),
}
STRATEGIES = {"": ToolStrategy, " native": ProviderStrategy}


def ask(case: Case, api: str, stream: bool, strategy: str | None) -> object:
    @tool
    def get_weather(city: str, unit: str = "C") -> str:
        """Return the weather of a city."""
        return case.called("get_weather", city=city, unit=unit)

    @tool
    def get_time(zone: str) -> str:
        """Return the time of a zone."""
        return case.called("get_time", zone=zone)

    form = None if strategy is None else STRATEGIES[strategy](Weather)
    agent = create_agent(MODELS[api](), [get_weather, get_time], response_format=form)
    asked = {"messages": [{"role": "user", "content": QUESTION}]}
    if stream:
        state: dict = {}
        for mode, value in agent.stream(asked, stream_mode=["values", "messages"]):
            state = value if mode == "values" else state
    else:
        state = agent.invoke(asked)
    return state["messages"][-1].text if form is None else state["structured_response"]


if __name__ == "__main__":
    for api, stream, strategy in product(MODELS, (False, True), (None, *STRATEGIES)):
        run(
            api + (strategy or ""),
            stream,
            strategy is not None,
            lambda case, a=api, s=stream, t=strategy: ask(case, a, s, t),
        )
