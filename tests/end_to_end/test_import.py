"""Imported recordings of real traffic still agree with their index."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr
import yaml

from harness.reports.records import CaseResult
from mockserver import MockServer
from mockserver.cassettes.cassette import Interaction, Origin
from mockserver.dialects.registry import facts_of
from mockserver.library import library
from mockserver.secrets import placeholder
from mockserver.secrets.scan import scan_cassette
from mockserver.serving.verify import fetch, verify_cassette
from mockserver.wire.content_coding import decompress, encoding_of
from mockserver.wire.schedule import from_response
from tests.end_to_end.recorded_facts import compared, index, results

ROOT = Path(__file__).parents[2]
NOT_STORED = {
    *("authorization", "cookie", "set-cookie", "x-api-key", "x-goog-api-key", "api-key"),
    *("x-amz-security-token", "content-length", "transfer-encoding", "connection"),
    *("content-encoding", "host", "date", "server", "via", "cf-ray", "user-agent"),
}


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", "import", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@dataclass(frozen=True)
class Import:
    """All recordings, imported; ``opaque`` with signatures kept."""

    recordings: Path
    files: Path
    opaque: Path
    output: str

    @cached_property
    def entries(self) -> list[dict[str, Any]]:
        return index(self.recordings)

    def path(self, entry: dict[str, Any], files: Path | None = None) -> Path:
        relative = Path(entry["file"]).relative_to("files").with_suffix(".yaml")
        return (files or self.files) / relative

    def imported(self, entry: dict[str, Any], files: Path | None = None) -> Interaction:
        return library.load(self.path(entry, files)).interactions[entry["interaction"]]

    def original(self, entry: dict[str, Any]) -> Interaction:
        return library.load(self.recordings / entry["file"]).interactions[entry["interaction"]]


@pytest.fixture(scope="module")
def made(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Import:
    directory = tmp_path_factory.mktemp("imported")
    plain = run(recordings / "files", "-o", directory / "plain")
    assert (plain.returncode, plain.stderr) == (0, "")
    opaque = run(recordings / "files", "-o", directory / "opaque", "--keep-signatures")
    assert (opaque.returncode, opaque.stderr) == (0, "")
    return Import(recordings, directory / "plain", directory / "opaque", plain.stdout)


def test_everything_is_imported(made: Import) -> None:
    assert len(made.entries) == 66
    sources = [p for p in (made.recordings / "files").rglob("*.*") if p.suffix in (".yaml", ".har")]
    assert len(list(made.files.rglob("*.yaml"))) == len(sources) == 66
    count = sum(len(library.load(path).interactions) for path in sources)
    expected = f"{count} interactions imported into 66 cassettes, 0 left out"
    assert made.output.splitlines()[-1] == expected


def test_every_body_has_the_bytes_of_the_index(made: Import) -> None:
    """With signatures kept, no answer of a provider contains anything that must be replaced."""
    wrong = []
    for entry in made.entries:
        response = made.imported(entry, made.opaque).response
        found = hashlib.sha256(response.body).hexdigest()
        if (response.status, found) != (entry["status"], entry["body_sha256"]):
            wrong.append(entry["id"])
    assert wrong == []


def test_bodies_differ_from_the_recorded_ones_only_by_placeholders(made: Import) -> None:
    for entry in made.entries:
        before, after = made.original(entry), made.imported(entry)
        redacted = after.response.wire.redacted
        encoding = encoding_of(before.response.headers)
        for place, old, new in (
            ("request.body", before.request.body, after.request.body),
            ("response.body", decompress(before.response.body, encoding), after.response.body),
        ):
            kept = [re.escape(t) for t in placeholder.split(new.decode("latin-1"))]
            assert re.fullmatch("(?s:.+?)".join(kept), old.decode("latin-1")), entry["id"]
            assert (len(kept) > 1) == (place in redacted), entry["id"]


def test_text_is_stored_as_text_and_the_rest_as_binary(made: Import) -> None:
    for entry in made.entries:
        data = yaml.safe_load(made.path(entry).read_bytes())
        body = data["interactions"][entry["interaction"]]["response"]["body"]["string"]
        binary = entry["transport"] == "aws-eventstream"
        assert isinstance(body, bytes if binary else str), entry["id"]


def test_no_header_reveals_who_recorded(made: Import) -> None:
    for path in made.files.rglob("*.yaml"):
        for interaction in library.load(path).interactions:
            names = {n.lower() for n, _ in interaction.request.headers}
            names |= {n.lower() for n, _ in interaction.response.headers}
            assert not names & NOT_STORED
            assert not [n for n in names if n.startswith(("x-stainless-", "cf-"))]


def test_no_secret_is_left(made: Import) -> None:
    for files in (made.files, made.opaque):
        hits = [h for p in files.rglob("*.yaml") for h in scan_cassette(library.load(p))]
        assert hits == []


def test_every_interaction_has_its_origin(made: Import) -> None:
    tools = set()
    for entry in made.entries:
        wire = made.imported(entry).response.wire
        assert wire.origin is Origin.IMPORTED
        assert wire.recorded["file"] == Path(entry["file"]).name
        tools.add((wire.recorded["by"], wire.recorded["format"]))
        assert entry["format"] in wire.recorded["format"].lower()
    assert tools == {
        ("vcrpy", "vcrpy 1"),
        ("pydantic-ai", "vcrpy 1 with parsed_body"),
        ("Polly.JS 6.0.6", "HAR 1.2"),
    }
    for path in made.files.rglob("*.yaml"):
        assert str(made.recordings) not in path.read_text(encoding="utf-8")


def test_every_interaction_is_replayed_byte_exactly(made: Import) -> None:
    assert [p for f in made.files.rglob("*.yaml") for p in verify_cassette(library.load(f))] == []


def test_every_interaction_is_found_by_its_request(made: Import) -> None:
    with MockServer(made.files) as server:
        for entry in made.entries:
            after = made.imported(entry)
            # Another interaction may have the same request; they are played in turn.
            for request in (after.request, made.original(entry).request):
                seen = [fetch(server.url, request) for _ in range(4)]
                answers = [(s.status, b"".join(s.pieces)) for s in seen]
                assert (after.response.status, after.response.body) in answers, entry["id"]


def test_chat_completions_give_the_same_turns_as_before(made: Import) -> None:
    entries = [e for e in made.entries if e["dialect"] == "openai-chat"]
    assert len(entries) == 21
    before = results(made.recordings / "files", "openai-compat")
    after = results(made.files, "openai-compat")
    opaque = results(made.opaque, "openai-compat")
    differences = []
    for entry in entries:
        number = entry["interaction"]
        found = compared(entry, after[made.path(entry), number])
        turns = [
            _outcome(result)
            for result in (
                before[made.recordings / entry["file"], number],
                opaque[made.path(entry, made.opaque), number],
            )
        ]
        found += [] if turns[0] == turns[1] else [f"{turns[0]} became {turns[1]}"]
        differences += [f"{entry['id']}: {difference}" for difference in found]
    assert differences == []


def _outcome(result: CaseResult) -> Any:
    # The id of a request names it to its provider, so an import replaces it.
    turn = result.transcript.turns[0].turn
    assert turn is not None
    return {**turn.data, "error": {**(turn.data.get("error") or {}), "request_id": None}}


def test_responses_agree_with_the_index(made: Import) -> None:
    entries = [e for e in made.entries if e["dialect"] == "openai-responses"]
    assert len(entries) == 11
    for entry in entries:
        expected = entry["expected"]
        facts = facts_of("openai-responses", from_response(made.imported(entry).response))
        assert facts is not None
        if expected["outcome"] == "error":
            assert facts.error, entry["id"]
            continue
        assert facts.text == expected["text"], entry["id"]
        assert facts.refusal == expected["refusal"], entry["id"]
        assert len(facts.calls or ()) == len(expected["tool_calls"]), entry["id"]
        for name in ("input_tokens", "output_tokens", "total_tokens"):
            assert facts.usage[name] == expected["usage"][name], entry["id"]


def test_stock_vcrpy_plays_every_file(made: Import) -> None:
    played = 0
    for path in made.files.rglob("*.yaml"):
        interactions = library.load(path).interactions
        with vcr.use_cassette(str(path), record_mode="none") as tape, httpx.Client() as client:
            for interaction in interactions:
                request, expected = interaction.request, interaction.response
                answer = client.request(
                    request.method, request.uri, headers=request.headers, content=request.body
                )
                assert (answer.status_code, answer.content) == (expected.status, expected.body)
                played += 1
            assert tape.all_played
    assert played >= 66


def test_an_import_is_repeatable_and_replaces_only_with_force(made: Import, tmp_path: Path) -> None:
    source = made.recordings / "files" / "magentic"
    assert run(source, "-o", tmp_path).returncode == 0
    files = {p: p.read_bytes() for p in tmp_path.rglob("*.yaml")}
    refused = run(source, "-o", tmp_path)
    assert refused.returncode == 2
    assert re.search(r"already exists \(--force replaces it\)", refused.stderr)
    assert run(source, "-o", tmp_path, "--force").returncode == 0
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.*")} == files
