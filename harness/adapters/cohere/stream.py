"""The state machine of Cohere's chat: JSON events in, normalized events out. Pure.

A whole answer is read as if all its blocks and calls came in one event. Content blocks and tool
calls have indexes of their own. ``message-end`` ends the answer: nothing follows it but
``[DONE]`` of some gateways. Source: https://docs.cohere.com/reference/chat-stream.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from harness.adapters.chat.tool_calls import ToolCalls
from harness.adapters.cohere.citations import read_citations
from harness.adapters.common.answer import Answer
from harness.adapters.common.failures import failure, from_payload, is_error
from harness.adapters.common.surrogates import SurrogateJoiner, fix_surrogates
from mockserver.vocabulary import (
    ContentDelta,
    ErrorClass,
    ErrorInfo,
    Event,
    FinishReason,
    Json,
    JsonObject,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    SendBack,
)

#: Why the model stopped, and the words that are failures.
FINISH_REASONS: Mapping[str, FinishReason] = {
    "COMPLETE": FinishReason.STOP,
    "STOP_SEQUENCE": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "TOOL_CALL": FinishReason.TOOL_CALLS,
}
FINISH_ERRORS: Mapping[str, ErrorClass] = {
    "ERROR": ErrorClass.STREAM_ERROR,
    "TIMEOUT": ErrorClass.TIMEOUT,
}
_PAIR = ("input_tokens", "output_tokens")
#: The kinds of events that are read. Others are skipped; the ends of blocks say nothing.
_KNOWN = frozenset(
    {"message-start", "content-start", "content-delta", "tool-plan-delta"}
    | {"tool-call-start", "tool-call-delta", "citation-start", "message-end"}
)
_PLAN = "tool_plan"

_Text = ContentDelta | ReasoningDelta


class CohereAnswer(Answer):
    """One answer of Cohere. Feed it with events, or with one whole answer.

    ``tools`` are those of the request, ``taken_ids`` the tool call ids of earlier turns. Of the
    two pairs of token counts ``tokens`` is reported, of which the cached ones are a part;
    ``billed_units`` only if it is alone.
    """

    api = "Cohere"
    terminal = "message-end"

    def __init__(
        self,
        *,
        tools: Iterable[JsonObject] = (),
        taken_ids: Collection[str] = (),
        secrets: Collection[str] = (),
        request_id: str | None = None,
    ) -> None:
        super().__init__(secrets=secrets, request_id=request_id)
        self._id: str | None = None
        names = (_object(tool.get("function")).get("name") for tool in tools)
        self._calls = ToolCalls({n for n in names if isinstance(n, str)}, taken_ids)
        self._joiners: dict[tuple[type, int | None], tuple[_Text, SurrogateJoiner]] = {}
        self._plan: list[str] = []
        self._finish: str | None = None
        #: The indexes of the blocks with text, in order.
        self._texts: dict[int | None, None] = {}
        self._has_content = False

    def is_answer(self, value: Json) -> bool:
        """Return whether ``value`` is an event, a whole answer or an error."""
        if is_error(value):
            return True
        return isinstance(value, Mapping) and (_is_known(value.get("type")) or "message" in value)

    def chunk(
        self,
        value: Json,
        *,
        is_named_error: bool = False,
        default: ErrorClass = ErrorClass.STREAM_ERROR,
    ) -> list[Event]:
        """Take one event, or a whole answer; see :meth:`Answer.chunk`. ``null`` is skipped."""
        if self.closed or value is None:
            return []
        self._any_chunk = True
        if is_named_error or is_error(value):
            return self.fail(from_payload(value, default=default, secrets=self.secrets))
        if _is_flat_error(value):
            # A message alone says no more than that something failed.
            return self.fail(from_payload(value, secrets=self.secrets))
        if not isinstance(value, Mapping):
            what = type(value).__name__
            return self.fail(failure(ErrorClass.PROTOCOL, f"an event is an object, not {what}"))
        kind = value.get("type")
        if isinstance(kind, str) and kind not in _KNOWN:
            return []
        self._id = self._id or _text(value.get("id")) or None
        delta, whole = _object(value.get("delta")), _object(value.get("message"))
        events = [
            *self._message(_object(delta.get("message")), value.get("index")),
            *self._whole(whole),
        ]
        error = None
        for end in (delta, value):
            self._count(end.get("usage"))
            error = error or self._end(end)
        if not self._started and (events or self._id):
            events.insert(0, self._start())
        if error:
            return [*events, *self.fail(error)]
        return [*events, *self._complete()] if self._finish is not None else events

    def done(self) -> list[Event]:
        """End because the server said that this was all, even without ``message-end``."""
        if self.closed:
            return []
        if not (self._has_content or self._calls):
            return self.fail(failure(ErrorClass.EMPTY_RESPONSE, "the answer has no content"))
        self.warn("finish_reason_missing", "the answer ended without a finish_reason")
        return self._complete()

    # --- content

    def _message(self, message: Mapping[str, Json], index: Json) -> Iterator[Event]:
        """Read the message of a delta, which has one block, call or citation."""
        number = _index(index)
        for block in _objects(message.get("content")):
            yield from self._content(block, number)
        yield from self._planned(message.get(_PLAN))
        for call in _objects(message.get("tool_calls")):
            yield from self._calls.add({**call, "index": index})
        yield from self._cited(message.get("citations"))

    def _whole(self, message: Mapping[str, Json]) -> Iterator[Event]:
        """Read a whole message: each of its calls is one of its own."""
        content = message.get("content")
        blocks = [{"text": content}] if isinstance(content, str) else _objects(content)
        for number, block in enumerate(blocks):
            yield from self._content(block, number)
        yield from self._planned(message.get(_PLAN))
        for number, call in enumerate(_objects(message.get("tool_calls"))):
            yield from self._calls.add({**call, "index": number})
        yield from self._cited(message.get("citations"))

    def _content(self, block: Mapping[str, Json], index: int | None) -> Iterator[Event]:
        if block.get("type") not in (None, "text", "thinking"):
            return
        if text := _piece(block.get("thinking")):
            yield from self._joined(ReasoningDelta(delta=text, channel="text", index=index))
        if text := _piece(block.get("text")):
            self._texts[index] = None
            yield from self._joined(ContentDelta(delta=text, index=index))

    def _planned(self, plan: Json) -> Iterator[Event]:
        if text := _piece(plan):
            for event in self._joined(ReasoningDelta(delta=text, channel="text")):
                self._plan.append(event.delta)
                yield event

    def _cited(self, citations: Json) -> Iterator[Event]:
        """Read citations; one that names no block of text belongs to the last of them."""
        for citation in read_citations(_objects(citations)):
            last = next(reversed(self._texts), None)
            known = citation.index in self._texts
            yield citation if known else replace(citation, index=last)

    def _joined(self, event: _Text) -> Iterator[_Text]:
        self._has_content = True
        _, joiner = self._joiners.setdefault((type(event), event.index), (event, SurrogateJoiner()))
        if text := joiner.feed(event.delta):
            yield replace(event, delta=text)

    # --- the end

    def _end(self, end: Mapping[str, Json]) -> ErrorInfo | None:
        """Take the finish reason; return the error if it is one."""
        word = _text(end.get("finish_reason"))
        if not word:
            return None
        if word not in FINISH_ERRORS:
            self._finish = self._finish or word
            return None
        known = FINISH_ERRORS[word]
        said = end.get("error")
        if not said:
            return failure(known, f"the provider stopped with finish_reason {word!r}", code=word)
        error = from_payload({"message": said}, default=known, secrets=self.secrets)
        return replace(error, code=error.code or word)

    def _count(self, usage: Json) -> None:
        """Take one pair of counts, never a mix of both."""
        if isinstance(usage, Mapping):
            pairs = [_object(usage.get(name)) for name in ("tokens", "billed_units")]
            pair = next((p for p in pairs if any(p.get(n) is not None for n in _PAIR)), {})
            counts = {name: pair.get(name) for name in _PAIR}
            self._usage.add({**counts, "cached_tokens": usage.get("cached_tokens")})

    def _start(self) -> Event:
        self._started = True
        return MessageStart(response_id=self._id)

    def _complete(self) -> list[Event]:
        events: list[Event] = [
            replace(last, delta=rest)
            for last, joiner in self._joiners.values()
            if (rest := joiner.close())
        ]
        reason = self._reason()
        call_events, error = self._calls.close(incomplete=reason is FinishReason.LENGTH)
        events += call_events
        if self._plan:
            events.append(SendBack(fields={_PLAN: "".join(self._plan)}))
        if not self._started:
            events.insert(0, self._start())
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
        reason = FINISH_REASONS.get(self._finish or "", FinishReason.UNKNOWN)
        if self._calls and (self._finish is None or reason is FinishReason.STOP):
            return FinishReason.TOOL_CALLS
        if reason is FinishReason.TOOL_CALLS and not self._calls:
            # Nobody can run a call that is not there; without text the model has not answered.
            return FinishReason.STOP if self._texts else FinishReason.PAUSE
        return reason


def _is_flat_error(value: Json) -> bool:
    """Return whether a value is the body of an HTTP error, in place of an event."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("message"), str)
        and not isinstance(value.get("delta"), Mapping)
        and not _is_known(value.get("type"))
    )


def _is_known(kind: Json) -> bool:
    return isinstance(kind, str) and kind in _KNOWN


def _index(value: Json) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else None


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Json) -> list[Mapping[str, Json]]:
    """Return the objects of a list, or one alone."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]


def _piece(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _text(value: Json) -> str:
    return fix_surrogates(value) if isinstance(value, str) else ""
