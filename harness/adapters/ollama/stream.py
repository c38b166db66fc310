"""The state machine of Ollama's answers: the object of each line in, normalized events out. Pure.

``done: true`` ends the turn, and what follows it is ignored. A ``done_reason`` without it is as
good at the end of the body. Tool calls are whole. Source:
https://github.com/ollama/ollama/blob/main/api/types.go.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from harness.adapters.chat.arguments import is_empty, read_arguments
from harness.adapters.chat.tool_calls import CallStarts, call_error
from harness.adapters.common.answer import Answer
from harness.adapters.common.failures import failure, from_payload
from harness.adapters.common.surrogates import SurrogateJoiner, fix_surrogates
from mockserver.vocabulary import (
    ContentDelta,
    ErrorClass,
    ErrorInfo,
    Event,
    FinishReason,
    Json,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    ToolCallDelta,
    ToolCallEnd,
)

#: The server's words for why the model stopped; look-alikes send ``tool_calls``.
FINISH_REASONS: Mapping[str, FinishReason] = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
}
#: Reasons of answers for which the model was not run.
_NOTHING_GENERATED = frozenset({"load", "unload"})

_Text = ContentDelta | ReasoningDelta


class OllamaStream(Answer):
    """One answer of ``/api/chat`` or ``/api/generate``. Feed it with the object of each line.

    ``taken_ids`` are the tool call ids of earlier turns.
    """

    api = "Ollama"
    terminal = "done line"

    def __init__(
        self,
        *,
        taken_ids: Collection[str] = (),
        secrets: Collection[str] = (),
        request_id: str | None = None,
    ) -> None:
        super().__init__(secrets=secrets, request_id=request_id)
        self._model: str | None = None
        self._word: str | None = None
        self._has_content = False
        self._joiners: dict[type[Event], tuple[_Text, SurrogateJoiner]] = {}
        self._starts = CallStarts(taken_ids)
        self._bad_call: ErrorInfo | None = None

    def is_answer(self, value: Json) -> bool:
        """Return whether ``value`` is an object: every object may be a line."""
        return isinstance(value, Mapping)

    def chunk(
        self,
        value: Json,
        *,
        is_named_error: bool = False,
        default: ErrorClass = ErrorClass.SERVER_ERROR,
    ) -> list[Event]:
        """Take the value of one line; see :meth:`Answer.chunk`."""
        if self.closed:
            return []
        if not isinstance(value, Mapping):
            what = type(value).__name__
            return self.fail(failure(ErrorClass.PROTOCOL, f"a line is an object, not {what}"))
        self._any_chunk = True
        if value.get("error") or is_named_error:
            return self.fail(from_payload(value, default=default, secrets=self.secrets))
        self._usage.add(value)
        self._model = self._model or _text(value.get("model")) or None
        self._word = self._word or _text(value.get("done_reason")) or None
        content = list(self._content(value))
        start = [] if self._started else [MessageStart(model=self._model)]
        self._started = True
        end = self.done() if value.get("done") is True else []
        return [*start, *self._take_warnings(), *content, *end]

    def done(self) -> list[Event]:
        """End because the server said that this was all, even without a reason."""
        if self.closed:
            return []
        if self._word in _NOTHING_GENERATED or not (self._word or self._has_content):
            why = f"done_reason {self._word!r}" if self._word else "no done_reason"
            error = failure(
                ErrorClass.EMPTY_RESPONSE, f"the model generated nothing: the answer has {why}"
            )
            # The same request would be answered in the same way.
            return self.fail(replace(error, retryable=False))
        if self._word is None:
            self.warn("finish_reason_missing", "the answer ended without a done_reason")
        return self._complete()

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke; after a reason the turn is complete."""
        return self.fail(error) if self._word is None else self.done()

    def _complete(self) -> list[Event]:
        events: list[Event] = [
            replace(last, delta=rest)
            for last, joiner in self._joiners.values()
            if (rest := joiner.close())
        ]
        if self._bad_call is not None:
            return [*events, *self.fail(self._bad_call)]
        self.closed = True
        return [
            *events,
            *self._take_warnings(),
            *self._usage_event(),
            MessageStop(finish_reason=self._reason(), raw_finish_reason=self._word),
        ]

    def _reason(self) -> FinishReason:
        reason = FINISH_REASONS.get(self._word or "", FinishReason.UNKNOWN)
        if self._starts and reason in (FinishReason.STOP, FinishReason.UNKNOWN):
            return FinishReason.TOOL_CALLS
        if reason is FinishReason.TOOL_CALLS and not self._starts:
            return FinishReason.STOP
        return reason

    def _content(self, line: Mapping[str, Json]) -> Iterator[Event]:
        message = line.get("message")
        if not isinstance(message, Mapping):
            # /api/generate has the same fields at the top, and another name for the text.
            message = {**line, "content": line.get("response")}
        for event in (
            ReasoningDelta(delta=_raw(message.get("thinking")), channel="text"),
            ContentDelta(delta=_raw(message.get("content"))),
        ):
            _, joiner = self._joiners.setdefault(type(event), (event, SurrogateJoiner()))
            if text := joiner.feed(event.delta):
                self._has_content = True
                yield replace(event, delta=text)
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, Mapping):
                yield from self._call(call)

    def _call(self, call: Mapping[str, Json]) -> Iterator[Event]:
        """Read a whole call. Its arguments are an object; look-alikes send JSON text."""
        self._has_content = True
        function = call.get("function")
        function = function if isinstance(function, Mapping) else {}
        name, given = _text(function.get("name")), function.get("arguments")
        raw = given if isinstance(given, str) else _json(given)
        arguments = read_arguments(raw := fix_surrogates(raw))
        if not name:
            self._bad_call = self._bad_call or call_error(None, name, raw)
            return
        call_id = _text(call.get("id"))
        start = self._starts.start(call_id if call_id.strip() else "", name)
        yield start
        number = start.tool_call_index
        raw = "{}" if is_empty(raw) else raw
        yield ToolCallDelta(tool_call_index=number, arguments_delta=raw)
        if arguments is None:
            self._bad_call = self._bad_call or call_error(number, name, raw)
        else:
            yield ToolCallEnd(tool_call_index=number, arguments=arguments, arguments_raw=raw)


def _json(value: Json) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return "nested too deeply"


def _raw(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _text(value: Json) -> str:
    return fix_surrogates(_raw(value))
