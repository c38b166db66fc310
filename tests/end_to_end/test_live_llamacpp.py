"""Record from a genuine llama.cpp server and compare with the bundled recordings.

Needs the dependency group ``live``.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.judge.transcript import Outcome
from harness.plan.planning import Settings, make_plan
from harness.run.runner import Runner
from mockserver import MockServer
from mockserver.cassettes.cassette import End, Origin
from mockserver.library import library
from mockserver.recording import drift
from mockserver.recording.modes import Mode
from mockserver.recording.providers import PROVIDERS, Provider
from mockserver.recording.recorder import Recorder
from mockserver.serving.verify import verify_cassette
from tests.end_to_end.live_dialogs import DIALOGS

pytest.importorskip("xllamacpp", reason="the dependency group 'live' is not installed")
pytest.importorskip("gguf", reason="the dependency group 'live' is not installed")

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "cassettes" / "llamacpp-live"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """llama.cpp's server with the scripted model, at a port of its own."""
    directory = tmp_path_factory.mktemp("model")
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.end_to_end.scripted_server", str(directory)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), (directory / "log").read_text()
        yield PROVIDERS["llamacpp"].at(f"{address}/v1")
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


@pytest.fixture(scope="module")
def recorded(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a fresh recording of every dialog."""
    directory = tmp_path_factory.mktemp("recorded")
    with Recorder() as recorder:
        for name, dialog in DIALOGS.items():
            with recorder.tape(directory / f"{name}.yaml", [provider]) as tape:
                dialog(tape.base_url)
                tape.finish()
    return directory


@pytest.mark.parametrize("name", DIALOGS)
def test_a_fresh_recording_has_the_shape_of_the_shipped_one(name: str, recorded: Path) -> None:
    fresh = library.load(recorded / f"{name}.yaml")
    shipped = library.load(SHIPPED / f"{name}.yaml")
    found = drift.compare(shipped.interactions, fresh.interactions)
    assert found.shapes == ()
    for interaction in (*fresh.interactions, *shipped.interactions):
        wire = interaction.response.wire
        assert (wire.origin, wire.end) == (Origin.RECORDED, End.EOF)
    assert "llama.cpp" in shipped.interactions[0].response.wire.recorded["server"]
    assert verify_cassette(fresh) == []


@pytest.mark.parametrize("name", DIALOGS)
def test_replay_without_the_server_gives_the_same(name: str, recorded: Path) -> None:
    with MockServer(recorded) as server:
        DIALOGS[name](f"{server.url}/c/{name}/v1")
        count = len(library.load(recorded / f"{name}.yaml").interactions)
        assert [entry.exchange for entry in server.journal] == list(range(count))


@pytest.mark.parametrize("name", DIALOGS)
def test_recording_again_confirms_the_cassette(
    name: str, provider: Provider, recorded: Path, tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.yaml"
    path.write_bytes((recorded / path.name).read_bytes())
    before = library.load(path).interactions
    with Recorder() as recorder, recorder.tape(path, [provider]) as tape:
        DIALOGS[name](tape.base_url)
        result = tape.finish()
    assert result.drift is not None
    assert result.drift.shapes == ()
    # How much of a prompt the server still had in its cache is another number each time.
    assert not [line for line in result.drift.values if "cache" not in line]
    assert [i.response.status for i in library.load(path).interactions] == [
        i.response.status for i in before
    ]


def test_the_live_endpoint_is_compared_and_nothing_written(
    provider: Provider, recorded: Path
) -> None:
    path = recorded / "chat-text.yaml"
    before = path.read_bytes()
    with Recorder() as recorder, recorder.tape(path, [provider], mode=Mode.DIFF) as tape:
        DIALOGS["chat-text"](tape.base_url)
        result = tape.finish()
    assert result.drift is not None
    assert result.drift.shapes == ()
    assert path.read_bytes() == before


def test_adapters_pass_the_scenarios_on_fresh_recordings(recorded: Path) -> None:
    """Except for ids and cached tokens, the expectations are true of any recording."""
    plan = make_plan(Settings(patterns=("llamacpp-live/**",), faults=False))
    cases = [
        replace(
            case,
            scenario=replace(
                case.scenario,
                cassette=recorded / case.scenario.cassette.name,
                turns=tuple(replace(t, request=None, expect=None) for t in case.scenario.turns),
            ),
        )
        for case in plan.cases
        if case.variation == "recorded"
    ]
    assert len(cases) >= 16

    async def play() -> list[str]:
        async with Runner(plan) as runner:
            results = [await runner.run_case(case) for case in cases]
        return [r.case.id for r in results if r.verdict.outcome is not Outcome.PASS]

    assert asyncio.run(play()) == []
