"""Answers of Chat Completions, as an SDK hands them out, to events and turns. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from harness.adapters.chat.delta import read_delta
from harness.adapters.chat.stream import FINISH_ERRORS, FINISH_REASONS
from harness.adapters.chat.tool_calls import ToolCalls
from harness.adapters.common.failures import failure, from_payload
from harness.adapters.common.history import call_ids
from harness.adapters.common.surrogates import SurrogateJoiner
from harness.adapters.common.usage import UsageMeter
from harness.clients.interface import Call
from harness.wrapping.plain import as_json
from mockserver.dialects.openai_chat import outgoing_message
from mockserver.vocabulary import (
    AssistantTurn,
    ContentDelta,
    ErrorClass,
    ErrorEvent,
    ErrorInfo,
    Event,
    FinishReason,
    Json,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    RefusalDelta,
    UsageEvent,
    fold,
)

_Text = ContentDelta | ReasoningDelta | RefusalDelta
#: The model was stopped, so that its last tool call may be half.
_STOPPED = frozenset({FinishReason.LENGTH, FinishReason.CONTENT_FILTER})


def chat_request(call: Call) -> dict[str, Any]:
    """Return the arguments for ``chat.completions.create`` of the OpenAI SDK.

    Options go into ``extra_body``, since the SDK does not know all of them. The messages have the
    signatures that some providers want back.
    """
    messages = [outgoing_message(m) for m in call.messages]
    request: dict[str, Any] = {"model": call.model, "messages": messages}
    if call.tools:
        request["tools"] = list(call.tools)
    if call.options:
        request["extra_body"] = dict(call.options)
    return request


def chat_turn(call: Call, completion: object) -> AssistantTurn:
    """Return the turn of a whole ``ChatCompletion``, an object or a dict."""
    data = as_json(completion)
    # A message is one big delta whose calls are not numbered.
    number = count()
    choices = [
        {**choice, "delta": _numbered(choice.get("message"), number)}
        for choice in _objects(data.get("choices") if isinstance(data, dict) else None)
    ]
    answer = ChatAnswer(call)
    events = answer.feed({**data, "choices": choices}) if isinstance(data, dict) else ()
    return fold([*events, *answer.end()])


class ChatAnswer:
    """One answer in chunks. Feed it with each chunk, then call :meth:`end` once.

    Reads the choice with index 0, with the fields that other providers add to it, such as their
    reasoning, and numbers the tool calls in the order in which they begin.
    ``call`` tells the names of the tools, so that a call is handed on as soon as its name is
    known, and the ids of earlier calls, which are not made up again.
    """

    def __init__(self, call: Call) -> None:
        functions = (tool.get("function") for tool in call.tools)
        names = {f["name"] for f in functions if isinstance(f, dict) and "name" in f}
        self._started = False
        self._calls = ToolCalls(names, call_ids(call.messages))
        self._joiners: dict[type, tuple[_Text, SurrogateJoiner]] = {}
        self._usage = UsageMeter()
        self._word: str | None = None
        self._error: ErrorInfo | None = None

    def feed(self, chunk: object) -> Iterator[Event]:
        """Yield the events of one ``ChatCompletionChunk``, an object or a dict.

        After an error there are none.
        """
        if self._error is not None or chunk is None:
            return
        data = as_json(chunk)
        if not isinstance(data, dict):
            what = f"a chunk is an object, not {type(chunk).__name__}"
            self._error = failure(ErrorClass.PROTOCOL, what)
            return
        if not self._started:
            self._started = True
            yield MessageStart(response_id=_text(data.get("id")), model=_text(data.get("model")))
        self._usage.add(data.get("usage"))
        for choice in _objects(data.get("choices")):
            if choice.get("index"):
                continue
            if isinstance(choice.get("delta"), dict):
                yield from self._delta(choice["delta"])
            word = _text(choice.get("finish_reason"))
            self._word = self._word if word in (None, "null") else word
            if choice.get("error"):
                self._error = from_payload(choice["error"])

    def end(self) -> Iterator[Event]:
        """Yield the last events: complete calls, usage, and the ending.

        An answer without a finish reason is an error, since the rest of it is missing.
        """
        if not self._started:
            empty = failure(ErrorClass.EMPTY_RESPONSE, "the answer is empty")
            yield ErrorEvent(error=self._error or empty)
            return
        for last, joiner in self._joiners.values():
            if rest := joiner.close():
                yield replace(last, delta=rest)
        reason = FINISH_REASONS.get((self._word or "").lower(), FinishReason.UNKNOWN)
        error = self._error or self._failed()
        if error is None:
            events, error = self._calls.close(incomplete=reason in _STOPPED)
            yield from events
        if (usage := self._usage.total()) is not None:
            yield UsageEvent(usage=usage)
        if error is not None:
            yield ErrorEvent(error=error)
            return
        if self._calls and reason is FinishReason.STOP:
            reason = FinishReason.TOOL_CALLS
        yield MessageStop(finish_reason=reason, raw_finish_reason=self._word)

    def _delta(self, delta: Mapping[str, Json]) -> Iterator[Event]:
        for event in read_delta(delta):
            if not isinstance(event, _Text):
                yield event
                continue
            _, joiner = self._joiners.setdefault(type(event), (event, SurrogateJoiner()))
            if text := joiner.feed(event.delta):
                yield replace(event, delta=text)
        calls = _objects(delta.get("tool_calls"))
        for entry in calls:
            yield from self._calls.add(entry)
        if not calls and isinstance(delta.get("function_call"), dict):
            yield from self._calls.add_legacy(delta["function_call"])

    def _failed(self) -> ErrorInfo | None:
        """Return the failure that the finish reason tells of."""
        if self._word is None:
            return failure(ErrorClass.TRUNCATED_STREAM, "the answer ended without a finish reason")
        if self._word in FINISH_ERRORS:
            message = f"the provider stopped with finish_reason {self._word!r}"
            return failure(FINISH_ERRORS[self._word], message, code=self._word)
        return None


def _numbered(message: Json, number: Iterator[int]) -> Json:
    if not isinstance(message, dict):
        return None
    legacy = message.get("function_call")
    calls = _objects(message.get("tool_calls")) or [{"function": f} for f in _objects([legacy])]
    return {**message, "tool_calls": [{**call, "index": next(number)} for call in calls]}


def _objects(value: Json) -> list[dict[str, Json]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None
