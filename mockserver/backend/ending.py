"""Where an answer ends: at a stop sequence of the call, or at its limit of tokens. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mockserver.backend import tokens
from mockserver.backend.asked import Asked
from mockserver.vocabulary.model import (
    FinishReason,
    Json,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)

#: Options that limit the tokens of an answer; the first that is there counts.
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


@dataclass(frozen=True, slots=True)
class Ending:
    """The parts that are left and why they end. ``stopped``: a stop sequence was met."""

    parts: tuple[Part, ...]
    reason: FinishReason
    stopped: bool = False


def ended(asked: Asked, parts: Sequence[Part]) -> Ending:
    """Cut parts where the call wants them to end."""
    has_call = any(isinstance(part, ToolCallPart) for part in parts)
    whole = FinishReason.TOOL_CALLS if has_call else FinishReason.STOP
    stopped = _before_stop(parts, _stops(asked.call.options.get("stop")))
    if stopped is not None:
        parts, whole = stopped, FinishReason.STOP
    kept = _within(parts, _limit(asked))
    if kept is not None:
        return Ending(tuple(kept), FinishReason.LENGTH)
    return Ending(tuple(parts), whole, stopped is not None)


def _stops(value: Json) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [stop for stop in values if isinstance(stop, str) and stop]


def _before_stop(parts: Sequence[Part], stops: Sequence[str]) -> list[Part] | None:
    """Return the parts before the first stop sequence; ``None`` if no text has one."""
    for number, part in enumerate(parts):
        if not isinstance(part, TextPart):
            continue
        found = [at for stop in stops if (at := part.text.find(stop)) >= 0]
        if found:
            return [*parts[:number], replace(part, text=part.text[: min(found)])]
    return None


def _limit(asked: Asked) -> int | None:
    """Return how many tokens the call allows. A limit below 0 is Ollama's word for none."""
    for name in _LIMITS:
        limit = asked.call.options.get(name)
        if isinstance(limit, int) and not isinstance(limit, bool):
            return limit if limit >= 0 else None
    return None


def _within(parts: Sequence[Part], left: int | None) -> list[Part] | None:
    """Return the parts that a limit leaves; ``None`` if it leaves them all."""
    if left is None:
        return None
    kept: list[Part] = []
    for part in parts:
        size = tokens.of_part(part)
        if size > left:
            pieces = tokens.tokens(tokens.text_of_part(part))[:left]
            return [*kept, _cut(part, "".join(pieces))] if pieces else kept
        left -= size
        kept.append(part)
    return None


def _cut(part: Part, text: str) -> Part:
    """Return the beginning of a part; reasoning without its end has no proof."""
    match part:
        case TextPart():
            return replace(part, text=text)
        case ReasoningPart():
            return replace(part, text=text, signature=None, encrypted_content=None)
        case RefusalPart():
            return replace(part, refusal=text)
        case ToolCallPart():
            return replace(part, arguments=None, arguments_raw=text)
    return part
