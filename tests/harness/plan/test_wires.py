from __future__ import annotations

import socket
from dataclasses import replace
from urllib.parse import urlsplit

from harness.judge.reading import facts_about
from harness.plan.expand import Axes
from harness.plan.planning import Settings, cassette_of, make_plan, schedules_of
from harness.plan.wires import GATE, schedules_for
from harness.suite import bundled
from harness.suite.scenario import Case, CaseKind
from mockserver import Exchange, MockServer
from mockserver.cassettes.cassette import Request
from mockserver.wire.schedule import Coding, Ending, Gate, Schedule, Send
from tests.mockserver.rawhttp import connect, read_all, read_to_reset, request_bytes


def cases() -> dict[str, Case]:
    settings = Settings(
        adapters=("openai-compat", "chatcmpl-to-responses"),
        patterns=("openai-chat/text-basic",),
        axes=Axes(mode="pairwise"),
    )
    return {case.id: case for case in make_plan(settings).cases}


def test_every_adapter_is_played_the_same_objects() -> None:
    found = cases()
    ours = [case for case in found.values() if case.adapter == "openai-compat"]
    assert {case.kind for case in ours} == set(CaseKind)
    for case in ours:
        schedules = schedules_for(case)
        other = replace(case, adapter="chatcmpl-to-responses")
        assert schedules_for(other) is schedules
        dialect = case.scenario.dialect
        assert facts_about(dialect, *schedules) is facts_about(dialect, *schedules_for(other))


def test_a_case_is_played_on_its_own_wire() -> None:
    found = cases()
    (whole,) = schedules_of(found["openai-chat/text-basic/recorded@openai-compat"].scenario)
    wires = {name: schedules_for(case)[0] for name, case in found.items()}
    assert wires["openai-chat/text-basic/recorded@openai-compat"] == whole
    cut = wires["openai-chat/text-basic/cut=2@openai-compat"]
    assert cut.body == whole.body[: whole.plain.event_ends[1]]
    assert wires["openai-chat/text-basic/stall=2@openai-compat"].ending is Ending.STALL
    held = wires["openai-chat/text-basic/hold=2@openai-compat"]
    assert [n for n, step in enumerate(held.steps) if isinstance(step, Gate)] == [2]
    assert Gate(GATE) in held.steps
    assert len({wire.body for wire in wires.values()}) > len(whole.plain.event_ends)


def test_a_url_with_the_words_of_a_case_sends_what_the_harness_plays() -> None:
    """Everybody can reproduce a case without this package's Python."""
    found = [c for c in cases().values() if c.adapter == "openai-compat" and c.gate is None]
    path = recorded_path(found[0])
    with MockServer(bundled.cassettes()) as server:
        for case in found:
            words = "" if case.variation == "recorded" else f"/~{case.variation}"
            (schedule,) = schedules_for(case)
            with server.session(exchanges=[Exchange(request_of(case), schedule)]) as session:
                played = raw(session.url + path, schedule)
            pinned = f"{server.url}/c/openai-chat/text-basic{words}{path}"
            assert raw(pinned, schedule) == played, case.id
            assert schedule.body in played or schedule.coding is Coding.CHUNKED


def request_of(case: Case) -> Request:
    return cassette_of(case.scenario.cassette).interactions[0].request


def recorded_path(case: Case) -> str:
    return request_of(case).url.path


def raw(url: str, schedule: Schedule) -> bytes:
    """Return all bytes of the answer: up to its end, or as many as come before a stall."""
    parts = urlsplit(url)
    with connect(url) as sock:
        sock.sendall(request_bytes(parts.path, method="POST"))
        if schedule.ending is Ending.STALL:
            return read_before_stall(sock, schedule)
        return read_to_reset(sock) if schedule.ending is Ending.RESET else read_all(sock)


def read_before_stall(sock: socket.socket, schedule: Schedule) -> bytes:
    """Read as many chunks as were sent; the server then waits."""
    data = b""
    sizes = [f"{len(s.data):x}\r\n".encode() + s.data + b"\r\n" for s in schedule.sends]
    while not data.endswith(b"".join(sizes) or b"\r\n\r\n"):
        data += sock.recv(65536)
    return data


def test_whole_answers_to_calls_at_once_wait_in_the_middle() -> None:
    settings = Settings(adapters=("openai-compat",), patterns=("conduct/chat-together-whole",))
    (case,) = make_plan(settings).cases
    for schedule in schedules_for(case):
        first, gate, last = schedule.steps
        assert isinstance(first, Send)
        assert isinstance(gate, Gate)
        assert isinstance(last, Send)
