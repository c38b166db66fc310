"""Names that other projects import go on working, wherever the code behind them moved."""

from __future__ import annotations

from importlib import import_module

import pytest

NAMES = {
    "harness": ("AssistantTurn", "Call", "ClientError", "ErrorInfo", "Event", "adapter"),
    "harness.model": (
        *("AssistantTurn", "ContentDelta", "ErrorClass", "ErrorEvent", "ErrorInfo", "Event"),
        *("FinishReason", "MessageStart", "MessageStop", "Status", "TextPart", "ToolCallPart"),
        *("ToolCallDelta", "ToolCallEnd", "ToolCallStart", "Usage", "UsageEvent", "WarningEvent"),
    ),
    "harness.codec": ("event_from_json", "to_json", "turn_from_json"),
    "harness.fold": ("fold",),
    "harness.checks": ("CHECKS", "judge"),
    "harness.adapters.openai_compat": ("OpenAICompatClient", "openai_compat"),
    "harness.adapters.chatgpt_oauth": ("ChatGPTOAuthClient", "chatgpt_oauth"),
    "harness.adapters.inner_thoughts": ("InnerThoughtsClient", "inner_thoughts"),
    "harness.adapters.response_strategies": ("StrategyClient", "response_strategies"),
    "harness.adapters.chatcmpl_to_responses": (
        "ChatcmplToResponses",
        "ChatcmplToResponsesClient",
        "chatcmpl_to_responses",
    ),
    "mockserver": (
        *("Cassette", "CassetteError", "Exchange", "JournalEntry", "Limits", "MockServer"),
        *("MockServerError", "Outcome", "Part", "ServerStartError", "SessionError"),
        *("SessionHandle", "exchanges"),
    ),
    "mockserver.providers": ("PROVIDERS", "Provider", "find", "load"),
    "mockserver.recorder": ("Recorder", "TapeHandle"),
}


@pytest.mark.parametrize("module", NAMES)
def test_public_names_are_where_they_were(module: str) -> None:
    found = import_module(module)
    for name in NAMES[module]:
        assert getattr(found, name) is not None, name


@pytest.mark.parametrize(
    "package",
    [
        "harness",
        "mockserver",
        "mockserver.backend.verdict",
        "mockserver.cassettes",
        "mockserver.recording",
        "mockserver.serving",
    ],
)
def test_a_lazy_face_has_all_that_it_lists_and_nothing_else(package: str) -> None:
    face = import_module(package)
    for name in face.__all__:
        assert getattr(face, name) is not None
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        _ = face.nothing
