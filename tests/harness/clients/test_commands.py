"""Clients that are any program: what they send is taken, and what they do wrong is named."""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from harness.clients import registry, workers
from harness.clients.in_process import Output
from harness.clients.interface import Call
from harness.clients.launch import InWorker, command_of
from harness.clients.receiving import without_half
from harness.clients.workers import Worker, Workers
from harness.errors import AdapterError, HarnessError
from harness.wrapping.sdks import ProviderSdks
from mockserver.vocabulary import ErrorClass, FinishReason, Status

PROGRAM = Path(__file__).with_name("command.py")
CALL = Call(
    base_url="http://127.0.0.1:9",
    api_key="sk-tapecheck-1",
    model="m",
    messages=({"role": "user", "content": "hi"},),
    dialect="openai-chat",
)
WHOLE = replace(CALL, stream=False)
T = TypeVar("T")


def reference(name: str) -> str:
    return "cmd: " + shlex.join([sys.executable, "-S", "-E", str(PROGRAM), name])


def with_client(name: str, work: Callable[[Worker], Awaitable[T]], *failures: str) -> T:
    async def run() -> T:
        command = command_of("x", reference(name).removeprefix("cmd: "))
        launch = InWorker("x", command, frozenset(failures))
        those = Workers(launch, ProviderSdks())
        try:
            async with those.client() as client:
                return await work(client)
        finally:
            await those.close()

    return asyncio.run(run())


def output_of(
    name: str, *failures: str, call: Call = CALL, deadline: float = 20.0, stop: int | None = None
) -> Output:
    return with_client(name, lambda c: c.call(call, deadline=deadline, stop_after=stop), *failures)


def types_of(output: Output) -> list[str]:
    return [event.data["type"] for event in output.events]


def test_normalized_events_are_taken_as_they_are() -> None:
    output = output_of("good")
    assert types_of(output) == ["content_delta", "message_stop"]
    assert (output.raised, output.ended, output.hung) == (None, None, False)


def test_what_the_sdk_gave_becomes_events() -> None:
    output = output_of("native")
    assert types_of(output) == ["message_start", "content_delta", "message_stop"]
    assert output.turn is not None
    assert output.turn.value is not None
    assert output.turn.value.finish_reason is FinishReason.STOP


@pytest.mark.parametrize("name", ["native-no-end", "native-nothing"])
def test_an_answer_that_the_sdk_ended_without_an_exception_is_a_success(name: str) -> None:
    output = output_of(name)
    assert output.turn is not None
    assert output.turn.value is not None
    assert output.turn.value.status is Status.COMPLETED
    assert output.turn.value.finish_reason is FinishReason.UNKNOWN


def test_a_whole_answer_becomes_the_turn() -> None:
    output = output_of("native-turn", call=WHOLE)
    assert output.turn is not None
    assert output.turn.value is not None
    assert output.turn.value.content == "Hi"


def test_a_call_has_the_arguments_of_the_sdk_and_nothing_of_the_expectation() -> None:
    call = json.loads(output_of("echo").events[0].data["delta"])
    assert call.pop("arguments") == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream_options": {"include_usage": True},
    }
    assert call == {
        "type": "call",
        "id": 1,
        "dialect": "openai-chat",
        "base_url": "http://127.0.0.1:9",
        "api_key": "sk-tapecheck-1",
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [],
        "options": {},
        "stream": True,
        "timeout": 30.0,
        "max_retries": 0,
    }


@pytest.mark.parametrize("failures", [(), ("ApiError",)])
def test_a_documented_exception_is_an_error(failures: tuple[str, ...]) -> None:
    output = output_of("documented", *failures)
    assert output.turn is not None
    assert output.turn.value is not None
    assert output.turn.value.error is not None
    assert output.turn.value.error.error_class is ErrorClass.RATE_LIMIT
    whole = output_of("documented", *failures, call=WHOLE)
    assert whole.turn is not None
    assert whole.turn.value is not None
    assert whole.turn.value.status is Status.FAILED


def test_a_call_that_was_not_made_is_told_without_the_key() -> None:
    with pytest.raises(HarnessError) as raised:
        output_of("not-run-with-key")
    assert "the key is [key]" in str(raised.value)
    assert CALL.api_key not in str(raised.value)


@pytest.mark.parametrize("cut", [0, 1, 20])
def test_half_a_key_at_the_end_of_a_text_is_replaced_too(cut: int) -> None:
    key = "sk-tapecheck-0123456789abcdef01234567"
    assert without_half(f"at x {key[: len(key) - cut]}", key) == "at x [key]"


def test_a_foreign_exception_is_raised_and_its_traceback_has_no_key() -> None:
    output = output_of("foreign", "ApiError")
    assert output.raised == "TypeError: odd"
    assert output.traceback == "in x with [key]"


@pytest.mark.parametrize(
    ("name", "ended"),
    [
        ("junk", 'disturbed the messages of its process: not a message, but "Debug: connected"'),
        ("unknown-id", "disturbed the messages of its process: an answer to call 8, which was not"),
        ("unknown-form", "disturbed the messages of its process: no bundled client reads"),
        ("unreadable", "sent what cannot be read (RecursionError)"),
        ("two-hellos", "disturbed the messages of its process: a second hello"),
        ("crash", "ended its process (exit code 3)"),
        ("flood", "emitted more than"),
    ],
)
def test_what_a_program_does_wrong_is_one_clear_finding(name: str, ended: str) -> None:
    output = output_of(name)
    assert output.ended is not None
    assert ended in output.ended


def test_what_it_printed_before_it_died_is_kept() -> None:
    assert output_of("crash").printed == "about to fall over\n"


def test_what_it_prints_on_stderr_is_in_nobody_s_way() -> None:
    assert types_of(output_of("flood-of-errors")) == ["content_delta", "message_stop"]


def test_large_events_and_half_characters_pass() -> None:
    assert len(output_of("big").events[0].data["delta"]) == 10_000_000
    assert output_of("half-characters").events[0].data["delta"] == "\ud83d"


def test_a_thousand_calls_are_answered_in_any_order() -> None:
    async def many(client: Worker) -> list[str]:
        calls = [replace(CALL, model=f"m{number}") for number in range(1000)]
        outputs = await asyncio.gather(*(client.call(call, deadline=60.0) for call in calls))
        return [output.events[0].data["delta"] for output in outputs]

    assert with_client("in-any-order", many) == [f"m{number}" for number in range(1000)]


def test_a_call_that_could_not_be_made_is_no_fault_of_the_client() -> None:
    with pytest.raises(HarnessError, match="could not make the call: the disk is full"):
        output_of("not-run")


@pytest.mark.parametrize("name", ["hang", "deaf"])
def test_a_call_without_an_end_is_cancelled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "CANCEL_GRACE", 0.2)
    output = output_of(name, deadline=0.2)
    assert output.hung
    assert types_of(output) == ["content_delta"]


def test_a_caller_that_stops_reading_cancels_the_call() -> None:
    output = output_of("hang", stop=1)
    assert (output.late, output.hung, types_of(output)) == (0, False, ["content_delta"])


def test_a_program_is_an_adapter() -> None:
    adapter, baseline = registry.load(reference("good"))
    assert (adapter.name, adapter.dialects) == ("x", {"openai-chat"})
    assert not baseline.entries


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("refuses", "the SDK is not installed"),
        ("declares-nonsense", "'feature' was unexpected"),
        ("declares-an-unknown-feature", "unknown feature 'toools'"),
    ],
)
def test_a_program_that_is_no_adapter_is_refused(name: str, message: str) -> None:
    with pytest.raises(AdapterError) as raised:
        registry.load(reference(name))
    assert message in str(raised.value)


def test_a_declaration_names_a_command_in_its_directory(tmp_path: Path) -> None:
    shutil.copy(PROGRAM, tmp_path / "client.py")
    line = shlex.join([sys.executable, "-S", "-E", "client.py", "good"])
    declared = tmp_path / "mine.yaml"
    declared.write_text(
        f"adapter: mine\ncommand: {line}\nlevel: should\nerrors: none\n"
        "baseline:\n- {kind: crash, cases: ['http/**'], reason: known}\n"
    )
    adapter, baseline = registry.load(str(declared))
    assert (adapter.name, adapter.errors, adapter.level) == ("mine", "none", "should")
    assert [entry.reason for entry in baseline.entries] == ["known"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cmd:", "no command"),
        ("cmd: no-such-program x", "no program 'no-such-program'"),
        ("cmd: 'x", "not a command: No closing quotation"),
    ],
)
def test_a_line_that_is_no_command_is_refused(line: str, message: str) -> None:
    with pytest.raises(AdapterError) as raised:
        registry.load(line)
    assert message in str(raised.value)


def test_a_program_that_says_no_hello_is_named_with_what_it_printed() -> None:
    said = "import sys; print('no module named x', file=sys.stderr); sys.exit(1)"
    line = "cmd: " + shlex.join([sys.executable, "-S", "-E", "-c", said])
    with pytest.raises(AdapterError) as raised:
        registry.load(line)
    assert "ended its process (exit code 1); it printed: no module named x" in str(raised.value)
