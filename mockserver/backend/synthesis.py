"""What a model could have answered: a turn for any call, the same for the same call. Pure.

Texts do what a short instruction says, else they are one sentence with a mark, a word that occurs
nowhere else. Tools are called once each, then their results are answered: so every loop ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mockserver.backend import tokens
from mockserver.backend.asked import Asked, Tool
from mockserver.backend.choice import chosen
from mockserver.backend.ending import ended
from mockserver.backend.schemas.unmet import UnmetSchemaError
from mockserver.cassettes.cassette import Request
from mockserver.dialects.writing import OWN, compact, digest, made_id, made_seal
from mockserver.vocabulary.model import (
    AssistantTurn,
    FinishReason,
    Json,
    JsonObject,
    Part,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)

#: So many answers to equal requests have ids that differ at their end alone.
BLOCK: int = 16**OWN
#: A short instruction that says what to answer.
_SAY = re.compile(
    r"""\s*(?:please\s+)?
    (?:say|reply\s+with|respond\s+with|answer\s+with|repeat|echo)
    (?:\s+(?:only|just|exactly|after\s+me|the\s+following|the\s+words?))*\s*:?\s+
    (?P<text>.{1,200}?)(?:,?\s+please)?\s*""",
    re.IGNORECASE | re.VERBOSE,
)
#: Pairs of quotation marks.
_QUOTES = (
    ('"', '"'),
    ("'", "'"),
    ("`", "`"),
    ("“", "”"),
    ("‘", "’"),
    ("«", "»"),
    ("„", "“"),
)
_BIRDS = ("wren", "finch", "heron", "lark", "robin", "swift", "tern", "crane", "plover", "siskin")
#: What an answer in JSON is if no schema says it.
_ANY_OBJECT: JsonObject = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
}


def synthesise(asked: Asked, *, seed: int = 0, number: int = 0) -> AssistantTurn:
    """Return an answer to a call.

    ``number`` says how often the same was asked before: ids differ then, texts do not. Raises
    :class:`~mockserver.backend.schemas.unmet.UnmetSchemaError` for a schema that nothing meets.
    """
    key = key_of(asked.request, seed)
    unique = _unique(key, number)
    return completed(asked, list(_parts(asked, key, unique)), unique=unique)


def completed(asked: Asked, parts: Sequence[Part], *, unique: str) -> AssistantTurn:
    """Return the turn of these parts: cut where the call wants it, with its token counts.

    ``unique`` makes its id.
    """
    ending = ended(asked, parts)
    capacity = asked.dialect.capacity
    turn = AssistantTurn(
        response_id=made_id(asked.dialect.ids.answer, of=unique),
        status=Status.INCOMPLETE if ending.reason is FinishReason.LENGTH else Status.COMPLETED,
        finish_reason=ending.reason,
        raw_finish_reason=capacity.stop_word if capacity and ending.stopped else None,
        parts=ending.parts,
    )
    return replace(turn, usage=counted(asked, turn))


def key_of(request: Request, seed: int) -> str:
    """Return what makes the texts of the answers to a request."""
    return digest(seed, request.uri, request.body.decode(errors="replace"), length=32)


def own_of(key: str, number: int) -> str:
    """Return what the ids of an answer end in; it comes back after :data:`BLOCK` answers."""
    # Any odd factor keeps them apart.
    return f"{(int(key[:OWN], 16) + 40503 * number) % BLOCK:0{OWN}x}"


def _unique(key: str, number: int) -> str:
    """Return what makes the ids of an answer."""
    return digest(key, number // BLOCK, length=20) + own_of(key, number)


def mark(key: str) -> str:
    """Return a word that occurs in no other answer."""
    return f"{_BIRDS[int(key[:4], 16) % len(_BIRDS)]}-{int(key[4:12], 16) % 100_000}"


def counted(asked: Asked, turn: AssistantTurn) -> Usage:
    """Return the token counts of a call and its answer."""
    given = tokens.of_request(asked)
    made, reasoning = tokens.of_turn(turn)
    return Usage(
        input_tokens=given,
        output_tokens=made,
        total_tokens=given + made,
        cache_read_input_tokens=0,
        cache_creation_input_tokens=0,
        reasoning_tokens=reasoning,
    )


def reasoning(asked: Asked, text: str, key: str, *, shown: bool = True) -> ReasoningPart:
    """Return reasoning with what must come back; that depends on ``key`` and the text.

    Not ``shown``: the provider hides the text.
    """
    capacity, wanted = asked.dialect.capacity, asked.reasoning
    part = ReasoningPart(
        text=text if shown else "",
        channel=capacity.channel if capacity else "text",
        omitted=not shown,
    )
    seals = capacity.seals if capacity and (wanted is None or wanted.sealed) else frozenset()
    proof = made_seal(asked.dialect.ids.seal, part.text, key)
    if "signature" in seals:
        return replace(part, signature=proof)
    return replace(part, encrypted_content=proof) if "encrypted_content" in seals else part


def tool_call(asked: Asked, name: str, arguments: Json, unique: str) -> ToolCallPart:
    """Return a call of a tool; ``unique`` makes its id."""
    ids = asked.dialect.ids
    return ToolCallPart(
        id=made_id(ids.call, name, of=unique).replace("{name}", name),
        name=name,
        arguments=arguments,
        arguments_raw=compact(arguments),
    )


def sealed(asked: Asked, parts: Sequence[Part], key: str) -> list[Part]:
    """Return parts with the proof that some providers put on calls and on texts.

    It is on the first call, or in an empty part behind the text, so that the text can be streamed.
    """
    wanted, prefix = asked.reasoning, asked.dialect.ids.seal
    if wanted is None or not wanted.calls_sealed:
        return list(parts)
    for number, part in enumerate(parts):
        if isinstance(part, ToolCallPart):
            signed = replace(part, thought_signature=made_seal(prefix, part.name, key))
            return [*parts[:number], signed, *parts[number + 1 :]]
    return [*parts, ReasoningPart(text="", channel="text", signature=made_seal(prefix, "", key))]


def tool_arguments(tool: Tool, key: str) -> JsonObject:
    """Return arguments that the schema of a tool allows. Raises as :func:`synthesise` does."""
    schema, place = tool.parameters, f"function '{tool.name}'"
    found = _met(schema if "type" in schema else {"type": "object", **schema}, key, place)
    if not isinstance(found, dict):
        raise UnmetSchemaError("type", "the arguments of a tool are an object", place)
    return found


def _parts(asked: Asked, key: str, unique: str) -> Iterator[Part]:
    wanted = asked.reasoning
    if wanted is not None and (wanted.shown or not wanted.calls_sealed):
        text = f"The user asks, so {mark(key)} thinks before it answers."
        yield reasoning(asked, text, key, shown=wanted.shown)
    tools = chosen(asked)
    said: list[Part] = [
        tool_call(asked, tool.name, tool_arguments(tool, key), made_id("#" * 24, at, of=unique))
        for at, tool in enumerate(tools)
    ]
    yield from sealed(asked, said or [TextPart(text=_text(asked, key))], key)


def wanted_schema(asked: Asked) -> Json | None:
    """Return the schema of the JSON that is asked for; ``None`` where a text is."""
    form = asked.call.options.get("response_format")
    if isinstance(form, dict) and form.get("type") in ("json_schema", "json_object"):
        return _schema(form)
    return None


def _text(asked: Asked, key: str) -> str:
    schema = wanted_schema(asked)
    if schema is not None:
        return compact(_met(schema, key, "response_format"))
    if found := _SAY.fullmatch(asked.question):
        return _unquoted(found["text"])
    return f"This is an answer that tapecheck made up; its mark is {mark(key)}."


def _met(schema: Json, key: str, place: str) -> Json:
    try:
        # What reads schemas takes long to import.
        from mockserver.backend.schemas.instance import instance

        return instance(schema, mark(key))
    except UnmetSchemaError as exc:
        raise exc.of(place) from None


def _unquoted(text: str) -> str:
    """Return a text without the quotation marks around it, and what stands behind them."""
    for opening, closing in _QUOTES:
        inner = text.rstrip(".!").removeprefix(opening).removesuffix(closing)
        if inner and len(inner) == len(text.rstrip(".!")) - 2:
            return inner
    return text


def _schema(form: JsonObject) -> Json:
    """Return the schema of a form; some servers take it without the object around it."""
    inner = form.get("json_schema")
    for place in (inner, form):
        if isinstance(place, dict) and isinstance(place.get("schema"), dict | bool):
            return place["schema"]
    return _ANY_OBJECT
