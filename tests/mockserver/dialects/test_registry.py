from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockserver.cassettes.cassette import Request
from mockserver.dialects import (
    Dialect,
    Pace,
    UnreadableRequestError,
    UnwritableError,
    registry,
)
from mockserver.errors import DialectError
from mockserver.vocabulary import AssistantTurn, ErrorClass, ErrorInfo, NeutralCall, Status
from tests.toy_dialect import Toy


def request(path: str, *, method: str = "POST", body: bytes = b"{}", **headers: str) -> Request:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request(method=method, uri=f"https://api.example{path}", headers=pairs, body=body)


@pytest.mark.parametrize(
    ("dialect", "paths", "base"),
    [
        ("openai-chat", ["/v1/chat/completions"], "/v1"),
        ("background", ["/v1/responses", "/v1/responses/resp_1"], "/v1"),
        ("background", ["/v1/responses/resp_1/cancel"], "/v1"),
        ("codex", ["/oauth/token", "/backend-api/codex/responses"], "/backend-api/codex"),
        ("background", ["/v1/responses_of_another_kind"], "/v1/responses_of_another_kind"),
        ("gemini", ["/v1beta/models/"], "/v1beta/models"),
        ("gemini", ["/v1beta/models/gemini-x:streamGenerateContent"], ""),
        ("gemini", ["/proxy/v1/projects/p/locations/l/models/m:generateContent"], "/proxy"),
        ("anthropic", ["/v1/messages"], ""),
        ("anthropic", ["/gateway/v1/messages/count_tokens"], "/gateway"),
        ("ollama", ["/api/chat"], ""),
        ("bedrock", ["/model/a.b-v1:0/converse-stream"], ""),
        ("cohere", ["/v2/chat"], ""),
        ("no such dialect", ["/x/y/"], "/x/y"),
    ],
)
def test_base_path(dialect: str, paths: list[str], base: str) -> None:
    assert registry.base_path(dialect, paths) == base


@pytest.mark.parametrize(
    ("dialect", "path", "other"),
    [
        ("openai-chat", "/chat/completions", "/v1/chat/completions"),
        ("openai-chat", "/v1beta/openai/chat/completions", "/v1beta/openai/v1/chat/completions"),
        ("openai-responses", "/responses", "/v1/responses"),
        # Behind a base URL with the version a second one is the client's fault.
        ("openai-chat", "/v1/chat/completions", ""),
        ("anthropic", "/v1/messages", ""),
        ("unknown", "/chat/completions", ""),
    ],
)
def test_where_clients_ask_that_add_the_version_themselves(
    dialect: str, path: str, other: str
) -> None:
    assert registry.other_path(dialect, path) == other


@pytest.mark.parametrize(
    ("path", "given", "name"),
    [
        ("/v1/chat/completions", {}, "openai-chat"),
        ("/openai/deployments/d/chat/completions", {}, "openai-chat"),
        ("/v1/responses", {}, "openai-responses"),
        ("/v1/responses", {"chatgpt_account_id": "a"}, "codex"),
        ("/backend-api/codex/responses", {}, "codex"),
        ("/v1/responses", {"body": b'{"background": true}'}, "background"),
        ("/v1/responses", {"body": b'{"background": false}'}, "openai-responses"),
        ("/v1/responses", {"body": b'"background"'}, "openai-responses"),
        ("/v1/responses", {"body": b'{"background": '}, "openai-responses"),
        ("/v1/messages", {}, "anthropic"),
        ("/v1beta/models/g:generateContent", {}, "gemini"),
        ("/v1beta1/projects/p/models/g:streamGenerateContent", {}, "gemini"),
        ("/api/generate", {}, "ollama"),
        ("/model/m/invoke-with-response-stream", {}, "bedrock"),
        ("/v1/chat", {}, "cohere"),
        ("/v1/models", {}, None),
        ("/v1/messages/count_tokens", {}, None),
        ("/v1/chat/completions", {"method": "GET"}, None),
    ],
)
def test_a_request_has_one_dialect(path: str, given: dict, name: str | None) -> None:  # type: ignore[type-arg]
    found = registry.of_request(request(path, **given))
    assert (None if found is None else found.name) == name


@pytest.mark.parametrize(
    ("dialect", "method", "path", "is_aside"),
    [
        ("ollama", "POST", "/api/show", True),
        ("ollama", "POST", "/api/chat", False),
        ("openai-chat", "GET", "/v1/models", True),
        ("openai-chat", "POST", "/models", False),
        ("openai-chat", "POST", "/api/show", False),
        ("openai-responses", "GET", "/v1/responses/resp_1", False),
        ("gemini", "POST", "/v1beta/models/g:countTokens", True),
        ("gemini", "POST", "/v1beta/models/g:generateContent", False),
        ("unknown", "GET", "/v1/models", False),
    ],
)
def test_what_asks_for_no_answer(dialect: str, method: str, path: str, is_aside: bool) -> None:
    assert registry.asks_aside(dialect, method, path) is is_aside


def test_an_unknown_dialect_is_refused_with_a_close_one() -> None:
    with pytest.raises(
        DialectError, match=r"unknown dialect 'openai-chta' .did you mean openai-chat\?"
    ):
        registry.find_dialect("openai-chta")


class Bare(Dialect):
    name = "bare"
    endpoint = re.compile("/bare")


def test_a_dialect_without_a_writer_says_so() -> None:
    call = NeutralCall(model="m", messages=())
    turn = AssistantTurn(status=Status.COMPLETED, parts=())
    error = ErrorInfo(error_class=ErrorClass.TIMEOUT, message="m", retryable=True)
    for write in (
        lambda: registry.written_request(Bare(), call),
        lambda: registry.fitted(Bare(), turn),
        lambda: registry.written_answer(Bare(), turn, call, Pace()),
        lambda: Bare().write_answer(turn, call, Pace()),
        lambda: registry.written_error(Bare(), error, call),
    ):
        with pytest.raises(UnwritableError, match=r"^bare .* cannot be written$"):
            write()


def test_a_dialect_without_a_reader_has_no_facts_and_says_why_it_reads_no_call() -> None:
    bare = Bare()
    assert not bare.reads_facts
    assert bare.read_facts(()) is None
    assert registry.facts_of("no such dialect") is None
    with pytest.raises(UnreadableRequestError, match=r"^bare requests cannot be turned back"):
        bare.read_call(request("/bare"))
    assert registry.recorded_call(request("/v9")) == "no dialect matches POST /v9"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "body is not JSON"),
        (b"[" * 100_000, "body is not JSON"),
        (b"[]", "body is not a JSON object"),
        (b'{"messages": 5}', "has messages that are no list of objects"),
    ],
)
def test_a_chat_request_that_is_none_says_why(body: bytes, why: str) -> None:
    call = registry.recorded_call(request("/v1/chat/completions", body=body))
    assert call == f"the recorded request {why}"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The entry points of a package that joins the registry; written by the test."""
    info = tmp_path / "toy_dialect-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-dialect\nVersion: 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.dialects.cache_clear()
    registry.form.cache_clear()
    yield info / "entry_points.txt"
    registry.dialects.cache_clear()
    registry.form.cache_clear()


def joins(entry_points: Path, value: str) -> None:
    entry_points.write_text(f"[tapecheck.dialects]\ntoy = {value}\n")
    assert str(entry_points.parent.parent) in sys.path


def test_a_package_joins_by_an_entry_point(installed: Path) -> None:
    joins(installed, "tests.toy_dialect:DIALECT")
    assert isinstance(registry.find_dialect("toy"), Toy)
    assert registry.form().opaque_fields["toySeal"] == "seal"
    assert registry.form().opaque_fields["encrypted_content"] == "encrypted"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("tests.toy_dialect:NOTHING", "AttributeError"),
        ("no_such_package:DIALECT", "ModuleNotFoundError"),
        ("tests.toy_dialect:Toy", "is not an instance of"),
        ("tests.toy_dialect.broken:ENDS_THE_PROGRAM", "SystemExit"),
        ("tests.toy_dialect.broken:NAMELESS", "'name' of the dialect .* is missing"),
        ("tests.toy_dialect.broken:FORMLESS", "'form' of the dialect .* of a wrong type"),
        ("mockserver.dialects.openai_chat:DIALECT", "two dialects are called 'openai-chat'"),
    ],
)
def test_an_installed_dialect_that_cannot_be_used_is_named(
    installed: Path, value: str, why: str
) -> None:
    joins(installed, value)
    with pytest.raises(DialectError, match=why):
        registry.dialects()


def test_a_dialect_that_raises_is_named(installed: Path) -> None:
    joins(installed, "tests.toy_dialect.broken:RAISING")
    for use in (
        lambda: registry.of_request(request("/toy/talk")),
        lambda: registry.base_path("raising", ["/toy/talk"]),
        lambda: registry.facts_of("raising"),
    ):
        with pytest.raises(DialectError, match="the dialect 'raising' failed: ZeroDivisionError"):
            use()
