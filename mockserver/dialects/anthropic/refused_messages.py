"""What the Messages API refuses about the messages of a conversation. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mockserver.dialects import tool_turns
from mockserver.dialects.anthropic.said import wrong
from mockserver.dialects.memory import Memory
from mockserver.dialects.objection import Objection
from mockserver.dialects.tool_turns import Turn, Use
from mockserver.vocabulary.model import Json, JsonObject

#: ``system`` may stand behind the first message.
_ROLES = ("user", "assistant", "system")
_THOUGHTS = ("thinking", "redacted_thinking")
_CODE = "anthropics/claude-code/issues/"
_TYPES = "https://docs.pydantic.dev/latest/errors/validation_errors/"


def of_messages(
    messages: Sequence[Json], *, thinks: bool, memory: Memory | None
) -> Iterator[Objection]:
    """Yield what is wrong with messages.

    ``thinks``: thinking is asked for. ``memory`` has the thoughts of the model by signature.
    """
    for number, message in enumerate(messages):
        if isinstance(message, dict):
            yield from _message(message, number)
        else:
            yield wrong("type", f"messages.{number}: Input should be an object", _TYPES)
    if not all(isinstance(message, dict) for message in messages):
        return
    some = [message for message in messages if isinstance(message, dict)]
    yield from _texts(some)
    yield from _pairs(some)
    if memory is not None:
        if thinks:
            yield from _thoughtless(some, memory)
        yield from _changed(some, memory)


def _message(message: JsonObject, number: int) -> Iterator[Objection]:
    at, role, content = f"messages.{number}", message.get("role"), message.get("content")
    if role is None:
        yield wrong("missing", f"{at}.role: Field required", _TYPES)
    elif role not in _ROLES:
        yield wrong(
            "role",
            f'messages: Unexpected role "{role}". Allowed roles are "user" or "assistant"',
            "https://platform.claude.com/docs/en/api/messages",
        )
    elif role == "system" and number == 0:
        yield wrong(
            "role",
            "messages.0: use the top-level 'system' parameter for the initial system prompt; the "
            "directive-only form (content: [] with output_config) is accepted at any position",
            "aaronrussell/anthropix/issues/2",
        )
    if content is None:
        yield wrong("missing", f"{at}.content: Field required", _TYPES)
    elif not isinstance(content, str | list):
        yield wrong("type", f"{at}.content: Input should be a valid array", _TYPES)
    for block, part in enumerate(content if isinstance(content, list) else ()):
        where = f"{at}.content.{block}"
        if not isinstance(part, dict):
            yield wrong("type", f"{where}: Input should be an object", _TYPES)
        elif "type" not in part:
            yield wrong("missing", f"{where}.type: Field required", _TYPES)
        elif part["type"] == "thinking" and part.get("signature") is None:
            yield wrong(
                "signature",
                f"{where}.thinking.signature: Field required",
                "https://docs.claude.com/en/docs/build-with-claude/extended-thinking",
                proves=True,
            )


def _texts(messages: Sequence[JsonObject]) -> Iterator[Objection]:
    """Yield what is wrong with texts, first those that say nothing."""
    for number, message in enumerate(messages):
        content, last = message.get("content"), number == len(messages) - 1
        texts = [block.get("text") for block in _blocks(message) if block.get("type") == "text"]
        if content == [] and message.get("role") == "system":
            continue
        if content in ("", []) and not (last and message.get("role") == "assistant"):
            yield wrong(
                "empty",
                f"messages.{number}: all messages must have non-empty content except for the "
                "optional final assistant message",
                f"{_CODE}6774",
            )
        elif "" in texts:
            yield wrong(
                "empty_text", "messages: text content blocks must be non-empty", f"{_CODE}59812"
            )
        elif _is_blank(content) or (len(_blocks(message)) == 1 and _is_blank(texts)):
            yield wrong(
                "empty_text",
                "messages: text content blocks must contain non-whitespace text",
                "LibreChat-AI/agents/issues/124",
            )
        elif last and message.get("role") == "assistant" and _ends_in_space(content, texts):
            yield wrong(
                "trailing_space",
                "messages: final assistant content cannot end with trailing whitespace",
                "tailcallhq/forgecode/issues/1872",
            )


def _is_blank(content: Json) -> bool:
    text = content[0] if isinstance(content, list) and len(content) == 1 else content
    return isinstance(text, str) and bool(text) and not text.strip()


def _ends_in_space(content: Json, texts: Sequence[Json]) -> bool:
    text = content if isinstance(content, str) else (texts[-1] if texts else "")
    return isinstance(text, str) and text != text.rstrip()


def _pairs(messages: Sequence[JsonObject]) -> Iterator[Objection]:
    turns = list(_turns(messages))
    calls = [use for turn in turns for use in turn.calls]
    for use in tool_turns.repeated(calls):
        yield wrong(
            "call_id",
            f"messages.{use.message}.content.{use.block}: `tool_use` ids must be unique",
            f"{_CODE}20901",
            proves=True,
        )
    for turn, ids in tool_turns.unanswered(turns):
        yield wrong(
            "missing_result",
            f"messages.{turn.number}: `tool_use` ids were found without `tool_result` blocks "
            f"immediately after: {', '.join(ids)}. Each `tool_use` block must have a corresponding "
            "`tool_result` block in the next message.",
            f"{_CODE}6575",
            proves=True,
        )
    for use in tool_turns.orphans(turns):
        yield wrong(
            "orphan_result",
            f"messages.{use.message}.content.{use.block}: unexpected `tool_use_id` found in "
            f"`tool_result` blocks: {use.id}. Each `tool_result` block must have a corresponding "
            "`tool_use` block in the previous message.",
            f"{_CODE}13460",
            proves=True,
        )
    for turn in turns:
        for use in tool_turns.repeated(turn.results):
            yield wrong(
                "result_id",
                f"messages.{use.message}.content.{use.block}: each tool_use must have a single "
                f"result. Found multiple `tool_result` blocks with id: {use.id}",
                "https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use",
                proves=True,
            )


def _turns(messages: Sequence[JsonObject]) -> Iterator[Turn]:
    """Yield the turns: the API takes messages of one role in a row as one."""
    number = 0
    while number < len(messages):
        role, calls, results = messages[number].get("role"), [], []
        while number < len(messages) and messages[number].get("role") == role:
            for block, part in enumerate(_content(messages[number])):
                calls += _use(part, "tool_use", "id", number, block)
                results += _use(part, "tool_result", "tool_use_id", number, block)
            number += 1
        if role != "system":
            yield Turn(number - 1, tuple(calls), tuple(results))


def _use(part: Json, kind: str, name: str, message: int, block: int) -> list[Use]:
    if not isinstance(part, dict) or part.get("type") != kind:
        return []
    id_ = part.get(name)
    return [Use(id_, message, block)] if isinstance(id_, str) else []


def _thoughtless(messages: Sequence[JsonObject], memory: Memory) -> Iterator[Objection]:
    """Yield what is said if the thoughts before the last calls of tools are not sent back.

    Only of calls that came of thoughts: whoever asks for thinking later than for the calls is
    answered without it.
    """
    last = next((n for n in range(len(messages) - 1, -1, -1) if _calls(messages[n])), None)
    if last is None or not any(_is_result(message) for message in messages[last + 1 :]):
        return
    if any(not _is_result(m) for m in messages[last + 1 :] if m.get("role") == "user"):
        return
    ids = [block.get("id") for block in _blocks(messages[last])]
    if all(memory.find(thought_out(str(id_)), str) is None for id_ in ids):
        return
    found = _blocks(messages[last])[0].get("type")
    if found not in _THOUGHTS and messages[last].get("role") == "assistant":
        yield wrong(
            "thoughtless",
            f"messages.{last}.content.0.type: Expected `thinking` or `redacted_thinking`, but "
            f"found `{found}`. When `thinking` is enabled, a final `assistant` message must start "
            "with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` "
            "blocks). We recommend you include thinking blocks from previous turns. To avoid this "
            "requirement, disable `thinking`. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking",
            "Kilo-Org/kilocode/issues/5219",
            proves=True,
        )


def _changed(messages: Sequence[JsonObject], memory: Memory) -> Iterator[Objection]:
    """Yield what is said to thoughts that are not those of their signature."""
    for number, message in enumerate(messages):
        for block, part in enumerate(_content(message)):
            signature = part.get("signature") if isinstance(part, dict) else None
            if not isinstance(part, dict) or not isinstance(signature, str):
                continue
            thought = memory.find(signed(signature), str)
            if thought is not None and thought != part.get("thinking"):
                yield wrong(
                    "signature",
                    f"messages.{number}.content.{block}: Invalid `signature` in `thinking` block",
                    f"{_CODE}10627",
                    proves=True,
                )


def signed(signature: str) -> str:
    """Return under which id a thought is remembered."""
    return f"thought {signature}"


def thought_out(call: str) -> str:
    """Return under which id it is remembered that a call came of a thought."""
    return f"thought before {call}"


def _calls(message: JsonObject) -> bool:
    return any(block.get("type") == "tool_use" for block in _blocks(message))


def _is_result(message: JsonObject) -> bool:
    return any(block.get("type") == "tool_result" for block in _blocks(message))


def _content(message: JsonObject) -> list[Json]:
    content = message.get("content")
    return content if isinstance(content, list) else []


def _blocks(message: JsonObject) -> list[JsonObject]:
    return [block for block in _content(message) if isinstance(block, dict)]
