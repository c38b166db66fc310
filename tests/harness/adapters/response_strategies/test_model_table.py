from typing import get_args

import pytest
from openai.types.shared.chat_model import ChatModel
from openai.types.shared.responses_model import ResponsesModel

from harness.adapters.response_strategies.model_table import Route, Strategy, route

BACKGROUND, RESPONSES, CHAT = Strategy.BACKGROUND, Strategy.RESPONSES, Strategy.CHAT

CHAT_ONLY = {
    name
    for name in get_args(ChatModel)
    if name.startswith("gpt-3.5-") or "-audio" in name or "-search-" in name
}
RESPONSES_ONLY = set(get_args(get_args(ResponsesModel)[-1]))


@pytest.mark.parametrize(
    ("model", "strategy", "sent"),
    [
        # The prefix asks for a job, and is no part of the name.
        ("openai/gpt-5.2", BACKGROUND, "gpt-5.2"),
        ("azure/gpt-5.2", BACKGROUND, "gpt-5.2"),
        ("OpenAI/GPT-5.2", BACKGROUND, "GPT-5.2"),
        ("openai/o1", BACKGROUND, "o1"),
        ("openai/o3-deep-research", BACKGROUND, "o3-deep-research"),
        ("azure/computer-use-preview", BACKGROUND, "computer-use-preview"),
        ("openai/codex-mini-latest", BACKGROUND, "codex-mini-latest"),
        ("openai/ft:gpt-4o-mini-2024-07-18:acme::id", BACKGROUND, None),
        # Bare names are asked directly.
        ("gpt-4", RESPONSES, "gpt-4"),
        ("gpt-4-0613", RESPONSES, None),
        ("gpt-4-32k", RESPONSES, None),
        ("gpt-4o", RESPONSES, None),
        ("gpt-4o-mini-2024-07-18", RESPONSES, None),
        ("gpt-4.1-nano", RESPONSES, None),
        ("gpt4o", RESPONSES, None),
        ("gpt-10", RESPONSES, "gpt-10"),
        ("gpt-12.5-mini", RESPONSES, None),
        ("chatgpt-4o-latest", RESPONSES, None),
        ("gpt-5-codex", RESPONSES, None),
        ("gpt-5.1-codex-max", RESPONSES, None),
        ("o1", RESPONSES, None),
        ("o3-mini", RESPONSES, None),
        ("o4-mini-2025-04-16", RESPONSES, None),
        ("computer-use-preview-2025-03-11", RESPONSES, None),
        ("ft:gpt-4.1-2025-04-14:acme:tone:id", RESPONSES, None),
        # Version 3.5, in OpenAI's spelling, in Azure's, and as deployments are named.
        ("gpt-3.5-turbo", CHAT, None),
        ("gpt-35-turbo", CHAT, None),
        ("gpt-35-turbo-16k", CHAT, None),
        ("gpt35-turbo", CHAT, None),
        ("azure/gpt-35-turbo", CHAT, "gpt-35-turbo"),
        ("openai/gpt-3.5-turbo-0125", CHAT, "gpt-3.5-turbo-0125"),
        ("ft:gpt-3.5-turbo-0125:acme::id", CHAT, None),
        # Only Chat Completions matches sound, and search without a tool.
        ("gpt-4o-audio-preview", CHAT, None),
        ("gpt-audio", CHAT, None),
        ("openai/gpt-4o-mini-search-preview-2025-03-11", CHAT, None),
        # Published by OpenAI, served by others, who know it by the whole name.
        ("openai/gpt-oss-20b", BACKGROUND, "openai/gpt-oss-20b"),
        ("OpenAI/gpt-oss-safeguard-20b", BACKGROUND, "OpenAI/gpt-oss-safeguard-20b"),
        ("azure/gpt-oss-120b", BACKGROUND, "gpt-oss-120b"),
        ("gpt-oss-120b", RESPONSES, "gpt-oss-120b"),
        ("groq/openai/gpt-oss-20b", CHAT, "groq/openai/gpt-oss-20b"),
        ("gpt-oss:20b", CHAT, "gpt-oss:20b"),
        # A deployment on Azure whose name has no model.
        ("azure/marketing", CHAT, "marketing"),
        # Others, among them names that contain a known one.
        ("openrouter/openai/gpt-5", CHAT, "openrouter/openai/gpt-5"),
        ("anthropic/claude-sonnet-4-5", CHAT, "anthropic/claude-sonnet-4-5"),
        ("gemini/gemini-2.5-pro", CHAT, "gemini/gemini-2.5-pro"),
        ("mistral/codestral-latest", CHAT, "mistral/codestral-latest"),
        ("deepseek-chat", CHAT, None),
        ("proto1", CHAT, None),
        ("gpt-4o1x", CHAT, None),
        ("gpt-45", CHAT, None),
        ("gpt-3", CHAT, None),
        ("o10-mini", CHAT, None),
        ("my-gpt-5", CHAT, None),
        ("acme/gpt-5", CHAT, "acme/gpt-5"),
        ("gpt-5/openai", CHAT, "gpt-5/openai"),
        ("openai", CHAT, "openai"),
        ("codex", CHAT, None),
        ("openai/", CHAT, "openai/"),
        ("", CHAT, ""),
    ],
)
def test_route(model, strategy, sent):
    if sent is None:
        sent = model.removeprefix("openai/")
    assert route(model) == Route(strategy, sent)


@pytest.mark.parametrize("model", sorted(get_args(ChatModel)))
def test_every_model_of_the_official_list(model):
    assert route(model).strategy is (CHAT if model in CHAT_ONLY else RESPONSES)
    assert route(f"openai/{model}").strategy is (CHAT if model in CHAT_ONLY else BACKGROUND)


@pytest.mark.parametrize("model", sorted(RESPONSES_ONLY))
def test_every_model_that_only_the_responses_api_has(model):
    assert route(model) == Route(RESPONSES, model)
    assert route(f"azure/{model}") == Route(BACKGROUND, model)


def test_only_jobs_can_be_resumed():
    assert [strategy for strategy in Strategy if strategy.can_resume] == [BACKGROUND]
