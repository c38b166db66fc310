"""Draw wires: a turn, written in a dialect, spelled oddly and sent in some way. Needs hypothesis.

Every wire is one that the provider may send: expected is what the dialect's facts say of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import reject
from hypothesis import strategies as st

from harness.fuzz.turns import LETTERS, Matter, names, objects_of, some_parts, turns
from mockserver.cassettes import Interaction
from mockserver.dialects import (
    Dialect,
    Pace,
    Spelling,
    StreamEvent,
    UnwritableError,
    events_of,
    fitted,
    lane_of,
    respelled,
    said_otherwise,
    written_answer,
    written_error,
    written_request,
)
from mockserver.vocabulary import (
    AssistantTurn,
    ErrorClass,
    ErrorInfo,
    JsonObject,
    NeutralCall,
    Part,
    ReasoningPart,
    RefusalPart,
    Status,
    TextPart,
    ToolCallPart,
)
from mockserver.wire import AXES, RECORDED, SWEPT, Break, FaultKind, Point, from_response, point

#: Beginnings of texts that readers take for something else, or lose.
_ODD = ("", " ", "\n", "\u0301", "\u200d", "[DONE]", "data: ", "{", "<b>", "null", "0", "\\u00e9")
_pieces = st.sampled_from([*_ODD, "\u2028", "\u2029", "\x85", "\ufeff", "\r\n", '"', "\\", "🎉"])
#: Texts with any beginning, most of them short; none is empty.
odd_texts = st.lists(
    _pieces | _pieces | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4),
    min_size=1,
    max_size=4,
).map(lambda pieces: "".join(pieces) or "a")
#: Names of tools as OpenAI allows them, few of which differ.
odd_names = st.sampled_from(["f", "g", "get-weather", "a_1"]) | st.text(
    LETTERS + "_-", min_size=1, max_size=64
).filter(lambda name: name[0] not in "-_0123456789")
#: Failures that a server tells, in the stream or as a status.
FAILURES = (
    ErrorClass.OVERLOADED,
    ErrorClass.SERVER_ERROR,
    ErrorClass.RATE_LIMIT,
    ErrorClass.INVALID_REQUEST,
    ErrorClass.CONTEXT_LENGTH,
    ErrorClass.AUTHENTICATION,
    ErrorClass.MODEL_NOT_FOUND,
)
#: The parts that a client must know about, by the feature that says it does.
_BY_FEATURE: Mapping[str, type[Part]] = {
    "tools": ToolCallPart,
    "reasoning": ReasoningPart,
    "refusal": RefusalPart,
}
#: Parts of a turn, beside one that all dialects can say, and a call that is there twice.
MOST = 8
#: What a call needs that is no more than the form of its answer.
FORMS = frozenset({"streaming", "non_streaming"})
#: How often each of 20 wires is broken, is an error, or fails in the stream.
_BROKEN, _REFUSED, _FAILED = 3, 1, 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that a client makes, and the features beyond the form of the answer that it needs."""

    call: NeutralCall
    requires: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Wire:
    """One answer and how it is sent.

    ``turn`` is what it says, as far as the dialect can; ``requires`` what the call needs. It is
    sent at a point of the axes or is broken, not both.
    """

    dialect: str
    turn: AssistantTurn
    call: NeutralCall
    requires: frozenset[str]
    interaction: Interaction
    point: Point = RECORDED
    broken: Break | None = None

    @property
    def size(self) -> tuple[int, ...]:
        """How much there is to look at: of two wires that show the same, the smaller is kept."""
        changes = len(self.point.values) + 2 * (self.broken is not None)
        chunks = self.interaction.response.wire.chunks or ()
        return (len(self.interaction.response.body) + 40 * changes, len(chunks))


def wires(
    dialect: Dialect, features: frozenset[str], asked: Asked, *, most: int = MOST
) -> st.SearchStrategy[Wire]:
    """Return the strategy of wires for a client with these features.

    ``asked`` is a call that the client makes in this dialect; its tools are replaced. ``most`` is
    the number of parts of a turn.
    """
    kinds: set[type[Part]] = {
        TextPart,
        *(part for word, part in _BY_FEATURE.items() if word in features),
    }
    matter = Matter(
        texts=odd_texts,
        names=odd_names,
        objects=objects_of(odd_texts),
        kinds=frozenset(kinds),
        most=most,
        repeats=True,
        least=0,
        cited="citations" in features,
    )
    return _wires(dialect, features, asked, matter)


@st.composite
def _wires(
    draw: st.DrawFn,
    dialect: Dialect,
    features: frozenset[str],
    asked: Asked,
    matter: Matter,
) -> Wire:
    fate = draw(st.integers(0, 19))
    is_refused, is_failed = fate > 19 - _REFUSED, 19 - _REFUSED - _FAILED < fate <= 19 - _REFUSED
    turn = fitted(dialect, draw(_failed(matter) if is_failed else turns(matter))).turn
    call = replace(asked.call, tools=_tools(turn), stream=_streams(draw, features))
    pace = Pace(sizes=draw(_sizes))
    try:
        if is_refused:
            turn = draw(_refused)
            assert turn.error is not None
            answer = written_error(dialect, turn.error, call)
        else:
            answer = written_answer(dialect, turn, call, pace)
        request = written_request(dialect, call)
    except UnwritableError:
        reject()
    events = events_of(answer)
    if events and (changed := _oddly(draw, dialect, events)) != events:
        answer = respelled(answer, changed)
    wire = Wire(
        dialect=dialect.name,
        turn=turn,
        call=call,
        requires=asked.requires,
        interaction=Interaction(request, answer),
    )
    if events and turn.error is None and draw(st.integers(0, 19)) > 19 - _BROKEN:
        return replace(wire, broken=draw(_breaks(wire)))
    return replace(wire, point=draw(_points))


#: Sizes of deltas in turn; none of them is 0 alone.
_sizes = st.sampled_from([(), (1,), (2,), (3,)]) | st.lists(st.integers(0, 5), max_size=4).map(
    lambda sizes: tuple(sizes) if any(sizes) else ()
)


def _streams(draw: st.DrawFn, features: frozenset[str]) -> bool:
    if "non_streaming" not in features:
        return True
    return "streaming" in features and draw(st.integers(0, 4)) < 4


def _tools(turn: AssistantTurn) -> tuple[JsonObject, ...]:
    """Return a tool for each name that the turn calls; any object is right."""
    called = dict.fromkeys(call.name for call in turn.tool_calls)
    return tuple(
        {
            "type": "function",
            "function": {
                "name": name,
                "description": "Any arguments.",
                "parameters": {"type": "object", "additionalProperties": True},
            },
        }
        for name in called
    )


@st.composite
def _errors(draw: st.DrawFn) -> ErrorInfo:
    kind = draw(st.sampled_from(FAILURES))
    message = draw(st.just("It went wrong.") | odd_texts.map(lambda text: f"No: {text}."))
    return ErrorInfo(error_class=kind, message=message, retryable=kind.retryable)


@st.composite
def _failed(draw: st.DrawFn, matter: Matter) -> AssistantTurn:
    """Make a turn that fails in its stream, behind some parts."""
    return AssistantTurn(
        response_id=draw(names),
        model=draw(names),
        status=Status.FAILED,
        error=draw(_errors()),
        parts=draw(some_parts(matter)),
    )


_refused = _errors().map(lambda error: AssistantTurn(status=Status.FAILED, error=error, parts=()))


def _oddly(
    draw: st.DrawFn, dialect: Dialect, events: Sequence[StreamEvent]
) -> tuple[StreamEvent, ...]:
    """Say a stream in other words, at a few of its events."""
    spelling = draw(st.sampled_from(Spelling))
    found = [replace(event, spelling=spelling) for event in events]
    for swap in sorted(draw(st.lists(st.integers(0, 200), max_size=6))):
        here, there = swap % len(found), (swap + 1) % len(found)
        lanes = lane_of(dialect, found[here]), lane_of(dialect, found[there])
        if here < there and None not in lanes and lanes[0] != lanes[1]:
            found[here], found[there] = found[there], found[here]
    changes = dict(draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 7)), max_size=3)))
    changed: list[StreamEvent] = []
    for number, event in enumerate(found):
        others = said_otherwise(dialect, event)
        which = changes.get(number)
        if which is None or event.is_text:
            changed.append(event)
        elif which < len(others):
            changed += others[which]
        elif which == 7 and isinstance(event.data, dict):
            changed.append(replace(event, data={**event.data, "x_new": None}))
        else:
            changed.append(event)
    return tuple(changed)


@st.composite
def _points_of(draw: st.DrawFn) -> Point:
    axes = draw(st.lists(st.sampled_from(list(AXES)), unique=True, max_size=3))
    values = {axis: draw(st.sampled_from(AXES[axis][1:])) for axis in axes}
    return point(values)


_points = _points_of()


@st.composite
def _breaks(draw: st.DrawFn, wire: Wire) -> Break:
    """Draw an interruption; a stall, which takes a client's whole timeout, is rare."""
    count = len(from_response(wire.interaction.response).plain.event_ends)
    kinds = [kind for kind in SWEPT if kind is not FaultKind.STALL] * 8 + [FaultKind.STALL]
    return Break(draw(st.sampled_from(kinds)), draw(st.integers(0, count)))
