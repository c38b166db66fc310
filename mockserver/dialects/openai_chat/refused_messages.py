"""What Chat Completions refuses about the messages of a conversation. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mockserver.dialects.objection import Objection
from mockserver.dialects.openai_objections import (
    empty_array,
    invalid_type,
    invalid_value,
    missing,
    wrong,
)
from mockserver.vocabulary.model import Json, JsonObject

_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
#: What a message of the model may have in place of a text.
_INSTEAD = ("tool_calls", "function_call", "refusal", "audio")
_PAIRS = "sdcb/chats/issues/132"


def of_messages(messages: Sequence[Json], *, own: bool) -> Iterator[Objection]:
    """Yield what is wrong with messages. ``own``: with a model of OpenAI's own."""
    for number, message in enumerate(messages):
        if isinstance(message, dict):
            yield from _message(message, f"messages[{number}]", own=own)
        else:
            yield invalid_type(f"messages[{number}]", "an object", message)
    yield from _pairs(messages)
    if own:
        yield from _without_content(messages)


def _message(message: JsonObject, param: str, *, own: bool) -> Iterator[Objection]:
    role, content = message.get("role"), message.get("content")
    if role is None:
        yield missing(f"{param}.role")
    elif not isinstance(role, str):
        yield invalid_type(f"{param}.role", "a string", role)
    elif own and role not in _ROLES:
        yield invalid_value(f"{param}.role", role, _ROLES)
    if isinstance(content, list):
        yield from _parts(content, f"{param}.content")
    elif content is not None and not isinstance(content, str):
        yield invalid_type(f"{param}.content", "one of a string or array of objects", content)
    calls = message.get("tool_calls")
    if calls is None or role != "assistant":
        return
    if not isinstance(calls, list):
        yield invalid_type(f"{param}.tool_calls", "an array of objects", calls)
    elif not calls and own:
        yield empty_array(f"{param}.tool_calls")
    else:
        yield from _calls(calls, f"{param}.tool_calls", own=own)


def _parts(parts: Sequence[Json], param: str) -> Iterator[Objection]:
    for number, part in enumerate(parts):
        if not isinstance(part, dict):
            yield invalid_type(f"{param}[{number}]", "an object", part)
        elif "type" not in part:
            yield missing(f"{param}[{number}].type")


def _calls(calls: Sequence[Json], param: str, *, own: bool) -> Iterator[Objection]:
    for number, call in enumerate(calls):
        at = f"{param}[{number}]"
        if not isinstance(call, dict):
            yield invalid_type(at, "an object", call)
            continue
        if call.get("id") is None and own:
            yield missing(f"{at}.id")
        function = call.get("function")
        if call.get("type", "function") != "function" or not own:
            continue
        if not isinstance(function, dict):
            yield missing(f"{at}.function")
            continue
        arguments = function.get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            yield invalid_type(f"{at}.function.arguments", "a string", arguments)


@dataclass(slots=True)
class _Open:
    """Calls of the model, those of them that have no result yet, and where the others have it."""

    calls: tuple[str, ...] = ()
    waiting: dict[str, None] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)


def _pairs(messages: Sequence[Json]) -> Iterator[Objection]:
    """Yield what is wrong with the calls of tools and their results."""
    found = _Open()
    for number, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if isinstance(message, dict) and role == "tool":
            yield from _result(message, number, found)
            continue
        if found.waiting:
            yield _unanswered(found.waiting, f"messages.[{number}].role")
        ids = _ids(message) if isinstance(message, dict) and role == "assistant" else ()
        found = _Open(ids, dict.fromkeys(ids))
    if found.waiting:
        yield _unanswered(found.waiting, "messages")


def _result(message: JsonObject, number: int, found: _Open) -> Iterator[Objection]:
    id_, at = message.get("tool_call_id"), f"messages.[{number}]"
    if not found.calls:
        yield wrong(
            "orphan_result",
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            "message with 'tool_calls'.",
            _PAIRS,
            param=f"{at}.role",
            proves=True,
        )
    elif id_ is None:
        yield wrong(
            "result_id",
            "Missing parameter 'tool_call_id': messages with role 'tool' must have a "
            "'tool_call_id'.",
            "MadcowD/ell/issues/325",
            param=f"{at}.tool_call_id",
            proves=True,
        )
    elif not isinstance(id_, str):
        yield invalid_type(f"messages[{number}].tool_call_id", "a string", id_)
    elif id_ not in found.calls:
        yield wrong(
            "unknown_result",
            f"Invalid parameter: 'tool_call_id' of '{id_}' not found in 'tool_calls' of previous "
            "message.",
            "dapr/dapr-agents/issues/145",
            param=f"{at}.tool_call_id",
            proves=True,
        )
    elif id_ in found.answered and found.calls.count(id_) == 1:
        yield wrong(
            "repeated_result",
            f"Invalid parameter: Duplicate value for 'tool_call_id' of '{id_}', in "
            f"messages[{found.answered[id_]}] and messages[{number}].",
            "agno-agi/agno/issues/5116",
            param=f"{at}.tool_call_id",
            proves=True,
        )
    else:
        found.waiting.pop(id_, None)
        found.answered[id_] = number


def _unanswered(waiting: dict[str, None], param: str) -> Objection:
    return wrong(
        "missing_result",
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        f"{', '.join(waiting)}",
        _PAIRS,
        param=param,
        proves=True,
    )


def _ids(message: JsonObject) -> tuple[str, ...]:
    calls = message.get("tool_calls")
    some = [c.get("id") for c in calls if isinstance(c, dict)] if isinstance(calls, list) else []
    return tuple(id_ for id_ in some if isinstance(id_, str))


def _without_content(messages: Sequence[Json]) -> Iterator[Objection]:
    """Yield what is said, last of all, to messages that say nothing."""
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("content") is not None:
            continue
        if message.get("role") == "assistant" and any(message.get(name) for name in _INSTEAD):
            continue
        yield wrong(
            "content",
            "Invalid value for 'content': expected a string, got null.",
            "langchain-ai/langchainjs/issues/4153",
            param=f"messages.[{number}].content",
        )
