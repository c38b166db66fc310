"""No request is refused that a provider has answered."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import anthropic
import openai
import pytest
from anthropic.resources.beta.messages import Messages as BetaMessages
from anthropic.resources.messages import Messages
from openai.resources.chat.completions import Completions
from openai.resources.responses import Responses

from mockserver.backend.refusing import objections
from mockserver.cassettes import Interaction, foreign, loading
from mockserver.cassettes.cassette import Request
from mockserver.dialects import find_dialect, of_request
from mockserver.dialects.memory import Memory

OPENAI = openai.OpenAI(api_key="any")
ANTHROPIC = anthropic.Anthropic(api_key="any")
_BUNDLED = Path(__file__).parents[3] / "cassettes"


def bundled() -> Iterator[tuple[str, Interaction]]:
    for path in sorted(_BUNDLED.rglob("*.yaml")):
        if loading.is_recording(path):
            for number, one in enumerate(loading.load(path).interactions):
                yield f"{path.name}#{number}", one


def recorded(folder: Path) -> Iterator[tuple[str, Interaction]]:
    for path in sorted((folder / "files").rglob("*")):
        if path.suffix not in (".yaml", ".yml", ".har", ".json"):
            continue
        found = foreign.read(path.read_bytes(), path)
        for number, item in enumerate(found.items if found else ()):
            if isinstance(item, foreign.ForeignInteraction):
                yield f"{path.name}#{number}", item.interaction


def refused(interactions: Iterator[tuple[str, Interaction]]) -> tuple[list[str], Counter[str]]:
    """Return what is refused of answered requests, and how many there were of each dialect."""
    found, counts = [], Counter[str]()
    for where, one in interactions:
        dialect = of_request(one.request) if one.response.status == 200 else None
        if dialect is not None:
            counts[dialect.name] += 1
            wrong = objections(dialect, one.request, None, Memory())
            found += [f"{where}: {why.check}: {why.error.message}" for why in wrong]
    return found, counts


def test_no_bundled_cassette_is_refused() -> None:
    found, counts = refused(bundled())
    assert found == []
    assert len(counts) == 9


def test_no_recording_is_refused(recordings: Path) -> None:
    found, counts = refused(recorded(recordings))
    assert found == []
    assert counts.total() >= 50


def _parameters(create: Callable[..., object]) -> set[str]:
    own = {"extra_headers", "extra_query", "extra_body", "timeout", "betas"}
    return set(inspect.signature(create).parameters) - own


@pytest.mark.parametrize(
    ("name", "model", "path", "create"),
    [
        ("openai-chat", "gpt-4o", "/v1/chat/completions", Completions(OPENAI).create),
        ("openai-responses", "gpt-4o", "/v1/responses", Responses(OPENAI).create),
        ("anthropic", "claude-x", "/v1/messages", Messages(ANTHROPIC).create),
        ("anthropic", "claude-x", "/v1/messages", BetaMessages(ANTHROPIC).create),
    ],
)
def test_every_field_of_the_official_sdks_is_known(
    name: str, model: str, path: str, create: Callable[..., object]
) -> None:
    body = {**dict.fromkeys(_parameters(create)), "model": model}
    request = Request(
        method="POST", uri=f"http://provider{path}", headers=(), body=json.dumps(body).encode()
    )
    found = objections(find_dialect(name), request, None, Memory())
    assert [one.error.message for one in found if one.check == "unknown_field"] == []
