"""From an answer of a script to what is sent. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from mockserver.backend import reply as replies
from mockserver.backend import synthesis
from mockserver.backend.asked import Asked, Tool
from mockserver.backend.refusing import refused
from mockserver.backend.reply import Given, Reply
from mockserver.backend.script.steps import Fail, Step, Tape, ToolCall
from mockserver.cassettes.cassette import Interaction, Request
from mockserver.dialects.objection import Objection
from mockserver.dialects.registry import of_request, said
from mockserver.dialects.writing import Pace, digest, made_id
from mockserver.errors import CodingError, did_you_mean
from mockserver.library import streams
from mockserver.library.matcher import plain_path, same_path
from mockserver.library.refusal import RefusalError
from mockserver.library.session import Exchange
from mockserver.vocabulary.model import (
    AssistantTurn,
    FinishReason,
    JsonObject,
    Part,
    RefusalPart,
    Status,
    TextPart,
    Usage,
)
from mockserver.wire.schedule import from_response
from mockserver.wire.variation import Variation


class Answering:
    """Says the answers of a script in one session. ``seed`` and what came before make the ids."""

    def __init__(self, seed: int, pace: Pace) -> None:
        self._seed = seed
        self._pace = pace
        self._count = 0
        #: How many interactions of a cassette were played, by its name.
        self._played: dict[str, int] = {}

    def given(self, step: Step, asked: Asked) -> Given:
        """Return what is sent for an answer.

        Raises :class:`RefusalError` for one that does not fit the request, and ``UnmetSchemaError``
        for arguments that cannot be made up.
        """
        self._count += 1
        if step.play is not None:
            return self._tape(step, step.play, asked)
        key = digest(self._seed, step.where, self._count, length=32)
        turn = _turn(step, asked, key)
        reason = _reason(step.fail, asked) if step.fail else None
        source = f"rule {step.where}"
        manners = {name: getattr(step, name) for name in ("first_ms", "each_ms", "jitter")}
        given_ones = {name: value for name, value in manners.items() if value is not None}
        pace = replace(self._pace, seed=self._seed + self._count, **given_ones)
        if turn is None and reason is not None:
            given = refused(asked.dialect, asked.request, reason, source=source, call=asked.call)
            return replies.delayed(given, step.first_ms or 0.0)
        if turn is not None and reason is not None:
            # The answer breaks off with the error behind its parts.
            turn = replace(turn, status=Status.FAILED, finish_reason=None, error=reason.error)
        variation = Variation(broken=step.broken)
        reply = Reply(source=source, turn=turn, pace=pace, variation=variation)
        try:
            return replace(replies.given(asked, reply), notes=tuple(_notes(step, asked)))
        except ValueError as exc:
            raise _mistake(step, str(exc)) from None

    def _tape(self, step: Step, tape: Tape, asked: Asked) -> Given:
        """Return the next answer of a cassette to such a request; behind the last, the first."""
        fitting = [n for n, i in enumerate(tape.interactions) if _same(i.request, asked)]
        if not fitting:
            raise _mistake(
                step,
                f"{tape.name} has no answer to {asked.request.method} {asked.request.url.path}; "
                "record one in that wire format",
            )
        fitting = [n for n in fitting if _is_kind(tape.interactions[n], asked)]
        if not fitting:
            raise streams.refusal(asked.request, tape.name)
        played = self._played.get(tape.name, 0)
        self._played[tape.name] = played + 1
        number = fitting[played % len(fitting)]
        reply = Reply(
            source=f"cassette {tape.name}#{number}", variation=Variation(broken=step.broken)
        )
        response = tape.interactions[number].response
        try:
            return replies.of_response(asked.request, response, reply, asked)
        except (CodingError, ValueError) as exc:
            raise _mistake(step, f"{tape.name}: {exc}") from None


def _notes(step: Step, asked: Asked) -> Iterator[str]:
    """Yield where a script does what no model does with the request: that may be meant."""
    offered = {tool.name for tool in asked.tools}
    for name in dict.fromkeys(call.name for call in step.calls):
        if name not in offered:
            known = f"it offers {', '.join(sorted(offered))}" if offered else "it offers none"
            yield (
                f"{step.where}: calls the tool {name:.60}, which the request does not offer"
                f"{did_you_mean(name, offered)}; {known}"
            )
    schema = None if step.data is None else synthesis.wanted_schema(asked)
    if schema is not None and step.data is not None:
        from mockserver.backend.schemas.instance import mismatch

        problem = mismatch(schema, json.loads(step.data))
        if problem is not None:
            yield f"{step.where}: not what the schema of the request allows: {problem}"


def _same(recorded: Request, asked: Asked) -> bool:
    """Return whether a recorded request is one of the same kind, wherever it was sent to."""
    request = asked.request
    return recorded.method.upper() == request.method.upper() and (
        of_request(recorded) is asked.dialect
        or same_path(plain_path(recorded.url.path), plain_path(request.url.path))
    )


def _is_kind(recorded: Interaction, asked: Asked) -> bool:
    """Return whether a recorded answer is a stream if one is asked for, and whole if not."""
    exchange = Exchange(recorded.request, from_response(recorded.response))
    return streams.fits(exchange, asked.request)


def _reason(fail: Fail, asked: Asked) -> Objection:
    """Return a failure in the words of the provider, or in those of the script."""
    reason = said(asked.dialect, lambda r: r.failure(fail.status, fail.retry, asked.call))
    if fail.message:
        reason = replace(reason, error=replace(reason.error, message=fail.message))
    if fail.code is not None:
        reason = replace(
            reason,
            error=replace(reason.error, code=fail.code),
            fields={**reason.fields, "code": fail.code},
        )
    return reason


def _turn(step: Step, asked: Asked, key: str) -> AssistantTurn | None:
    turn = step.turn
    if turn is None:
        parts = list(_parts(step, asked, key))
        if not parts:
            return None
        turn = synthesis.completed(asked, synthesis.sealed(asked, parts, key), unique=key[:24])
    elif turn.response_id is None:
        turn = replace(turn, response_id=made_id(asked.dialect.ids.answer, key))
    if step.refuse is not None and turn.status is Status.COMPLETED:
        turn = replace(turn, finish_reason=FinishReason.REFUSAL)
    return replace(turn, usage=_usage(step, asked, turn))


def _usage(step: Step, asked: Asked, turn: AssistantTurn) -> Usage:
    """Return the counts of the script, and what it leaves open as counted."""
    usage = turn.usage or synthesis.counted(asked, turn)
    if step.usage is None:
        return usage
    usage = usage.merged(step.usage)
    total = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    return replace(usage, total_tokens=total)


def _parts(step: Step, asked: Asked, key: str) -> Iterator[Part]:
    if step.think is not None:
        yield synthesis.reasoning(asked, step.think, key)
    for text in (step.say, step.data):
        if text is not None:
            yield TextPart(text=text)
    if step.refuse is not None:
        yield RefusalPart(refusal=step.refuse) if _refuses(asked) else TextPart(text=step.refuse)
    for number, call in enumerate(step.calls):
        unique = digest(key, number, length=24)
        yield synthesis.tool_call(asked, call.name, _arguments(step, call, asked, key), unique)


def _refuses(asked: Asked) -> bool:
    capacity = asked.dialect.capacity
    return capacity is not None and RefusalPart in capacity.parts


def _arguments(step: Step, call: ToolCall, asked: Asked, key: str) -> JsonObject:
    if isinstance(call.arguments, dict):
        return call.arguments
    tool = next((tool for tool in asked.tools if tool.name == call.name), None)
    if not call.given:
        made = synthesis.tool_arguments(tool, key) if tool else {}
        return made if isinstance(made, dict) else {}
    return {_only_parameter(step, call, tool): call.arguments}


def _only_parameter(step: Step, call: ToolCall, tool: Tool | None) -> str:
    """Return the parameter that a value without a name is for. Raises :class:`RefusalError`."""
    properties = tool.parameters.get("properties") if tool else None
    names: list[str] = list(properties) if isinstance(properties, dict) else []
    if tool is not None and len(names) > 1:
        required = tool.parameters.get("required")
        names = [n for n in names if n in required] if isinstance(required, list) else []
    if len(names) == 1:
        return names[0]
    why = "takes not exactly one parameter" if tool else "is not offered by the request"
    raise _mistake(
        step,
        f"{call.name} {why}, so its arguments need names, such as {call.name}: {{city: Paris}}",
    )


def _mistake(step: Step, message: str) -> RefusalError:
    return RefusalError(422, "script", f"{step.where}: {message}")
