import pytest

from harness.suite.dialects import base_path


@pytest.mark.parametrize(
    ("dialect", "paths", "base"),
    [
        ("openai-chat", ["/v1/chat/completions"], "/v1"),
        ("background", ["/v1/responses", "/v1/responses/resp_1"], "/v1"),
        ("background", ["/v1/responses/resp_1/cancel"], "/v1"),
        ("codex", ["/oauth/token", "/backend-api/codex/responses"], "/backend-api/codex"),
        ("background", ["/v1/responses_of_another_kind"], "/v1/responses_of_another_kind"),
        ("gemini", ["/v1beta/models/"], "/v1beta/models"),
    ],
)
def test_base_path(dialect, paths, base):
    assert base_path(dialect, paths) == base
