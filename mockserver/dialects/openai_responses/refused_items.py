"""What the Responses API refuses about the items of its input. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mockserver.dialects.objection import Objection
from mockserver.dialects.openai_objections import invalid_type, invalid_value, missing, wrong
from mockserver.vocabulary.model import Json, JsonObject

_ROLES = ("assistant", "system", "developer", "user")
_PARTS = (
    "input_text",
    "input_image",
    "input_audio",
    "output_text",
    "refusal",
    "input_file",
    "computer_screenshot",
    "summary_text",
    "encrypted_content",
)


def of_items(items: Sequence[Json], *, own: bool, whole: bool) -> Iterator[Objection]:
    """Yield what is wrong with items.

    ``own``: with a model of OpenAI's own; ``whole``: they are all of the conversation.
    """
    for number, item in enumerate(items):
        if not isinstance(item, dict):
            yield invalid_type(f"input[{number}]", "an input item", item)
        elif item.get("type", "message") == "message" and own:
            yield from _message(item, f"input[{number}]")
        elif item.get("type") == "reasoning" and "summary" not in item and own:
            yield _no_summary(f"input[{number}].summary")
    some = [item for item in items if isinstance(item, dict)]
    yield from _pairs(some, whole=whole)
    if own:
        yield from _reasoning(some)


def _message(item: JsonObject, param: str) -> Iterator[Objection]:
    role, content = item.get("role"), item.get("content")
    if role is None:
        yield missing(f"{param}.role")
    elif not isinstance(role, str):
        yield invalid_type(f"{param}.role", "a string", role)
    elif role not in _ROLES:
        yield invalid_value(param, role, _ROLES)
    if not isinstance(content, list):
        return
    for number, part in enumerate(content):
        at = f"{param}.content[{number}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(part, dict):
            yield invalid_type(at, "an object", part)
        elif kind is None:
            yield missing(f"{at}.type")
        elif role == "assistant" and kind in ("input_text", "text"):
            yield _input_text(at, str(kind))
        elif isinstance(kind, str) and kind not in _PARTS:
            yield invalid_value(f"{at}.type", kind, _PARTS)


def _no_summary(param: str) -> Objection:
    return wrong(
        "missing_summary",
        f"Missing required parameter: '{param}'.",
        "AAswordman/Operit/issues/797",
        param=param,
        code="missing_required_parameter",
        proves=True,
    )


def _input_text(param: str, kind: str) -> Objection:
    return wrong(
        "value",
        f"Invalid value: '{kind}'. Supported values are: 'output_text' and 'refusal'.",
        "openai/openai-java/issues/302",
        param=param,
        code="invalid_value",
    )


def _pairs(items: Sequence[JsonObject], *, whole: bool) -> Iterator[Objection]:
    """Yield what is wrong with calls of functions and their results.

    The calls of results may be in an earlier response if the input is not whole.
    """
    calls = {id_: item for item in items if (id_ := _call_id(item, call=True)) is not None}
    results = {id_ for item in items if (id_ := _call_id(item, call=False)) is not None}
    for id_, item in calls.items():
        if item["type"] == "function_call" and id_ not in results:
            yield wrong(
                "missing_result",
                f"No tool output found for function call {id_}.",
                "tjardoo/openai-client/issues/124",
                param="input",
                proves=True,
            )
    for item in items:
        id_ = _call_id(item, call=False)
        if whole and item.get("type") == "function_call_output" and id_ and id_ not in calls:
            yield wrong(
                "orphan_result",
                f"No tool call found for function call output with call_id {id_}.",
                "continuedev/continue/issues/10092",
                param="input",
                proves=True,
            )


def _call_id(item: JsonObject, *, call: bool) -> str | None:
    kind, id_ = item.get("type"), item.get("call_id")
    if not isinstance(kind, str) or not isinstance(id_, str):
        return None
    return id_ if kind.endswith("_call" if call else "_call_output") else None


def _reasoning(items: Sequence[JsonObject]) -> Iterator[Objection]:
    """Yield what is said to reasoning without what it led to."""
    for number, item in enumerate(items):
        if item.get("type") != "reasoning" or not isinstance(item.get("id"), str):
            continue
        rest = [later for later in items[number + 1 :] if later.get("type") != "reasoning"]
        if not rest or rest[0].get("role") in ("user", "system", "developer"):
            yield wrong(
                "reasoning_alone",
                f"Item '{item['id']}' of type 'reasoning' was provided without its required "
                "following item.",
                "continuedev/continue/issues/8933",
                param="input",
                proves=True,
            )
