"""What the Gemini API refuses about the contents of a conversation. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mockserver.dialects.memory import Memory
from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.writing import digest
from mockserver.vocabulary.model import Json, JsonObject

_ISSUES = "https://github.com/google-gemini/gemini-cli/issues/"
_ROLES = ("user", "model", "function", "tool")


def of_contents(contents: Sequence[Json], memory: Memory | None) -> Iterator[Objection]:
    """Yield what is wrong with contents; the memory has the signatures of calls."""
    some = [content for content in contents if isinstance(content, dict)]
    if len(some) < len(contents):
        return
    for number, content in enumerate(some):
        role = content.get("role")
        if role is not None and role not in _ROLES:
            yield objection(
                "role",
                "Please use a valid role: user, model.",
                "https://ai.google.dev/api/caching#Content",
            )
        parts = content.get("parts")
        for at, part in enumerate(parts if isinstance(parts, list) else ()):
            if part == {}:
                yield objection(
                    "empty",
                    f"* GenerateContentRequest.contents[{number}].parts[{at}].data: required oneof "
                    "field 'data' must have one initialized field\n",
                    "https://ai.google.dev/api/caching#Part",
                )
    yield from _pairs(some)
    if memory is not None:
        yield from _signatures(some, memory)


def _pairs(contents: Sequence[JsonObject]) -> Iterator[Objection]:
    number = 0
    while number < len(contents):
        calls, results = _count(contents[number], "functionCall"), 0
        if not calls:
            if _count(contents[number], "functionResponse"):
                yield _wrong(
                    "orphan_result",
                    "Please ensure that function response turn comes immediately after a function "
                    "call turn.",
                )
            number += 1
            continue
        if number == 0:
            yield _wrong(
                "first_call",
                "Please ensure that function call turn comes immediately after a user turn or "
                "after a function response turn.",
            )
        number += 1
        last = number == len(contents)
        while number < len(contents) and (more := _count(contents[number], "functionResponse")):
            results += more
            number += 1
        if not last and results != calls:
            yield _wrong(
                "missing_result",
                "Please ensure that the number of function response parts is equal to the number "
                "of function call parts of the function call turn.",
            )


def _signatures(contents: Sequence[JsonObject], memory: Memory) -> Iterator[Objection]:
    """Yield calls of this turn without the signature with which the model made them."""
    begin = max((n for n, content in enumerate(contents) if _is_question(content)), default=0)
    for number, content in enumerate(contents[begin:], begin):
        for part in _parts(content):
            call = part.get("functionCall")
            if not isinstance(call, dict) or part.get("thoughtSignature"):
                continue
            name, args = str(call.get("name")), call.get("args") or {}
            if memory.find(signed(name, args), str) is not None:
                yield objection(
                    "signature",
                    "Function call is missing a thought_signature in functionCall parts. This is "
                    "required for tools to work correctly, and missing thought_signature may lead "
                    "to degraded model performance. Additional data, function call "
                    f"`default_api:{name}` , position {number + 1}. Please refer to "
                    "https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
                    "https://github.com/lbjlaq/Antigravity-Manager/issues/139",
                    proves=True,
                )


def signed(name: str, args: Json) -> str:
    """Return under which id the signature of a call is remembered."""
    return "call " + digest(name, args, length=32)


def _is_question(content: JsonObject) -> bool:
    asked = content.get("role", "user") == "user"
    return asked and not any("functionResponse" in part for part in _parts(content))


def _count(content: JsonObject, kind: str) -> int:
    return sum(kind in part for part in _parts(content))


def _parts(content: JsonObject) -> list[JsonObject]:
    parts = content.get("parts")
    return [p for p in parts if isinstance(p, dict)] if isinstance(parts, list) else []


def _wrong(check: str, message: str) -> Objection:
    return objection(check, message, f"{_ISSUES}7705", proves=True)
