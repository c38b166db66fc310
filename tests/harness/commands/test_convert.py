from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.cassettes.cassette import (
    Cassette,
    End,
    Interaction,
    Origin,
    Request,
    Response,
    Wire,
)
from mockserver.dialects import Pace, find_dialect, written_answer, written_request
from mockserver.library import library
from mockserver.vocabulary import (
    AssistantTurn,
    FinishReason,
    ImagePart,
    NeutralCall,
    Status,
    TextPart,
)
from tests.harness.test_cli import Cli

CALL = NeutralCall(model="m", messages=({"role": "user", "content": "hi"},))
TURN = AssistantTurn(
    response_id="r1",
    model="m",
    status=Status.COMPLETED,
    finish_reason=FinishReason.STOP,
    parts=(TextPart(text="Hello.", phase="final_answer"),),
)


@pytest.fixture
def tapecheck(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(capsys)


def said(turn: AssistantTurn = TURN, name: str = "openai-responses") -> Interaction:
    dialect = find_dialect(name)
    return Interaction(written_request(dialect, CALL), written_answer(dialect, turn, CALL, Pace()))


def put(path: str, *interactions: Interaction) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    library.write(Cassette(Path(path), interactions or (said(),)))


def broken() -> Interaction:
    wire = Wire(end_ms=5.0, end=End.RESET)
    whole = said()
    response = Response(status=200, reason="OK", headers=(), body=b"", wire=wire)
    return Interaction(whole.request, response)


def elsewhere() -> Interaction:
    request = Request(method="GET", uri="https://example.com/v1/models")
    return Interaction(request, Response(status=200, reason="OK", headers=(), body=b"{}"))


def test_a_cassette_is_said_in_another_dialect(tapecheck: Cli) -> None:
    put("in/a.yaml")
    assert tapecheck("convert", "in/a.yaml", "--to", "openai-chat", "-o", "out") == 0
    assert tapecheck.out == (
        "in/a.yaml:3: interaction 0 loses the phase of part 0 (text)\n"
        "1 interaction converted into 1 cassette of openai-chat, 0 left out\n"
    )
    (interaction,) = library.load(Path("out/a.yaml")).interactions
    assert interaction.request.uri == "https://api.openai.com/v1/chat/completions"
    assert interaction.response.wire.origin is Origin.CONVERTED
    assert b"Hello." not in interaction.request.body


def test_a_single_file_may_go_to_a_named_one(tapecheck: Cli) -> None:
    put("in/a.yaml")
    assert tapecheck("convert", "in/a.yaml", "-o", "out/b.yaml", "--to", "anthropic") == 0
    assert Path("out/b.yaml").is_file()


def test_paths_below_a_directory_are_kept(tapecheck: Cli) -> None:
    put("in/x/a.yaml")
    put("in/b.yaml", said(), said())
    assert tapecheck("convert", "in", "--to", "anthropic", "-o", "out") == 0
    assert tapecheck.out.endswith(
        "3 interactions converted into 2 cassettes of anthropic, 0 left out\n"
    )
    found = sorted(str(p.relative_to("out")) for p in Path("out").rglob("*.yaml"))
    assert found == ["b.yaml", "x/a.yaml"]


def test_what_cannot_be_said_is_left_out_and_named(tapecheck: Cli) -> None:
    image = ImagePart(url="data:image/png;base64,iVBORw0KGgo=")
    odd = AssistantTurn(status=Status.COMPLETED, finish_reason=FinishReason.STOP, parts=(image,))
    put("in/a.yaml", broken(), elsewhere(), said(), said(odd))
    assert tapecheck("convert", "in/a.yaml", "--to", "openai-chat", "-o", "out") == 1
    first, second = tapecheck.err.splitlines()
    assert first == "in/a.yaml:3: interaction 0 is left out: its answer did not end (reset)"
    assert second.startswith("in/a.yaml:")
    assert second.endswith("interaction 1 is left out: no dialect matches GET /v1/models")
    assert "loses part 0 (hosted_tool), part 1 (image)" in tapecheck.out
    assert tapecheck.out.endswith("1 cassette of openai-chat, 2 left out\n")
    assert len(library.load(Path("out/a.yaml")).interactions) == 2


def test_what_is_in_the_dialect_already_is_kept(tapecheck: Cli) -> None:
    put("in/a.yaml")
    before = library.load(Path("in/a.yaml")).interactions
    assert tapecheck("convert", "in/a.yaml", "--to", "openai-responses", "-o", "out") == 0
    assert library.load(Path("out/a.yaml")).interactions == before


def test_nothing_is_written_where_nothing_can_be_said(tapecheck: Cli) -> None:
    put("in/a.yaml", elsewhere())
    assert tapecheck("convert", "in/a.yaml", "--to", "openai-chat", "-o", "out") == 1
    assert "0 interactions converted into 0 cassettes" in tapecheck.out
    assert not Path("out").exists()


def test_a_dry_run_writes_nothing(tapecheck: Cli) -> None:
    put("in/a.yaml")
    assert tapecheck("convert", "in", "--to", "gemini", "-o", "out", "--dry-run") == 0
    assert "1 interaction would be converted into 1 cassette of gemini" in tapecheck.out
    assert not Path("out").exists()


def test_an_existing_cassette_is_replaced_only_by_force(tapecheck: Cli) -> None:
    put("in/a.yaml")
    put("out/a.yaml")
    arguments = ("convert", "in", "--to", "openai-chat", "-o", "out")
    assert tapecheck(*arguments) == 2
    assert "out/a.yaml: already exists (--force replaces it)" in tapecheck.err
    assert tapecheck(*arguments, "--force") == 0
    (interaction,) = library.load(Path("out/a.yaml")).interactions
    assert interaction.response.wire.origin is Origin.CONVERTED


def test_a_source_is_never_replaced(tapecheck: Cli) -> None:
    put("in/a.yaml")
    assert tapecheck("convert", "in/a.yaml", "--to", "gemini", "-o", "in", "--force") == 2
    assert "in/a.yaml: is one of the recordings to convert" in tapecheck.err


def test_a_file_that_cannot_be_read_does_not_stop_the_others(tapecheck: Cli) -> None:
    put("in/a.yaml")
    Path("in/b.yaml").write_text("interactions: 5\n")
    Path("in/c.yaml").write_text("version: 1\ninteractions: []\n")
    assert tapecheck("convert", "in", "--to", "gemini", "-o", "out") == 2
    assert "in/b.yaml:1: not a cassette" in tapecheck.err
    assert "in/c.yaml: contains no interaction" in tapecheck.err
    assert "1 interaction converted" in tapecheck.out


def test_nothing_to_convert(tapecheck: Cli) -> None:
    Path("in").mkdir()
    assert tapecheck("convert", "in", "--to", "gemini", "-o", "out") == 2
    assert "no recording found; looked for *.yaml, *.yml and *.har" in tapecheck.err


def test_an_unknown_dialect(tapecheck: Cli) -> None:
    put("in/a.yaml")
    assert tapecheck("convert", "in", "--to", "gemni", "-o", "out") == 2
    assert "unknown dialect 'gemni' (did you mean gemini?" in tapecheck.err


def test_a_dialect_that_cannot_be_written(tapecheck: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    put("in/a.yaml")
    monkeypatch.setattr(type(find_dialect("gemini")), "capacity", None)
    assert tapecheck("convert", "in", "--to", "gemini", "-o", "out") == 1
    assert "gemini answers cannot be written" in tapecheck.err


def test_a_client_that_is_not_there(tapecheck: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    put("in/a.yaml")
    monkeypatch.setattr("harness.adapters.reference._CLIENTS", {})
    assert tapecheck("convert", "in", "--to", "gemini", "-o", "out") == 1
    assert "no bundled client reads answers of openai-responses" in tapecheck.err
