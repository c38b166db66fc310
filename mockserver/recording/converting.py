"""Says a recorded interaction in another dialect. Pure.

What the other dialect has no words for is named, so that nothing is lost silently.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mockserver.cassettes.cassette import Cassette, End, Interaction, Origin, Response
from mockserver.dialects import (
    Dialect,
    Pace,
    UnreadableRequestError,
    UnwritableError,
    fitted,
    written_answer,
    written_error,
    written_request,
)
from mockserver.secrets.scan import scan_cassette
from mockserver.vocabulary import AssistantTurn, ErrorClass, FinishReason, Json, NeutralCall

#: Failures that are in the wire and not in what the provider says.
_OF_THE_WIRE = frozenset(
    {
        ErrorClass.CONNECTION_LOST,
        ErrorClass.TRUNCATED_STREAM,
        ErrorClass.EMPTY_RESPONSE,
        ErrorClass.INVALID_TOOL_ARGUMENTS,
        ErrorClass.PROTOCOL,
        ErrorClass.CANCELLED,
    }
)


class InconvertibleError(ValueError):
    """An interaction cannot be said in another dialect. The message says why."""


@dataclass(frozen=True, slots=True)
class Converted:
    """An interaction in another dialect; ``lost`` is what that has no words for."""

    interaction: Interaction
    lost: tuple[str, ...]


def convert(
    call: NeutralCall, turn: AssistantTurn, source: Response, dialect: Dialect
) -> Converted:
    """Say a call and its turn in ``dialect``, with about the times of the ``source``.

    Raises :class:`InconvertibleError` for an answer that is broken, and for what the dialect
    cannot say.
    """
    if source.wire.end is not End.EOF:
        raise InconvertibleError(f"its answer did not end ({source.wire.end})")
    if turn.error is not None and turn.error.error_class in _OF_THE_WIRE:
        raise InconvertibleError(f"its answer is broken: {turn.error.message}")
    try:
        request = written_request(dialect, call)
        lost = _lost_options(call, dialect.read_call(request))
        if turn.error is not None and turn.error.status is not None:
            response = written_error(dialect, turn.error, call)
        else:
            lost += fitted(dialect, turn).lost
            _check_reason(turn, dialect)
            response = _answer(turn, call, source, dialect)
    except (UnwritableError, UnreadableRequestError) as exc:
        raise InconvertibleError(str(exc)) from None
    wire = replace(response.wire, origin=Origin.CONVERTED)
    interaction = Interaction(request, replace(response, wire=wire))
    for hit in scan_cassette(Cassette(Path(), (interaction,))):
        raise InconvertibleError(f"{hit.place} contains {hit.kind}")
    return Converted(interaction, lost)


def _answer(turn: AssistantTurn, call: NeutralCall, source: Response, dialect: Dialect) -> Response:
    """Write the answer twice: its number of chunks says how far apart they are."""
    times = [chunk.at_ms for chunk in source.wire.chunks or ()]
    first, last = (times[0], times[-1]) if times else (source.wire.headers_ms,) * 2
    chunks = written_answer(dialect, turn, call, Pace()).wire.chunks or ()
    each = round((last - first) / max(len(chunks) - 1, 1), 1)
    return written_answer(dialect, turn, call, Pace(first_ms=first, each_ms=each))


def _check_reason(turn: AssistantTurn, dialect: Dialect) -> None:
    """Raise for a reason that would become a success: it is written as ``stop``."""
    reason, capacity = turn.finish_reason, dialect.capacity
    said = capacity is None or reason in capacity.words
    if reason is not None and reason is not FinishReason.UNKNOWN and not said:
        raise InconvertibleError(f"{dialect.name} has no word for finish_reason {reason}")


def _lost_options(call: NeutralCall, said: NeutralCall) -> tuple[str, ...]:
    known = {_plain_option(name, value) for name, value in said.options.items()}
    options = call.options.items()
    lost = [name for name, value in options if _plain_option(name, value) not in known]
    tools = () if said.tools == call.tools or not call.tools else ("parts of the tools",)
    return (*(f"the option {name}" for name in lost), *tools)


def _plain_option(name: str, value: Json) -> tuple[str, str]:
    """Return an option without what dialects may call otherwise: a limit, a schema's name."""
    if name in ("max_tokens", "max_completion_tokens"):
        name = "max_tokens"
    if name == "response_format" and isinstance(value, Mapping):
        schema = value.get("json_schema")
        value = schema.get("schema") if isinstance(schema, Mapping) else value.get("type")
    return name, json.dumps(value, sort_keys=True)
