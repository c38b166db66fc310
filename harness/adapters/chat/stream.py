"""The Chat Completions state machine: chunk objects in, normalized events out. Pure.

A whole ``chat.completion`` is a chunk too: its ``message`` is one big delta. After deltas it
repeats them, so only what they left out is taken from it. The terminal
event comes when the stream ends, not with the finish reason, since usage and errors may still
follow; text that follows is kept, because some servers repeat the reason on every chunk.

A gateway may begin another answer in the middle of one (apache/shenyu#7021): id, role and model
are then new. What came before cannot be taken back, so the turn fails. With the model unchanged
it is a warning, since some servers send a new id and the role with every chunk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from harness.adapters.chat.delta import read_delta
from harness.adapters.chat.think_tags import ThinkTags
from harness.adapters.chat.tool_calls import ToolCalls
from harness.adapters.common.answer import Answer
from harness.adapters.common.failures import clip, failure, from_payload, is_error
from harness.adapters.common.surrogates import SurrogateJoiner, fix_surrogates, fix_surrogates_in
from mockserver.vocabulary import (
    Citation,
    ContentDelta,
    ErrorClass,
    ErrorInfo,
    Event,
    FinishReason,
    Image,
    Json,
    JsonObject,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    RefusalDelta,
    SendBack,
    ToolCallStart,
)

#: Words of providers for why the model stopped, and those that are failures.
FINISH_REASONS: Mapping[str, FinishReason] = {
    word: reason
    for reason, words in {
        FinishReason.STOP: "stop eos eos_token end_turn stop_sequence complete",
        FinishReason.LENGTH: "length max_tokens model_length",
        FinishReason.TOOL_CALLS: "tool_calls tool_call function_call tool_use",
        FinishReason.CONTENT_FILTER: "content_filter safety",
        FinishReason.REFUSAL: "refusal",
        FinishReason.PAUSE: "pause_turn",
    }.items()
    for word in words.split()
}
FINISH_ERRORS: Mapping[str, ErrorClass] = {
    "error": ErrorClass.STREAM_ERROR,
    "insufficient_system_resource": ErrorClass.OVERLOADED,  # DeepSeek
}
_INCOMPLETE = frozenset({FinishReason.LENGTH, FinishReason.CONTENT_FILTER})

_Text = ContentDelta | ReasoningDelta | RefusalDelta


class ChatStream(Answer):
    """One answer of Chat Completions. Feed it with chunks.

    ``tools`` are those of the request, ``taken_ids`` the tool call ids of earlier turns.
    ``think_tags`` turns a leading ``<think>`` block into reasoning.

    The ``native`` of a text event has the choices with its log probabilities, if there are any;
    those of a choice without text belong to the text that follows.
    """

    api = "Chat Completions"
    terminal = "finish_reason"

    def __init__(
        self,
        *,
        tools: Iterable[JsonObject] = (),
        taken_ids: Collection[str] = (),
        think_tags: bool = False,
        secrets: Collection[str] = (),
        request_id: str | None = None,
    ) -> None:
        super().__init__(secrets=secrets, request_id=request_id)
        self._id: str | None = None
        self._model: str | None = None
        self._tags = ThinkTags() if think_tags else None
        self._joiners: dict[tuple[type, str], tuple[_Text, SurrogateJoiner]] = {}
        self._with_logprobs: list[Json] = []
        self._once: list[Event] = []
        self._calls = ToolCalls({name for tool in tools if (name := _tool_name(tool))}, taken_ids)
        self._finish: str | None = None
        self._error: ErrorInfo | None = None
        self._has_content = False
        self._has_text = False
        self._any_choice = False
        self._restarted = False
        self._from_deltas: set[type[Event]] = set()
        self._message_calls = 0

    def is_answer(self, value: Json) -> bool:
        """Return whether ``value`` is a chunk, a whole answer or an error."""
        return is_error(value) or (isinstance(value, Mapping) and "choices" in value)

    def chunk(
        self,
        value: Json,
        *,
        is_named_error: bool = False,
        default: ErrorClass = ErrorClass.STREAM_ERROR,
    ) -> list[Event]:
        """Take one chunk, or a whole answer; see :meth:`Answer.chunk`. ``null`` is skipped."""
        if self.closed or value is None:
            return []
        if is_named_error or is_error(value):
            self._error = from_payload(value, default=default, secrets=self.secrets)
        events: list[Event] = []
        if isinstance(value, Mapping):
            self._any_chunk = True
            self._take_groq(value.get("x_groq"))
            self._usage.add(value.get("usage"))
            if not self._error:
                self._check_restart(value)
            self._id = self._id or _text_or_none(value.get("id"))
            self._model = self._model or _text_or_none(value.get("model"))
            if not self._restarted:
                events += self._content(value)
        elif not self._error:
            what = type(value).__name__
            self._error = failure(ErrorClass.PROTOCOL, f"a chunk is an object, not {what}")
        start: list[Event] = []
        if not self._started and (events or (self._id and not self._error)):
            self._started = True
            start = [MessageStart(response_id=self._id, model=self._model)]
        if self._started:
            events = [*start, *self._take_warnings(), *events]
        return [*events, *self.fail(self._error)] if self._error else events

    def done(self) -> list[Event]:
        """End because the server said that this was all, even without a finish reason."""
        if self.closed:
            return []
        if self._finish is None and not (self._has_content or self._calls):
            return self.fail(failure(ErrorClass.EMPTY_RESPONSE, "the answer has no content"))
        if self._finish is None:
            self.warn("finish_reason_missing", "the answer ended without a finish_reason")
        return self._complete()

    def ended(self) -> list[Event]:
        """End because the body did. With usage alone the server was done, with nothing."""
        if self._usage.total() and not self._any_choice:
            return self.fail(failure(ErrorClass.EMPTY_RESPONSE, "the answer has no content"))
        return super().ended()

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke; after a finish reason the turn is complete."""
        if self._finish is not None and not self.closed:
            return self._complete()
        return self.fail(error)

    def _complete(self) -> list[Event]:
        events = []
        if self._tags:
            events += [
                e for kind, text in self._tags.close() for e in self._emit_tagged(kind, text)
            ]
        events += [
            replace(last, delta=rest)
            for last, joiner in self._joiners.values()
            if (rest := joiner.close())
        ]
        reason = self._reason()
        call_events, error = self._calls.close(incomplete=reason in _INCOMPLETE)
        events += call_events
        if not self._started:
            events.insert(0, MessageStart(response_id=self._id, model=self._model))
        if error:
            return [*events, *self.fail(error)]
        self.closed = True
        return [
            *events,
            *self._take_warnings(),
            *self._usage_event(),
            MessageStop(finish_reason=reason, raw_finish_reason=self._finish),
        ]

    def _reason(self) -> FinishReason:
        word = (self._finish or "").lower()
        reason = FINISH_REASONS.get(word, FinishReason.UNKNOWN)
        if self._calls and reason in (FinishReason.STOP, FinishReason.UNKNOWN):
            return FinishReason.TOOL_CALLS
        if reason is FinishReason.TOOL_CALLS and not self._calls:
            # Nobody can run a call that is not there. Without text, the provider's own tools
            # were called (zendev-sh/goai#112), and the model has not answered yet.
            return FinishReason.STOP if self._has_text else FinishReason.PAUSE
        return reason

    def _check_restart(self, chunk: Mapping[str, Json]) -> None:
        new_id, new_model = _text_or_none(chunk.get("id")), _text_or_none(chunk.get("model"))
        is_continued = new_id in (None, self._id) or self._finish is not None
        choices = _objects(chunk.get("choices"))
        deltas = [choice.get("delta") for choice in choices if choice.get("index") in (None, 0)]
        if (
            is_continued
            or not self._has_content
            or not any(d.get("role") for d in _objects(deltas))
        ):
            return
        if new_model in (None, self._model):
            self.warn("answer_restarted", "a chunk has a new id and begins with the role again")
        else:
            message = f"another answer, of model {clip(new_model)!r}, began before the end of this"
            self._restarted = True
            self._error = failure(ErrorClass.STREAM_ERROR, message)

    def _content(self, chunk: Mapping[str, Json]) -> Iterator[Event]:
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, Mapping):
                continue
            self._any_choice = True
            if choice.get("index") not in (None, 0):
                self.warn("extra_choices", "only the choice with index 0 is used")
                continue
            yield from self._choice(choice)

    def _choice(self, choice: Mapping[str, Json]) -> Iterator[Event]:
        delta, message = choice.get("delta"), choice.get("message")
        if choice.get("logprobs"):
            self._with_logprobs.append(fix_surrogates_in(choice))
        if isinstance(delta, Mapping):
            content = list(read_delta(delta))
            self._from_deltas.update(map(type, content))
            yield from self._parts(content, delta)
            if self._calls and (delta.get("tool_calls") or delta.get("function_call")):
                self._from_deltas.add(ToolCallStart)
        if isinstance(message, Mapping):
            yield from self._message(message)
        if choice.get("error"):
            self._error = self._error or from_payload(choice["error"], secrets=self.secrets)
        word = _text_or_none(choice.get("finish_reason"))
        if word is None or word == "null":
            return
        if word in FINISH_ERRORS:
            self._error = self._error or failure(
                FINISH_ERRORS[word], f"the provider stopped with finish_reason {word!r}", code=word
            )
        self._finish = self._finish or word

    def _message(self, message: Mapping[str, Json]) -> Iterator[Event]:
        """Read a whole message, without what deltas gave already."""
        content = [e for e in read_delta(message) if type(e) not in self._from_deltas]
        calls: list[Json] = []
        if ToolCallStart not in self._from_deltas:
            # Each is a call of its own, also if the answer is split over several choices.
            for call in _objects(message.get("tool_calls")) or _legacy_call(message):
                calls.append({**call, "index": self._message_calls})
                self._message_calls += 1
        yield from self._parts(content, {"tool_calls": calls})

    def _parts(self, content: Iterable[Event], delta: Mapping[str, Json]) -> Iterator[Event]:
        """Yield ``content``, which was read from ``delta``, and its tool calls."""
        for event in content:
            yield from self._emit(event)
        calls = _objects(delta.get("tool_calls"))
        if calls:
            self._with_logprobs.clear()
        for call in calls:
            yield from self._calls.add(call)
        if not calls and isinstance(delta.get("function_call"), Mapping):
            yield from self._calls.add_legacy(delta["function_call"])

    def _emit(self, event: Event) -> Iterator[Event]:
        self._has_content |= not isinstance(event, SendBack)
        self._has_text |= isinstance(event, ContentDelta | RefusalDelta | Image)
        match event:
            case ContentDelta() if self._tags:
                for kind, text in self._tags.feed(event.delta):
                    yield from self._emit_tagged(kind, text)
            case ContentDelta() | ReasoningDelta() | RefusalDelta():
                yield from self._emit_text(event)
            case Citation() | Image():
                if event not in self._once:
                    self._once.append(event)
                    yield event
            case _:
                yield event

    def _emit_tagged(self, kind: str, text: str) -> Iterator[Event]:
        yield from self._emit_text(
            ContentDelta(delta=text)
            if kind == "text"
            else ReasoningDelta(delta=text, channel="text")
        )

    def _emit_text(self, event: _Text) -> Iterator[Event]:
        key = (type(event), event.channel if isinstance(event, ReasoningDelta) else "")
        _, joiner = self._joiners.setdefault(key, (event, SurrogateJoiner()))
        if text := joiner.feed(event.delta):
            native, self._with_logprobs = tuple(self._with_logprobs), []
            yield replace(event, delta=text, native=native)

    def _take_groq(self, groq: Json) -> None:
        """Read Groq's own field: request id, usage, and an error if the stream stops early."""
        if isinstance(groq, Mapping):
            self._request_id = self._request_id or _text_or_none(groq.get("id"))
            self._usage.add(groq.get("usage"))
            if groq.get("error"):
                self._error = self._error or from_payload(groq["error"], secrets=self.secrets)


def _tool_name(tool: JsonObject) -> str | None:
    function = tool.get("function")
    return _text_or_none(function.get("name")) if isinstance(function, Mapping) else None


def _objects(value: Json) -> list[Mapping[str, Json]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def _legacy_call(message: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    function = message.get("function_call")
    return [{"function": function}] if isinstance(function, Mapping) else []


def _text_or_none(value: Json) -> str | None:
    return fix_surrogates(value) if isinstance(value, str) and value else None
