from __future__ import annotations

from pathlib import Path

import pytest

from harness.clients import exposes, registry
from harness.errors import SetupError, SpecError
from harness.judge.terms import EXPOSABLE, PROFILES
from harness.suite.schemas import schema

CODE = """\
from harness import adapter

@adapter(dialects=["openai-chat"], features=["streaming"]{declared})
def my_client(call):
    yield {{"type": "message_stop", "finish_reason": "stop"}}
"""
DECLARATION = "adapter: my-client\nentry: mine.py:my_client\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(CODE.format(declared=""))


def test_what_was_found_holds_for_later_runs() -> None:
    assert registry.load("mine.py")[0].exposes is None
    path = exposes.write("my-client", ["model", "usage"])
    assert path == Path(".tapecheck/exposes/my-client.yaml")
    adapter, _ = registry.load("mine.py")
    assert adapter.listed == {"model", "usage"}
    assert adapter.exposes == PROFILES["framework"] | {"model"}
    assert adapter.terms.assembles


def test_the_file_can_be_read_by_people() -> None:
    text = exposes.write("my-client", ["usage", "model"]).read_text(encoding="utf-8")
    assert text.startswith("# What my-client gives out")
    assert text.endswith('adapter: "my-client"\nexposes: [model, usage]\n')


@pytest.mark.parametrize("words", ["exposes: [response_id]\n", "profile: framework\n"])
def test_a_declaration_wins(words: str) -> None:
    exposes.write("my-client", ["model"])
    Path("mine.yaml").write_text(DECLARATION + words)
    adapter, _ = registry.load("mine.yaml")
    assert adapter.exposes is not None
    assert "model" not in adapter.exposes
    assert adapter.listed == ({"response_id"} if words.startswith("exposes") else set())


def test_the_code_wins_too() -> None:
    exposes.write("my-client", ["model"])
    Path("mine.py").write_text(CODE.format(declared=', exposes=["response_id"]'))
    adapter, _ = registry.load("mine.py")
    assert adapter.exposes == adapter.listed == {"response_id"}


def test_a_name_stays_in_its_folder() -> None:
    assert exposes.file_of("../up").parent == exposes.FOLDER


def test_a_wrong_word_is_an_error_with_its_line() -> None:
    path = exposes.write("my-client", ["modell"])
    with pytest.raises(SpecError) as caught:
        registry.load("mine.py")
    assert (caught.value.path, caught.value.line) == (path, 7)
    assert "modell" in str(caught.value)


def test_a_folder_that_cannot_be_written_is_an_error() -> None:
    exposes.FOLDER.parent.write_text("")
    with pytest.raises(SetupError, match="cannot be written"):
        exposes.write("my-client", ["model"])


def test_the_schemas_know_the_words() -> None:
    for name in ("adapter", "exposes"):
        assert schema(name)["properties"]["exposes"]["items"]["enum"] == list(EXPOSABLE)
