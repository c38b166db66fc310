"""A placeholder stands for one value in the whole cassette, also after it was recorded again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mockserver.cassettes.cassette import Cassette, Interaction, Origin, Request, Response, Wire
from mockserver.recording.writer import merge
from mockserver.secrets import placeholder
from mockserver.secrets.scrub import Scrubber

ACCESS, REFRESH, OTHER = "access-aaaaaaaaaaaa", "refresh-rrrrrrrrrrrr", "other-xxxxxxxxxxxxxx"
JSON = (("content-type", "application/json"),)


def exchange(path: str, asked: object, answered: object, *, query: str = "") -> Interaction:
    uri = f"http://h/{path}?{query}" if query else f"http://h/{path}"
    return Interaction(
        Request(method="POST", uri=uri, headers=JSON, body=json.dumps(asked).encode()),
        Response(
            status=200,
            reason="OK",
            headers=JSON,
            body=json.dumps(answered).encode(),
            wire=Wire(end_ms=1, origin=Origin.RECORDED, recorded={"at": "now"}),
        ),
    )


def login(*, more: int = 0) -> Interaction:
    answer = {"refresh_token": REFRESH, "access_token": ACCESS}
    return exchange("login", {"q": more}, {"more": more, **answer} if more else answer)


REFRESHED = exchange("refresh", {"refresh_token": REFRESH}, {"text": f"as {ACCESS}"})
SETUP = exchange("setup", {"api_key": OTHER}, {"note": "fine"})


def scrubbed(*interactions: Interaction) -> tuple[Interaction, ...]:
    scrubber = Scrubber([ACCESS, REFRESH, OTHER])
    return tuple(scrubber.interaction(interaction) for interaction in interactions)


def merged(old: list[Interaction], new: list[Interaction]) -> dict[str, dict[str, str]]:
    """Return the named placeholders of each interaction, by its path."""
    out, _ = merge(Cassette(Path("c.yaml"), scrubbed(*old)), scrubbed(*new))
    named = re.compile(r'"(\w+)": "(?:as )?(\w*REDACTED\w*)"')
    texts = {i.request.url.path: (i.request.body + i.response.body).decode() for i in out}
    return {path: dict(named.findall(text)) for path, text in texts.items()}


@pytest.mark.parametrize(
    "new",
    [
        [login(), REFRESHED],
        [SETUP, login(), REFRESHED],
        [SETUP, login(more=1), REFRESHED],
        [login(more=1), SETUP, REFRESHED],
        [login(), SETUP, REFRESHED],
    ],
    ids=["as before", "one more", "one more and one changed", "changed and one more", "between"],
)
def test_each_value_has_one_placeholder_of_its_own(new: list[Interaction]) -> None:
    found = merged([login(), REFRESHED], new)
    access, refresh = found["/login"]["access_token"], found["/login"]["refresh_token"]
    assert access != refresh
    assert found["/refresh"] == {"refresh_token": refresh, "text": access}
    if "/setup" in found:
        assert found["/setup"]["api_key"] not in (access, refresh)


@pytest.mark.parametrize(
    "text",
    [
        placeholder.make("key", 1),
        placeholder.make("key", 2, "3f2b8c1e-0000-4000-8000-aaaaaaaaaaaa"),
        placeholder.make("key", 3, "eyJhbGciOiJIUzI1NiJ9.e30.abc"),
        placeholder.make("number", 4, "123456789"),
        placeholder.make("signature", 5, "aGVsbG8gd29ybGQ="),
        placeholder.host("resource", 6),
    ],
)
def test_another_number_keeps_kind_and_form(text: str) -> None:
    other = placeholder.renumbered(text, 77)
    ((kind, _),) = placeholder.numbered(text)
    assert list(placeholder.numbered(other)) == [(kind, 77)]
    assert placeholder.is_placeholder(other)
    assert placeholder.exchanged(f"a {text}.", {text: other}) == f"a {other}."
