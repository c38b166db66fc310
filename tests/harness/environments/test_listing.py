from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments import listing, pins
from harness.environments.listing import Environment, Kind
from harness.errors import AdapterError, SelectionError, SpecError
from harness.suite import bundled
from mockserver.dialects import dialects
from tests.harness.environments.packages import python


def test_the_list_has_at_least_sixteen_clients_of_all_native_dialects() -> None:
    found = [client for client in listing.third_parties().values() if not client.original]
    assert len(found) >= 16
    spoken = {dialect for client in found for dialect in client.dialects}
    assert spoken <= dialects().keys()
    assert {d for d in dialects() if d not in ("background", "codex")} == spoken


def test_every_environment_has_a_client_and_every_shim_is_named_like_no_package() -> None:
    used = {client.environment.name for client in listing.third_parties().values()}
    assert used == set(listing.environments())
    # A shim's own folder comes first where Python looks for modules.
    modules = {
        name.replace("-", "_")
        for e in listing.environments().values()
        for name in pins.pinned(e)
        if e.kind is Kind.PYTHON
    }
    # The package openai-agents has the module agents, and so on.
    modules -= {"openai_agents", "google_genai"}
    for client in listing.third_parties().values():
        assert client.shim.stem not in modules


@pytest.mark.parametrize("name", sorted(listing.environments()))
def test_every_package_of_an_environment_is_pinned(name: str) -> None:
    environment = listing.environments()[name]
    pinned = pins.pinned(environment)
    assert set(pins.names(environment)) <= pinned.keys()
    text = environment.pins.read_text(encoding="utf-8")
    assert "://" not in text, "a lock file names no registry"
    if environment.kind is Kind.PYTHON:
        assert text == pins.write_python(pinned)
    else:
        asked = json.loads(text)["packages"][""]["dependencies"]
        assert set(asked) == set(pins.names(environment))


def test_the_key_depends_on_packages_pins_and_interpreter(tmp_path: Path) -> None:
    one = python(tmp_path)
    key = one.key("cpython-311", newest=False)
    assert key == one.key("cpython-311", newest=False)
    assert key != one.key("cpython-312", newest=False)
    assert key != replace(one, packages=("toy", "other")).key("cpython-311", newest=False)
    assert key != replace(one, alone=("other",)).key("cpython-311", newest=False)
    newest = one.key("cpython-311", newest=True)
    one.pins.write_text("toy==1.1\n")
    assert key != one.key("cpython-311", newest=False)
    assert newest == one.key("cpython-311", newest=True)


def test_a_reference_names_a_client() -> None:
    client = listing.third_party("sdk:openai-python-chat")
    assert (client.name, client.newest) == ("openai-python-chat", False)
    assert client.dialects == ("openai-chat",)
    assert listing.third_party("sdk:openai-python-chat@newest").newest
    with pytest.raises(AdapterError, match="did you mean openai-python-chat"):
        listing.third_party("sdk:openai-pyton-chat")


def test_environments_are_chosen_by_their_name_or_a_clients() -> None:
    names = ("sdk:openai-python-chat", "openai-python", "anthropic-python-helper")
    assert [e.name for e in listing.chosen(names)] == ["openai-python", "anthropic-python"]
    usual = {e.name for e in listing.chosen(())}
    assert {n for n in listing.environments() if n not in usual} == {
        *("original-agents", "original-letta-codex", "original-letta-thoughts"),
    }
    assert [e.name for e in listing.chosen(["original-inner-thoughts"])] == [
        "original-letta-thoughts"
    ]
    with pytest.raises(SelectionError, match="no environment 'lite'"):
        listing.chosen(["lite"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "adapter: mine\nenvironment: toy2\nshim: a.py\ndialects: [ollama]\n",
            "no environment 'toy2'",
        ),
        ("adapter: other\nentry: a.py:b\n", "not the declaration of a third-party client mine"),
        ("adapter: mine\nenvironment: toy\n", "'shim' is a required property"),
    ],
)
def test_a_wrong_declaration_is_an_error_with_its_file(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients" / "mine.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(bundled, "third_party", lambda: tmp_path)
    environment: dict[str, Environment] = {"toy": python(tmp_path)}
    monkeypatch.setattr(listing, "environments", lambda: environment)
    with pytest.raises(SpecError, match=r"mine\.yaml") as raised:
        listing.third_parties.__wrapped__()
    assert message in str(raised.value)
