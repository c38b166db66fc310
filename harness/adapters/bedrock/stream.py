"""The Converse state machine: events or a whole answer in, normalized events out. Pure.

Each content block is a part of the turn, known by its index. Starts and stops of blocks may be
missing: text and reasoning have none on some wires (maximhq/bifrost#4262). The turn ends with the
body, not with ``messageStop``, since the usage follows it.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from harness.adapters.bedrock.blocks import HostedBlocks, citation_of, image_url, usage_of
from harness.adapters.bedrock.calls import BlockCalls
from harness.adapters.common.answer import Answer
from harness.adapters.common.failures import failure, from_payload
from harness.adapters.common.surrogates import SurrogateJoiner, fix_surrogates
from mockserver.vocabulary import (
    ContentDelta,
    ErrorClass,
    ErrorInfo,
    Event,
    FinishReason,
    Image,
    Json,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    ReasoningSignature,
)

#: Words for why the model stopped, and those that are failures.
FINISH_REASONS: Mapping[str, FinishReason] = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "tool_use": FinishReason.TOOL_CALLS,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "guardrail_intervened": FinishReason.CONTENT_FILTER,
    "content_filtered": FinishReason.CONTENT_FILTER,
}
FINISH_ERRORS: Mapping[str, ErrorClass] = {
    "malformed_tool_use": ErrorClass.INVALID_TOOL_ARGUMENTS,
    "malformed_model_output": ErrorClass.STREAM_ERROR,
}
_INCOMPLETE = frozenset({FinishReason.LENGTH, FinishReason.CONTENT_FILTER})


class ConverseStream(Answer):
    """One answer of Converse. ``taken_ids`` are the tool call ids of earlier turns."""

    api = "Bedrock Converse"
    terminal = "messageStop"

    def __init__(
        self,
        *,
        taken_ids: Collection[str] = (),
        secrets: Collection[str] = (),
        request_id: str | None = None,
    ) -> None:
        super().__init__(secrets=secrets, request_id=request_id)
        self._calls = BlockCalls(taken_ids)
        self._hosted = HostedBlocks()
        #: Those in which half a character waits, by kind of text and block.
        self._joiners: dict[tuple[str, int], SurrogateJoiner] = {}
        self._finish: str | None = None
        self._error: ErrorInfo | None = None
        self._has_text = False
        self._has_content = False

    def is_answer(self, value: Json) -> bool:
        """Return whether ``value`` may be a whole answer or an error: an object."""
        return isinstance(value, Mapping)

    def chunk(
        self,
        value: Json,
        *,
        is_named_error: bool = False,
        default: ErrorClass = ErrorClass.STREAM_ERROR,
    ) -> list[Event]:
        """Take one event as ``{name: payload}``, a whole answer, or an error."""
        if self.closed or not isinstance(value, Mapping):
            return []
        events: list[Event] = []
        if is_named_error or "__type" in value or isinstance(value.get("message"), str):
            self._error = from_payload(value, default=default, secrets=self.secrets)
        elif "output" in value:
            self._any_chunk = True
            events = list(self._whole(value))
        else:
            self._any_chunk = True
            for name, payload in value.items():
                if isinstance(payload, Mapping):
                    events += self._event(name, payload)
        self._has_content |= bool(events)
        self._has_text |= any(isinstance(e, ContentDelta | Image) for e in events)
        start: list[Event] = []
        if not self._started and (events or (self._any_chunk and self._error is None)):
            self._started = True
            start = [MessageStart()]
        if self._started:
            events = [*start, *self._take_warnings(), *events]
        return [*events, *self.fail(self._error)] if self._error else events

    def done(self) -> list[Event]:
        """End because the body was one whole answer."""
        if self._finish is None and not self._has_content:
            return self.fail(failure(ErrorClass.EMPTY_RESPONSE, "the answer has no content"))
        if self._finish is None:
            self.warn("finish_reason_missing", "the answer has no stopReason")
        return self._complete()

    def ended(self) -> list[Event]:
        """End because the body did; the turn is complete if it was stopped."""
        return super().ended() if self._finish is None else self._complete()

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke; after ``messageStop`` the turn is complete."""
        return self.fail(error) if self._finish is None else self._complete()

    def _complete(self) -> list[Event]:
        if self.closed:
            return []
        events = [*self._halves(but=None), *self._hosted.close(but=None)]
        word = self._finish or ""
        if word in FINISH_ERRORS:
            message = f"the provider stopped with stopReason {word!r}"
            return [*events, *self.fail(failure(FINISH_ERRORS[word], message, code=word))]
        reason = self._reason(word)
        call_events, error = self._calls.close(incomplete=reason in _INCOMPLETE)
        events += call_events
        if error:
            return [*events, *self.fail(error)]
        self.closed = True
        return [
            *events,
            *self._take_warnings(),
            *self._usage_event(),
            MessageStop(finish_reason=reason, raw_finish_reason=self._finish),
        ]

    def _reason(self, word: str) -> FinishReason:
        reason = FINISH_REASONS.get(word, FinishReason.UNKNOWN)
        if self._calls and (reason is FinishReason.STOP or not word):
            return FinishReason.TOOL_CALLS
        if reason is FinishReason.TOOL_CALLS and not self._calls:
            # Nobody can run a call that is not there; without text the model has not answered yet.
            return FinishReason.STOP if self._has_text else FinishReason.PAUSE
        return reason

    def _event(self, name: str, payload: Mapping[str, Json]) -> Iterator[Event]:
        """Read one event; those that are not known are skipped."""
        if name.startswith("contentBlock"):
            # Blocks come one after the other, and not each is stopped.
            yield from self._halves(but=_index(payload))
            yield from self._hosted.close(but=_index(payload))
        match name:
            case "contentBlockStart":
                yield from self._block_start(_index(payload), payload.get("start"))
            case "contentBlockDelta":
                yield from self._delta(_index(payload), payload.get("delta"))
            case "contentBlockStop":
                yield from self._hosted.stop(_index(payload))
            case "messageStop":
                self._stop(payload.get("stopReason"))
            case "metadata":
                self._usage.add(usage_of(payload.get("usage")))

    def _stop(self, word: Json) -> None:
        if self._finish is None and isinstance(word, str) and word:
            self._finish = fix_surrogates(word)

    def _block_start(self, index: int, start: Json) -> Iterator[Event]:
        if not isinstance(start, Mapping):
            return
        if not self._hosted.start(index, start) and isinstance(
            use := start.get("toolUse"), Mapping
        ):
            yield from self._calls.start(index, use)

    def _delta(self, index: int, delta: Json) -> Iterator[Event]:
        if not isinstance(delta, Mapping) or self._hosted.add(index, delta):
            return
        if isinstance(text := delta.get("text"), str):
            yield from self._text("text", index, text)
        if isinstance(thought := delta.get("reasoningContent"), Mapping):
            yield from self._thought(index, thought.get("text"), thought)
        if isinstance(use := delta.get("toolUse"), Mapping) and isinstance(use.get("input"), str):
            yield from self._calls.add(index, use["input"])
        if (cited := citation_of(delta.get("citation"), index)) is not None:
            yield cited
        if (url := image_url(self._hosted.format_of(index), delta.get("image"))) is not None:
            yield Image(url=url)

    def _thought(self, index: int, text: Json, opaque: Mapping[str, Json]) -> Iterator[Event]:
        if isinstance(text, str):
            yield from self._text("reasoning", index, text)
        if isinstance(signature := opaque.get("signature"), str) and signature:
            yield ReasoningSignature(signature=fix_surrogates(signature), index=index)
        if isinstance(data := opaque.get("redactedContent"), str) and data:
            yield ReasoningSignature(redacted_data=fix_surrogates(data), index=index)

    def _text(self, kind: str, index: int, piece: str, *, is_last: bool = False) -> Iterator[Event]:
        joiner = self._joiners.pop((kind, index), None) or SurrogateJoiner()
        text = joiner.close() if is_last else joiner.feed(piece)
        if joiner.waits:
            self._joiners[kind, index] = joiner
        if not text:
            return
        if kind == "text":
            yield ContentDelta(delta=text, index=index)
        else:
            yield ReasoningDelta(delta=text, channel="text", index=index)

    def _halves(self, but: int | None) -> Iterator[Event]:
        """Give out the halves of characters that wait in blocks, except in one."""
        for kind, index in list(self._joiners):
            if index != but:
                yield from self._text(kind, index, "", is_last=True)

    def _whole(self, answer: Mapping[str, Json]) -> Iterator[Event]:
        """Read an answer that is not streamed: its reasoning is nested, its input an object."""
        output = answer.get("output")
        message = output.get("message") if isinstance(output, Mapping) else None
        content = message.get("content") if isinstance(message, Mapping) else None
        for index, block in enumerate(content if isinstance(content, list) else ()):
            if isinstance(block, Mapping):
                yield from self._whole_block(index, block)
                yield from self._halves(but=None)
        self._stop(answer.get("stopReason"))
        self._usage.add(usage_of(answer.get("usage")))

    def _whole_block(self, index: int, block: Mapping[str, Json]) -> Iterator[Event]:
        hosted = list(self._hosted.whole(block))
        if hosted:
            yield from hosted
            return
        if isinstance(text := block.get("text"), str):
            yield from self._text("text", index, text)
        if isinstance(thought := block.get("reasoningContent"), Mapping):
            said = thought.get("reasoningText")
            said = said if isinstance(said, Mapping) else {}
            yield from self._thought(index, said.get("text"), {**thought, **said})
        if isinstance(use := block.get("toolUse"), Mapping):
            yield from self._calls.whole(index, use)
        if isinstance(cited := block.get("citationsContent"), Mapping):
            for piece in _objects(cited.get("content")):
                if isinstance(piece.get("text"), str):
                    yield from self._text("text", index, piece["text"])
            for source in _objects(cited.get("citations")):
                if (citation := citation_of(source, index)) is not None:
                    yield citation
        image = block.get("image")
        form = image.get("format") if isinstance(image, Mapping) else None
        if (url := image_url(form, image)) is not None:
            yield Image(url=url)


def _index(payload: Mapping[str, Json]) -> int:
    index = payload.get("contentBlockIndex")
    if isinstance(index, int) and not isinstance(index, bool) and index >= 0:
        return index
    return 0


def _objects(value: Json) -> list[Mapping[str, Json]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []
