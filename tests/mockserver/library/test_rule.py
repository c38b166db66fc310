from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.errors import MatchError
from mockserver.library.matcher import accepts, differences, signature
from mockserver.library.rule import ALL_PARTS, EXACT, Part, Rule
from tests.mockserver.rawhttp import request

CHAT = {
    "model": "m",
    "messages": [{"role": "user", "content": "hi", "id": "a1"}, {"role": "tool", "id": "a2"}],
    "metadata": {"trace": "t1", "team": "x"},
}


def changed(**more: Any) -> dict[str, Any]:
    return {**json.loads(json.dumps(CHAT)), **more}


def body(data: Any) -> bytes:
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    ("match_on", "ignore", "got", "at"),
    [
        ([], [], changed(), []),
        ([], [], changed(model="n"), ["body/model"]),
        (["body.model"], [], changed(messages=[]), []),
        (["body.model"], [], changed(model="n", messages=[]), ["body/model"]),
        (["body.model", "body"], [], changed(messages=[]), ["body/messages/0", "body/messages/1"]),
        (["body.messages.*.role"], [], changed(model="n", messages=CHAT["messages"][:1]), [1]),
        (["body.messages.0.role"], [], changed(messages=[{"role": "user"}, {}]), []),
        ([], ["body.metadata.trace"], changed(metadata={"team": "x", "trace": "t2"}), []),
        ([], ["body.metadata.trace"], changed(metadata={"team": "y"}), ["body/metadata/team"]),
        ([], ["body/metadata/trace"], changed(metadata={"team": "x"}), []),
        ([], ["body.metadata"], changed(metadata=None), []),
        ([], ["body.*.trace", "body.nowhere.at.all"], changed(metadata={"team": "x"}), []),
        (["body"], ["body.messages.1"], changed(messages=CHAT["messages"][:1]), []),
        (["path"], [], "no JSON at all", []),
    ],
)
def test_fields_are_chosen_and_ignored(
    match_on: list[str], ignore: list[str], got: Any, at: list[Any]
) -> None:
    rule = Rule.of(match_on, ignore)
    ours, theirs = request(body=body(CHAT)), request(body=body(got))
    found = [d.at for d in differences(ours, theirs, rule)]
    assert found == (["body/messages/1"] if at == [1] else at)
    assert accepts(ours, theirs, rule) is (not at)
    keys = [signature(r, rule).key(rule.parts) for r in (ours, theirs)]
    assert (keys[0] == keys[1]) is (not at)


@pytest.mark.parametrize(
    ("match_on", "ignore", "path", "same"),
    [
        ([], ["query.at"], "/x?at=2&n=1", True),
        ([], ["query.at"], "/x?at=2&n=2", False),
        (["query.n"], [], "/x?at=2&n=1&z=1", True),
        (["query.n"], [], "/x?at=1", False),
    ],
)
def test_parameters_are_chosen_and_ignored(
    match_on: list[str], ignore: list[str], path: str, same: bool
) -> None:
    rule = Rule.of(match_on, ignore)
    assert accepts(request("/x?n=1&at=1"), request(path), rule) is same


@pytest.mark.parametrize(
    ("match_on", "ignore", "message"),
    [
        (["bodi"], [], r"unknown part 'bodi' \(did you mean body\?\)"),
        (["path.x"], [], "'path.x' names no field"),
        ([], ["body..x"], "'body..x' names no field"),
        ([], ["body"], "cannot ignore all of 'body'"),
    ],
)
def test_words_that_mean_nothing_are_named(
    match_on: list[str], ignore: list[str], message: str
) -> None:
    with pytest.raises(MatchError, match=message):
        Rule.of(match_on, ignore)


def test_a_rule_over_another_keeps_its_parts_and_adds_what_is_ignored() -> None:
    project = Rule.of(["path", "body.model"], ["body.a"])
    assert EXACT.over(project) == project
    mine = Rule.of(["method"], ["query.b"]).over(project)
    assert mine == Rule((Part.METHOD,), (), (("query", "b"), ("body", "a")))
    assert str(project) == "path, body.model without body.a"
    assert str(EXACT) == ", ".join(ALL_PARTS)
