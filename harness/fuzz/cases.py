"""Make a case of a wire: the scenario as its file says it, and the cassette. Pure."""

from __future__ import annotations

from pathlib import Path

from harness.clients.interface import Adapter
from harness.fuzz.wires import Wire
from harness.plan.expand import Axes, expand, skip_reason
from harness.suite.loader import scenario_from
from harness.suite.scenario import Case, CaseKind, Scenario
from mockserver.cassettes import Cassette
from mockserver.vocabulary import (
    JsonObject,
    Part,
    Status,
    TextPart,
    ToolCallPart,
    to_json,
)
from mockserver.wire import from_response

#: Where a wire comes from that nobody recorded.
SOURCE = "Drawn by tapecheck fuzz from the wire format of its dialect."
#: The features that parts of a turn need, by their types.
FEATURES = {"reasoning": "reasoning", "refusal": "refusal", "tool_call": "tools"}


def document(wire: Wire, name: str, title: str) -> JsonObject:
    """Return the scenario of a wire in the form of its file."""
    call: JsonObject = {"model": wire.call.model, "messages": list(wire.call.messages)}
    if wire.call.tools:
        call["tools"] = list(wire.call.tools)
    if not wire.call.stream:
        call["stream"] = False
    if wire.call.options:
        call["options"] = dict(wire.call.options)
    return {
        "version": 1,
        "scenario": name,
        "title": title,
        "dialect": wire.dialect,
        "requires": sorted(_features(wire)),
        "source": SOURCE,
        "priority": "P1",
        "call": call,
        "expect": {"turn": _expected(wire)},
    }


def _features(wire: Wire) -> set[str]:
    needed = {"streaming" if wire.call.stream else "non_streaming", *wire.requires}
    kinds = {part.type for part in wire.turn.parts}
    needed |= {feature for kind, feature in FEATURES.items() if kind in kinds}
    if any(isinstance(part, TextPart) and part.citations for part in wire.turn.parts):
        needed.add("citations")
    return needed


def _expected(wire: Wire) -> JsonObject:
    """Return what a client must make of a turn; the rules judge the rest by the wire.

    The parts are stated only where the stream breaks, for which the whole content must be known:
    how a client divides it is not judged here.
    """
    turn = wire.turn
    if turn.status is Status.FAILED:
        return {"status": "failed"}
    expected: JsonObject = {"status": str(turn.status)}
    if turn.finish_reason is not None:
        expected["finish_reason"] = str(turn.finish_reason)
    if wire.broken is not None:
        return {**expected, "parts": [_part(part) for part in turn.parts]}
    expected["content"] = turn.content
    expected |= {name: text for name in ("reasoning", "refusal") if (text := getattr(turn, name))}
    return {**expected, "tool_calls": [_part(call) for call in turn.tool_calls]}


def _part(part: Part) -> JsonObject:
    """Return a part as JSON, without what the wire may say less exactly, or not.

    These are citations, made ids, and the text of arguments, which whole answers may have as an
    object.
    """
    left_out = {"citations", "arguments_raw"}
    if isinstance(part, ToolCallPart) and part.id_synthesized:
        left_out |= {"id", "id_synthesized"}
    return {name: value for name, value in to_json(part).items() if name not in left_out}


def case_of(
    wire: Wire, adapter: str, scenario: JsonObject, file: Path, cassette: Path
) -> tuple[Case, Cassette]:
    """Return the case that a wire is for an adapter, and the cassette that it plays."""
    tape = Cassette(cassette, (wire.interaction,))
    found = scenario_from(file, cassette, scenario)
    if wire.broken is not None:
        return (
            Case(
                scenario=found,
                adapter=adapter,
                kind=CaseKind.FAULT,
                fault=wire.broken.kind,
                event=wire.broken.events,
            ),
            tape,
        )
    answers = (from_response(wire.interaction.response),)
    *_, last = expand(found, adapter, answers, Axes(mode="chosen", chosen=wire.point), faults=False)
    return last, tape


def may_play(scenario: Scenario, adapter: Adapter) -> bool:
    """Return whether the adapter declares what the scenario needs."""
    return skip_reason(scenario, adapter) is None
