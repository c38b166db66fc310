"""What clients do: for each check one that makes the mistake, and one that does it right."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.backend.verdict import Level
from mockserver.dialects import Objection
from mockserver.library.outcome import Outcome
from mockserver.vocabulary import ToolCallPart
from tests.mockserver.backend.asking import tool, user
from tests.mockserver.backend.verdict.story import Story, answer, failure, tried

KEY = "sk-test-0123456789"


@dataclass(frozen=True)
class Pair:
    """A client with a mistake, and an honest one; what the test says of both."""

    wrong: Callable[[Story], Any]
    right: Callable[[Story], Any]
    level: Level = Level.FAIL
    statements: Mapping[str, Any] = field(default_factory=dict)


def too_early(story: Story) -> None:
    story.ask(at=0, fail=failure(429, 2), headers=tried(0))
    story.ask(at=0.4, headers=tried(1))


def in_time(story: Story) -> None:
    story.ask(at=0, fail=failure(429, 2), headers=tried(0))
    story.ask(at=2.1, headers=tried(1))


def retries_400(story: Story) -> None:
    story.ask(at=0, fail=failure(400), headers=tried(0))
    story.ask(at=1, headers=tried(1))


def retries_500(story: Story) -> None:
    story.ask(at=0, fail=failure(500), headers=tried(0))
    story.ask(at=1, headers=tried(1))


def two_layers(story: Story) -> None:
    for place, count in enumerate((0, 1, 0, 1)):
        story.ask(at=place, fail=failure(503), headers=tried(count), call=1)


def one_layer(story: Story) -> None:
    for place, count in enumerate((0, 1, 2)):
        story.ask(at=place, fail=failure(503), headers=tried(count), call=1)


def at_once(story: Story) -> None:
    for count in range(4):
        story.ask(at=count * 0.101, fail=failure(503), headers=tried(count))


def with_backoff(story: Story) -> None:
    for count in range(4):
        story.ask(at=count * 2.0, fail=failure(503), headers=tried(count))


def asks_again_behind_a_cut(story: Story) -> None:
    story.ask(at=0, broken="cut=3", headers=tried(0))
    story.ask(at=1, headers=tried(1))


def gives_up(story: Story) -> None:
    story.ask(at=0, fail=failure(429, 1))


def goes_on(story: Story) -> None:
    story.ask(at=0, fail=failure(429, 1), headers=tried(0))
    story.ask(at=1.2, headers=tried(1))


def twice_at_once(story: Story) -> None:
    story.ask(at=0)
    story.ask(at=0.01, connection=2)


def one_by_one(story: Story) -> None:
    story.ask(at=0)
    story.ask(at=1)


def one_key_for_two(story: Story) -> None:
    story.ask(at=0, headers={"idempotency-key": "a"})
    story.ask(user("Ho"), at=1, headers={"idempotency-key": "a"})


def one_key_for_one(story: Story) -> None:
    story.ask(at=0, fail=failure(500), headers={"idempotency-key": "a"})
    story.ask(at=1, headers={"idempotency-key": "a"})


def keeps_a_cut_text(story: Story) -> None:
    whole = story.ask(at=0, broken="cut=6")
    facts = _texts(story)
    assert whole.content.startswith(facts)
    story.ask(user("Hi"), answer(facts), user("More"), at=1)


def drops_a_cut_text(story: Story) -> None:
    story.ask(at=0, broken="cut=6")
    whole = story.ask(at=1)
    story.ask(user("Hi"), answer(whole.content), user("More"), at=2)


def keeps_the_text_before_an_error(story: Story) -> None:
    story.ask(at=0, in_band=failure(500))
    story.ask(user("Hi"), answer(_texts(story)), user("More"), at=1)


def repeats_after_an_error(story: Story) -> None:
    story.ask(at=0, in_band=failure(500))
    whole = story.ask(at=1)
    story.ask(user("Hi"), answer(whole.content), user("More"), at=2)


def executes_a_cut_call(story: Story) -> None:
    tools = (tool("weather"),)
    story.ask(at=0, broken="cut=2", tools=tools)
    (call,) = story.turns[0].tool_calls
    story.ask(user("Hi"), *_called(call, "{}"), at=1, tools=tools)


def repeats_a_cut_call(story: Story) -> None:
    tools = (tool("weather"),)
    story.ask(at=0, broken="cut=2", tools=tools)
    story.ask(at=1, tools=tools)
    (call,) = story.turns[1].tool_calls
    story.ask(user("Hi"), *_called(call, call.arguments_raw), at=2, tools=tools)


def skips_a_malformed_event(story: Story) -> None:
    whole = story.ask(at=0, broken="garble=3")
    pieces = _pieces(whole.content)
    # The first event has the role alone.
    text = "".join(pieces[:2] + pieces[3:])
    story.ask(user("Hi"), answer(text), user("More"), at=1)


def repeats_after_a_malformed_event(story: Story) -> None:
    story.ask(at=0, broken="garble=3")
    whole = story.ask(at=1)
    story.ask(user("Hi"), answer(whole.content), user("More"), at=2)


def changes_arguments(story: Story) -> None:
    tools = (tool("weather"),)
    (call,) = story.ask(at=0, tools=tools).tool_calls
    story.ask(user("Hi"), *_called(call, '{"city": "Rome"}'), at=1, tools=tools)


def spaces_arguments(story: Story) -> None:
    tools = (tool("weather"),)
    (call,) = story.ask(at=0, tools=tools).tool_calls
    story.ask(user("Hi"), *_called(call, json.dumps(call.arguments, indent=2)), at=1, tools=tools)


def bears_silence(story: Story) -> None:
    story.ask(at=0, broken="stall=2", until=30, outcome=Outcome.SERVER_CLOSED)


def leaves_in_silence(story: Story) -> None:
    story.ask(at=0, broken="stall=2", until=5.2)


def reads_on(story: Story) -> None:
    story.ask(at=0, until=20)


def hangs_up(story: Story) -> None:
    story.ask(at=0, until=5.1, outcome=Outcome.CLIENT_CLOSED)


def key_in_the_body(story: Story) -> None:
    story.ask(user(f"my key is {KEY}"), at=0)


def key_in_the_header(story: Story) -> None:
    story.ask(at=0, headers={"authorization": f"Bearer {KEY}"})


def tools_change_places(story: Story) -> None:
    one, other = tool("weather"), tool("time")
    first = story.ask(at=0, tools=(one, other), tool_choice="none")
    history = (user("Hi"), answer(first.content), user("More"))
    story.ask(*history, at=1, tools=(other, one), tool_choice="none")


def tools_keep_their_places(story: Story) -> None:
    tools = (tool("weather"), tool("time"))
    first = story.ask(at=0, tools=tools, tool_choice="none")
    history = (user("Hi"), answer(first.content), user("More"))
    story.ask(*history, at=1, tools=tools, tool_choice="none")


def is_refused(story: Story) -> None:
    orphan = Objection(
        check="orphan-result", error=failure(400), source="https://example.com", proves=True
    )
    story.ask(at=0, fail=failure(400), objections=(orphan,))


def is_not_refused(story: Story) -> None:
    story.ask(at=0)


def asks_too_often(story: Story) -> None:
    story.ask(at=0, outcome=Outcome.MISSED)


def _texts(story: Story) -> str:
    """Return the text of the last answer, as far as it was sent."""
    from mockserver.backend.verdict.scene import Event

    facts = Event(story.seen[-1]).facts
    assert facts is not None
    return facts.text or ""


def _pieces(text: str) -> list[str]:
    from mockserver.backend.tokens import tokens

    return tokens(text)


def _called(call: ToolCallPart, arguments: str) -> list[dict[str, Any]]:
    function = {"name": call.name, "arguments": arguments}
    calls = [{"id": call.id, "type": "function", "function": function}]
    return [
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": call.id, "content": "21"},
    ]


PAIRS: Mapping[str, Pair] = {
    "retry-after": Pair(too_early, in_time),
    "retried-client-error": Pair(retries_400, retries_500),
    "retry-layers": Pair(two_layers, one_layer),
    "retry-storm": Pair(at_once, with_backoff),
    "billed-twice": Pair(asks_again_behind_a_cut, retries_500, Level.NOTE),
    "gave-up": Pair(gives_up, goes_on, Level.NOTE),
    "duplicate-in-flight": Pair(twice_at_once, one_by_one, Level.NOTE),
    "idempotency-key": Pair(one_key_for_two, one_key_for_one),
    "truncated-stream": Pair(keeps_a_cut_text, drops_a_cut_text),
    "cut-call": Pair(executes_a_cut_call, repeats_a_cut_call),
    "in-band-error": Pair(keeps_the_text_before_an_error, repeats_after_an_error),
    "malformed-event": Pair(skips_a_malformed_event, repeats_after_a_malformed_event),
    "changed-call": Pair(changes_arguments, spaces_arguments),
    "read-timeout": Pair(bears_silence, leaves_in_silence, statements={"timeout": 5.0}),
    "cancel": Pair(reads_on, hangs_up, statements={"cancelled": (5.0,)}),
    "key": Pair(key_in_the_body, key_in_the_header, statements={"keys": {"openai-chat": KEY}}),
    "prompt-prefix": Pair(tools_change_places, tools_keep_their_places, Level.NOTE),
    "refused-request": Pair(is_refused, is_not_refused),
    "unanswered": Pair(asks_too_often, is_not_refused),
}
