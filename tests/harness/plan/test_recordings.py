from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SpecError
from harness.plan.recordings import scan
from tests.conftest import ROOT

CHAT = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
ASK = {"model": "m", "input": "hi", "background": True}


def interaction(
    uri: str, body: Any = None, status: int = 200, method: str = "POST", **headers: str
) -> dict[str, Any]:
    asked = ASK if uri == RESPONSES else BODY
    return {
        "request": {
            "method": method,
            "uri": uri,
            "headers": {},
            "body": json.dumps(asked) if method == "POST" else "",
        },
        "response": {
            "status": {"code": status, "message": ""},
            "headers": {name: [value] for name, value in headers.items()},
            "body": {"string": json.dumps(body) if body is not None else ""},
        },
    }


def poll(status: str, code: int = 200, response_id: str = "resp_1") -> dict[str, Any]:
    body = {"id": response_id, "status": status, "output": []}
    return interaction(f"{RESPONSES}/{response_id}", body, code, method="GET")


def job(status: str = "queued", response_id: str = "resp_1") -> dict[str, Any]:
    return interaction(RESPONSES, {"id": response_id, "status": status, "output": []})


def write(path: Path, *interactions: dict[str, Any]) -> Path:
    # JSON is YAML.
    path.write_text(json.dumps({"version": 1, "interactions": interactions}), encoding="utf-8")
    return path


def groups(tmp_path: Path, *interactions: dict[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """Return the interactions of each scenario, and why others are not run."""
    scenarios, excluded = scan(write(tmp_path / "a.yaml", *interactions))
    assert not any(item.unreadable for item in excluded)
    return [s.interactions for s in scenarios], {e.name: e.reason for e in excluded}


ANSWER = {"choices": []}


def test_each_request_is_a_call_of_its_own(tmp_path: Path) -> None:
    failed, answered = interaction(CHAT, {"error": {}}, 500), interaction(CHAT, ANSWER)
    assert groups(tmp_path, failed, answered, answered) == ([(0,), (1,), (2,)], {})


def moved(to: str, status: int = 307, uri: str = CHAT) -> dict[str, Any]:
    return interaction(uri, status=status, location=to)


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_and_its_target_are_one_call(tmp_path: Path, status: int) -> None:
    found = groups(
        tmp_path,
        moved("completions/", status),
        moved("../completions", status, CHAT + "/"),
        interaction(CHAT, ANSWER),
        interaction(CHAT, ANSWER),
    )
    assert found == ([(0, 1, 2), (3,)], {})


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("completions/", f"redirects to {CHAT}/: that is not recorded"),
        (f"{CHAT}/", f"redirects to {CHAT}/: a client would leave the server"),
        ("//b.test/v1", "redirects to https://b.test/v1: a client would leave the server"),
    ],
)
def test_a_redirect_must_lead_to_the_next_interaction(
    tmp_path: Path, location: str, reason: str
) -> None:
    found, excluded = groups(tmp_path, moved(location), interaction(CHAT, ANSWER))
    assert found == [(1,)]
    assert excluded == {"recordings/a/0": f"the answer {reason}"}


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_may_lose_the_method_is_not_played(tmp_path: Path, status: int) -> None:
    excluded = groups(tmp_path, moved("completions", status), interaction(CHAT, ANSWER))[1]
    reason = f"the answer redirects to {CHAT}: clients follow a {status} in different ways"
    assert excluded == {"recordings/a/0": reason}


def test_no_client_is_sent_to_another_server(tmp_path: Path) -> None:
    target = interaction("https://b.test/v1/chat/completions", ANSWER)
    found, excluded = groups(tmp_path, moved("https://b.test/v1/chat/completions"), target)
    assert found == []
    assert list(excluded) == ["recordings/a/0"]


@pytest.mark.parametrize("location", ["mailto:a@b.test", "ftp://b.test/"])
def test_what_is_no_redirect_of_http_is_played(tmp_path: Path, location: str) -> None:
    assert groups(tmp_path, moved(location)) == ([(0,)], {})


def test_a_job_and_its_polls_are_one_call(tmp_path: Path) -> None:
    end = poll("completed")
    found = groups(tmp_path, job(), poll("in_progress"), end, job("queued", "resp_2"), end)
    assert found[0] == [(0, 1, 2)]
    assert found[1] == {
        "recordings/a/3": "the recording ends before the answer does: a client would ask on",
        "recordings/a/4": "no dialect matches GET /v1/responses/resp_1",
    }
    (scenario,) = scan(tmp_path / "a.yaml")[0]
    assert scenario.requires == {"non_streaming", "background"}
    assert scenario.title == "Interaction 0 to 2 of a.yaml"


def test_a_failed_poll_ends_the_call(tmp_path: Path) -> None:
    found, excluded = groups(tmp_path, job(), poll("", 502), poll("completed"))
    assert found == [(0, 1)]
    assert list(excluded) == ["recordings/a/2"]


def test_a_single_file_is_a_recording(tmp_path: Path) -> None:
    path = write(tmp_path / "one file.yaml", interaction(CHAT, ANSWER))
    (scenario,) = scan(path)[0]
    assert (scenario.id, scenario.cassette) == ("recordings/one-file/0", path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.yaml", "no such file or directory of recordings"),
        ("notes.txt", "this is no recording"),
        ("empty", "no recording found"),
    ],
)
def test_where_no_recording_is(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(SpecError, match=message):
        scan(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_is_skipped_with_a_message(tmp_path: Path) -> None:
    write(tmp_path / "good.yaml", interaction(CHAT, ANSWER))
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "around").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "folder.yaml").mkdir()
    scenarios, excluded = scan(tmp_path)
    assert [s.id for s in scenarios] == ["recordings/good/0"]
    assert {e.name: e.unreadable for e in excluded} == {"loop": False, "pipe": False}
    assert all("is no regular file" in e.reason for e in excluded)
    with pytest.raises(SpecError, match="no regular file"):
        scan(tmp_path / "pipe.yaml")


def test_the_bundled_redirects_play_as_one_call() -> None:
    scenarios, excluded = scan(ROOT / "cassettes" / "http" / "redirect.yaml")
    grouped = [s.interactions for s in scenarios]
    assert grouped == [(0, 1), (2, 3), (4, 5, 6, 7, 8, 9, 10), (14,), (16,)]
    assert len(excluded) == 6


def test_files_with_names_that_are_alike_have_scenarios_of_their_own(tmp_path: Path) -> None:
    answer = interaction(CHAT, {"choices": []})
    for name in ("a b.yaml", "a-b.yaml", "\u00fc.yaml", "\u00f6.yaml"):
        write(tmp_path / name, answer)
    ids = [scenario.id for scenario in scan(tmp_path)[0]]
    assert ids == [
        "recordings/a-b/0",
        "recordings/a-b.2/0",
        "recordings/unnamed/0",
        "recordings/unnamed.2/0",
    ]


def test_a_file_of_another_kind_is_skipped_unless_it_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", interaction(CHAT, {}))
    other = tmp_path / "api.yaml"
    other.write_text("openapi: 3.0.0\npaths: {}\n")
    scenarios, excluded = scan(tmp_path)
    assert [s.id for s in scenarios] == ["recordings/a/0"]
    assert [(e.name, e.unreadable) for e in excluded] == [("api", False)]
    _, excluded = scan(other)
    assert [(e.name, e.unreadable) for e in excluded] == [("api", True)]
