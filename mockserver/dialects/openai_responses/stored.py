"""Responses and conversations that the server stores, and requests that refer to them. Pure.

Sources: https://platform.openai.com/docs/guides/conversation-state and
https://platform.openai.com/docs/api-reference/responses; the words of errors are those of reports:
maximhq/bifrost#2441 (a response), openai/openai-agents-python#1611 (an item).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mockserver.cassettes.cassette import Request
from mockserver.dialects.memory import Memory
from mockserver.dialects.openai_responses import output
from mockserver.dialects.openai_responses.answer import id_of
from mockserver.dialects.openai_responses.call import call_of
from mockserver.dialects.openai_responses.items import items_of, kept
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.side import refused
from mockserver.dialects.writing import compact
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import (
    AssistantTurn,
    ImagePart,
    Json,
    JsonObject,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)

_PREVIOUS, _CONVERSATION, _PROMPT = "previous_response_id", "conversation", "prompt"


@dataclass
class Stored:
    """A response: the body of its request, its turn, and the items ``before`` those of its input.

    ``given`` is that input, without references. ``size`` is in bytes, with what was before.
    ``polls`` counts how often a job was asked for; one that is ``cancelled`` stays so.
    """

    body: JsonObject
    turn: AssistantTurn
    before: Sequence[JsonObject]
    given: Sequence[Json]
    size: int
    polls: int = 0
    cancelled: bool = False

    @property
    def is_job(self) -> bool:
        """Whether it was made in the background."""
        return self.body.get("background") is True

    @cached_property
    def asked(self) -> tuple[JsonObject, ...]:
        """The items of its own input."""
        id_ = id_of(self.turn)
        return tuple(kept(item, id_, number) for number, item in enumerate(self.given))

    @cached_property
    def made(self) -> tuple[JsonObject, ...]:
        """The items of its output."""
        items = output.items_of(self.turn.parts, id_of(self.turn))
        return tuple(item.whole() for item in items)

    @property
    def items(self) -> tuple[JsonObject, ...]:
        """All items that led to it."""
        return (*self.before, *self.asked)


@dataclass(slots=True)
class Conversation:
    """A conversation: its items, and the metadata of its creator. ``size`` is in bytes."""

    id: str
    metadata: Json
    items: list[JsonObject] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction item stands for."""

    items: tuple[JsonObject, ...]


def read_asked(request: Request, memory: Memory) -> NeutralCall:
    """Return the call of a request, with the history that it refers to.

    Raises :class:`~mockserver.dialects.UnreadableRequestError`, and
    :class:`~mockserver.dialects.side.ObjectionError` for what is not there.
    """
    return call_of(whole(body_of(request), memory))


def whole(body: JsonObject, memory: Memory) -> JsonObject:
    """Return a body that refers to nothing. Raises as :func:`read_asked` does."""
    before, _ = _before(body, memory)
    given = body.get("input")
    prompt = body.get(_PROMPT)
    if not before and not prompt and not _refers(given):
        # Mostly so, and then nothing has to be copied.
        return {name: value for name, value in body.items() if name not in _REFERENCES}
    items: list[Json] = [*before]
    if prompt:
        # A prompt of the dashboard is not known here; that it was asked for counts.
        items.append({"role": "developer", "content": compact(prompt)})
    items += _all_resolved(given, memory)
    return {n: v for n, v in body.items() if n not in _REFERENCES} | {"input": items}


_REFERENCES = frozenset({_PREVIOUS, _CONVERSATION, _PROMPT})


def remember(request: Request, _call: NeutralCall, turn: AssistantTurn, memory: Memory) -> None:
    """Store a response, and add to the conversation of its request."""
    body = body_of(request)
    if body.get("store") is False:
        return
    before, size = _before(body, memory)
    given = body.get("input")
    own = _all_resolved(given, memory) if _refers(given) else items_of(given)
    size += 2 * len(request.body) + sum(map(_length, turn.parts))
    stored = Stored(body, turn, tuple(before), own, size)
    memory.keep(id_of(turn), stored, size)
    if (conversation := _conversation(body, memory)) is not None:
        extend(conversation, (*stored.asked, *stored.made), memory)


def _length(part: Part) -> int:
    """Return about how many bytes a part has."""
    match part:
        case TextPart() | ReasoningPart():
            return 4 * len(part.text)
        case ToolCallPart():
            return 8 * len(part.arguments_raw)
        case RefusalPart():
            return 4 * len(part.refusal)
        case ImagePart():
            return len(part.url)
    return 0


def extend(conversation: Conversation, items: Sequence[JsonObject], memory: Memory) -> None:
    """Add items to a conversation."""
    conversation.items += items
    conversation.size += sum(len(compact(item)) for item in items)
    memory.keep(conversation.id, conversation, conversation.size)


def find_response(id_: Json, memory: Memory) -> Stored:
    """Return a stored response. Raises in the words of the provider."""
    found = memory.find(id_, Stored) if isinstance(id_, str) else None
    if found is None:
        raise refused(f"Response with id '{id_}' not found.", status=404)
    return found


def find_conversation(id_: Json, memory: Memory) -> Conversation:
    """Return a conversation. Raises in the words of the provider."""
    found = memory.find(id_, Conversation) if isinstance(id_, str) else None
    if found is None:
        raise refused(f"Conversation with id '{id_}' not found.", status=404)
    return found


def _before(body: JsonObject, memory: Memory) -> tuple[Sequence[JsonObject], int]:
    """Return the items before those of a request, and their size."""
    previous, conversation = body.get(_PREVIOUS), _conversation(body, memory)
    if not previous:
        return (conversation.items, conversation.size) if conversation else ((), 0)
    if conversation is not None:
        raise refused(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you "
            "are only providing one of them.",
            param=_PREVIOUS,
            code="mutually_exclusive_parameters",
        )
    found = memory.find(previous, Stored) if isinstance(previous, str) else None
    if found is None:
        raise refused(
            f"Previous response with id '{previous}' not found.",
            param=_PREVIOUS,
            code="previous_response_not_found",
        )
    return (*found.items, *found.made), found.size


def _conversation(body: JsonObject, memory: Memory) -> Conversation | None:
    given = body.get(_CONVERSATION)
    if not given:
        return None
    return find_conversation(given.get("id") if isinstance(given, dict) else given, memory)


def _refers(given: Json) -> bool:
    """Return whether an input refers to items that are on the server."""
    return isinstance(given, list) and any(
        isinstance(item, dict) and item.get("type") in ("item_reference", "compaction")
        for item in given
    )


def _all_resolved(given: Json, memory: Memory) -> list[Json]:
    """Return the items of an input with those that it refers to."""
    known: dict[str, JsonObject] | None = None
    found: list[Json] = []
    for item in items_of(given):
        match item:
            case {"type": "item_reference", "id": id_}:
                known = _known(memory) if known is None else known
                if not isinstance(id_, str) or id_ not in known:
                    raise refused(
                        f"Item with id '{id_}' not found. Items are not persisted when `store` is "
                        "set to false. Try again with `store` set to true, or remove this item "
                        "from your input.",
                        status=404,
                        param="input",
                    )
                found.append(known[id_])
            case {"type": "compaction", "encrypted_content": str(sealed)}:
                compacted = memory.find(sealed, Compacted)
                found += compacted.items if compacted is not None else ()
            case {"type": "compaction"}:
                continue
            case _:
                found.append(item)
    return found


def _known(memory: Memory) -> dict[str, JsonObject]:
    """Return all items that may be referred to, by their ids."""
    stored = [item for one in memory.every(Stored) for item in (*one.asked, *one.made)]
    added = [item for one in memory.every(Conversation) for item in one.items]
    return {item["id"]: item for item in (*stored, *added)}
