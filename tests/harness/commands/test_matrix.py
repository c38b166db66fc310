"""``tapecheck matrix`` with a client that needs no package, and one scenario."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import pytest

from harness import reports
from harness.clients import registry
from harness.environments import listing, making
from harness.errors import SetupError
from harness.plan import matrix
from harness.plan.planning import Settings
from harness.reports import ndjson
from mockserver.vocabulary import JsonObject
from tests.harness.commands import third_party
from tests.harness.conftest import Cli


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    third_party.listed(tmp_path, monkeypatch)
    whole = matrix.settings

    def settings(*given: Any, **named: Any) -> Settings:
        return replace(whole(*given, **named), patterns=("openai-chat/twins/text/recorded",))

    monkeypatch.setattr(matrix, "settings", settings)
    return tmp_path


def test_clients_are_played_and_one_that_cannot_start_is_named(
    tapecheck: Cli, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(form: str, records: Sequence[JsonObject], stream: TextIO, **_: Any) -> None:
        stream.write(f"{form} of {len(records)} records")

    monkeypatch.setattr(reports, "write", write)
    results, page = toy / "matrix.ndjson", toy / "page.html"
    assert tapecheck("matrix", "--results", str(results), "--html", str(page)) == 3
    head, row, end, following = tapecheck.out.splitlines()
    assert following.startswith(f"the page is {page}; ")
    assert head.split()[:3] == ["client", "releases", "dialects"]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert row.split()[:6] == ["toy-client", "toy", "1.0,", "Python", python, "openai-chat"]
    assert row.split()[6:12] == [*"1-----"]
    assert end.startswith("1 case in")
    assert "not played: sdk:silent: the command sent no hello" in tapecheck.err
    records = list(ndjson.read(results))
    assert page.read_text() == f"html of {len(records)} records"
    assert records[0]["options"] == ["--adapter", "sdk:toy-client"]
    assert [r["id"] for r in records if r["type"] == "case"] == [
        "openai-chat/twins/text/recorded@toy-client"
    ]


def test_an_original_is_played_only_when_asked_for(
    toy: Path, monkeypatch: pytest.MonkeyPatch, tapecheck: Cli
) -> None:
    known = listing.third_parties()
    originals = {name: replace(client, original=True) for name, client in known.items()}
    monkeypatch.setattr(listing, "third_parties", lambda: originals)
    assert (tapecheck("matrix", "--no-make", "--newest"), tapecheck.err) == (0, "")
    for asked in (["--originals"], ["--only", "toy-client"], ["--only", "sdk:toy-client"]):
        assert tapecheck("matrix", "--no-make", "--newest", *asked) == 3
        assert "sdk:toy-client@newest: its environment toy is not made" in tapecheck.err


def test_a_declaration_says_more_than_a_shim(toy: Path) -> None:
    adapter, baseline = registry.load("sdk:toy-client")
    assert (adapter.name, adapter.dialects) == ("toy-client", {"openai-chat"})
    assert (adapter.version, str(adapter.level)) == ("toy 1.0, Python 3.11", "should")
    assert baseline.path == toy / "toy-client.yaml"


def test_without_environments_nothing_is_played(
    tapecheck: Cli, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tapecheck("matrix", "--newest", "--no-make", "--only", "openai-chat") == 3
    assert tapecheck.out == ""
    assert "sdk:toy-client@newest: its environment toy is not made" in tapecheck.err


def test_an_unknown_client_is_a_users_mistake(tapecheck: Cli, toy: Path) -> None:
    assert tapecheck("matrix", "--only", "toy-clint") == 2
    assert "no third-party client 'toy-clint' (did you mean toy-client?)" in tapecheck.err


def test_a_run_needs_the_environment(
    tapecheck: Cli, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(*_: object, **__: object) -> making.Made:
        raise SetupError("toy: no network", hint="connect")

    monkeypatch.setattr(making, "make", make)
    assert tapecheck("run", "--adapter", "sdk:toy-client@newest") == 3
    assert "tapecheck: toy: no network\n  connect" in tapecheck.err
