"""How many tokens a text has: one rule for everything that nobody recorded. Pure.

A token is up to eight characters of a word, with the white space before it. Answers are cut into
their tokens, one a delta, so that the counts, the limits and the pace of an answer agree exactly.
"""

from __future__ import annotations

from mockserver.backend.asked import Asked
from mockserver.dialects.writing import Pace, compact, deltas
from mockserver.vocabulary.model import (
    AssistantTurn,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)

#: What an image counts for, whatever its size.
IMAGE = 85
#: What reasoning counts for that is not shown.
HIDDEN = 4
#: Cuts a text into its tokens.
TOKENS = Pace(words=True)


def tokens(text: str) -> list[str]:
    """Cut a text into its tokens."""
    return deltas(text, TOKENS)


def of_request(asked: Asked) -> int:
    """Count the texts of all messages, the calls in them, the tools, and the images."""
    count = sum(len(tokens(text)) for text in asked.texts)
    count += sum(len(tokens(compact(tool))) for tool in asked.call.tools)
    return count + IMAGE * asked.images


def of_turn(turn: AssistantTurn) -> tuple[int, int]:
    """Count the deltas of a turn: all of them, and those of its reasoning."""
    counts = [(of_part(part), isinstance(part, ReasoningPart)) for part in turn.parts]
    return sum(n for n, _ in counts), sum(n for n, is_reasoning in counts if is_reasoning)


def of_part(part: Part) -> int:
    """Count the deltas of a part; reasoning that is not shown counts as :data:`HIDDEN`."""
    if isinstance(part, ReasoningPart) and part.omitted:
        return HIDDEN
    return len(tokens(text_of_part(part)))


def text_of_part(part: Part) -> str:
    """Return what a part says in deltas."""
    match part:
        case TextPart() | ReasoningPart():
            return part.text
        case RefusalPart():
            return part.refusal
        case ToolCallPart():
            return part.arguments_raw
    return ""
