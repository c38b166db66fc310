"""The state machine of generateContent: chunks in, normalized events out. Pure.

A whole answer is one chunk. Neighbouring texts of one kind are one part, unless one of them has a
signature: that belongs to its own text alone, and goes back with it. Every text has the number of
its part. The terminal event comes when the body ends, not with the finish word: usage, sources and
errors may still follow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from harness.adapters.common.answer import Answer
from harness.adapters.common.failures import failure, from_payload, is_error
from harness.adapters.common.surrogates import fix_surrogates, fix_surrogates_in
from harness.adapters.gemini.calls import Calls
from harness.adapters.gemini.counts import Counts
from harness.adapters.gemini.sources import Sources
from harness.adapters.gemini.texts import Texts
from harness.adapters.gemini.words import BLOCKED, ERRORS, REASONS
from mockserver.vocabulary import (
    ErrorClass,
    ErrorInfo,
    Event,
    FinishReason,
    HostedToolEvent,
    Image,
    Json,
    MessageStart,
    MessageStop,
    SendBack,
)

_INCOMPLETE = frozenset({FinishReason.LENGTH, FinishReason.CONTENT_FILTER, FinishReason.UNKNOWN})
#: Parts of tools that the provider ran.
_HOSTED = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
#: All fields of a part that is text, or nothing but its signature.
_OF_TEXT = frozenset({"text", "thought", "thoughtSignature"})
_FIELDS = frozenset({"candidates", "promptFeedback", "usageMetadata", "responseId", "modelVersion"})


class GeminiStream(Answer):
    """One answer. Feed it with chunks. ``taken_ids`` are the tool call ids of earlier turns."""

    api = "Gemini"
    terminal = "finishReason"

    def __init__(
        self,
        *,
        taken_ids: Collection[str] = (),
        secrets: Collection[str] = (),
        request_id: str | None = None,
    ) -> None:
        super().__init__(secrets=secrets, request_id=request_id)
        self._id: str | None = None
        self._model: str | None = None
        self._texts = Texts()
        self._calls = Calls(taken_ids)
        self._sources = Sources()
        self._counts = Counts()
        self._finish: str | None = None
        self._blocked: str | None = None
        self._error: ErrorInfo | None = None
        self._has_content = False

    def is_answer(self, value: Json) -> bool:
        """Return whether ``value`` is a chunk, a whole answer, an error, or a list of these."""
        if isinstance(value, list):
            return bool(value) and all(self.is_answer(item) for item in value)
        return is_error(value) or (isinstance(value, Mapping) and not _FIELDS.isdisjoint(value))

    def chunk(
        self,
        value: Json,
        *,
        is_named_error: bool = False,
        default: ErrorClass = ErrorClass.STREAM_ERROR,
    ) -> list[Event]:
        """Take one chunk, or a whole answer; see :meth:`Answer.chunk`. ``null`` is skipped."""
        if isinstance(value, list) and self.is_answer(value):
            return [e for item in value for e in self.chunk(item, default=default)]
        if self.closed or value is None:
            return []
        events: list[Event] = []
        if is_named_error or is_error(value):
            self._error = from_payload(value, default=default, secrets=self.secrets)
        elif isinstance(value, Mapping):
            self._any_chunk = True
            self._usage.add(self._counts.add(value.get("usageMetadata")))
            self._id = self._id or _text_or_none(value.get("responseId"))
            self._model = self._model or _text_or_none(value.get("modelVersion"))
            self._take_feedback(value.get("promptFeedback"))
            events += self._content(value.get("candidates"))
        else:
            what = type(value).__name__
            self._error = failure(ErrorClass.PROTOCOL, f"a chunk is an object, not {what}")
        start: list[Event] = []
        if not self._started and (events or (self._id and not self._error)):
            start = self._start()
        if self._started:
            events = [*start, *self._take_warnings(), *events]
        return [*events, *self.fail(self._error)] if self._error else events

    def done(self) -> list[Event]:
        """End because this was the whole answer, even without a finish word."""
        if self.closed:
            return []
        if self._finish is None and self._blocked is None and self._has_content:
            self.warn("finish_reason_missing", "the answer ended without a finishReason")
        return self._complete()

    def lost(self, error: ErrorInfo) -> list[Event]:
        """End because the connection broke; after a finish word the turn is complete."""
        if (self._finish is not None or self._blocked is not None) and not self.closed:
            return self._complete()
        return self.fail(error)

    def fail(self, error: ErrorInfo) -> list[Event]:
        """End with an error."""
        rest = [] if self.closed else self._texts.close()
        return [*rest, *super().fail(error)]

    def stop_so_far(self) -> MessageStop:
        """Return the stop that the finish word says."""
        return MessageStop(finish_reason=self._reason(), raw_finish_reason=self._finish)

    def _start(self) -> list[Event]:
        self._started = True
        return [MessageStart(response_id=self._id, model=self._model)]

    def _take_feedback(self, feedback: Json) -> None:
        if isinstance(feedback, Mapping):
            self._blocked = self._blocked or _text_or_none(feedback.get("blockReason"))

    def _content(self, candidates: Json) -> Iterator[Event]:
        for candidate in _objects(candidates):
            if candidate.get("index") not in (None, 0):
                self.warn("extra_choices", "only the candidate with index 0 is used")
                continue
            content = candidate.get("content")
            parts = content.get("parts") if isinstance(content, Mapping) else None
            for part in _objects(parts):
                yield from self._part(part)
            self._sources.add(candidate)
            self._finish = self._finish or _text_or_none(candidate.get("finishReason"))
            if token := candidate.get("continuationToken"):
                yield SendBack(fields={"continuationToken": fix_surrogates_in(token)})

    def _part(self, part: Mapping[str, Json]) -> Iterator[Event]:
        signature = _text_or_none(part.get("thoughtSignature"))
        text = part.get("text")
        if signature and not isinstance(text, str) and _OF_TEXT.issuperset(part):
            text = ""
        if isinstance(text, str):
            events = list(self._texts.add(text, signature, thought=part.get("thought") is True))
            is_text = part.get("thought") is not True
            shown = fix_surrogates(text) if is_text else ""
            self._sources.add_part(shown, self._texts.number, is_text=is_text and bool(text))
            self._has_content |= bool(text)
            yield from events
            return
        self._sources.add_part()
        if isinstance(call := part.get("functionCall"), Mapping):
            yield from self._texts.close()
            self._has_content = True
            yield from self._calls.add(call, signature)
            self._error = self._error or self._calls.error
        elif (url := _image_in(part)) is not None:
            yield from self._texts.close()
            self._has_content = True
            yield Image(url=url, thought_signature=signature)
        elif kind := _kept_kind(part, signature):
            yield from self._texts.close()
            self._has_content = True
            yield HostedToolEvent(
                kind=kind, status=_outcome(part[kind]), native=(fix_surrogates_in(dict(part)),)
            )

    def _complete(self) -> list[Event]:
        events = self._texts.close()
        reason = self._reason()
        events += self._calls.close(incomplete=reason in _INCOMPLETE)
        error = self._calls.error or self._failure(reason)
        events += self._sources.citations()
        start = [] if self._started or (error and not events) else self._start()
        if error:
            return [*start, *events, *self.fail(error)]
        self.closed = True
        return [
            *start,
            *events,
            *self._take_warnings(),
            *self._usage_event(),
            self.stop_so_far(),
        ]

    def _reason(self) -> FinishReason:
        reason = REASONS.get(self._finish or "", FinishReason.UNKNOWN)
        if self._finish is None and self._has_content:
            reason = FinishReason.STOP
        if reason is FinishReason.STOP and self._calls:
            return FinishReason.TOOL_CALLS
        return reason

    def _failure(self, reason: FinishReason) -> ErrorInfo | None:
        """Return why a turn with an end is none."""
        if self._finish is None and self._blocked is not None:
            message = f"the prompt was blocked: {BLOCKED.get(self._blocked, self._blocked)}"
            return failure(ErrorClass.CONTENT_FILTERED, message, code=self._blocked)
        if (error_class := ERRORS.get(self._finish or "")) is not None:
            message = f"the provider stopped with finishReason {self._finish!r}"
            return failure(error_class, message, code=self._finish)
        if not self._has_content and (self._finish is None or reason is FinishReason.STOP):
            return failure(ErrorClass.EMPTY_RESPONSE, "the answer has no content")
        return None


def _image_in(part: Mapping[str, Json]) -> str | None:
    """Return the URL of an image; of another file nothing."""
    data, file = part.get("inlineData"), part.get("fileData")
    if isinstance(data, Mapping) and _is_image(data) and isinstance(data.get("data"), str):
        return fix_surrogates(f"data:{data['mimeType']};base64,{data['data']}")
    if isinstance(file, Mapping) and _is_image(file):
        return _text_or_none(file.get("fileUri"))
    return None


def _is_image(file: Mapping[str, Json]) -> bool:
    return str(file.get("mimeType")).startswith("image/")


def _kept_kind(part: Mapping[str, Json], signature: str | None) -> str | None:
    """Return the kind of a part that goes back as it is: of a hosted tool, or any signed one."""
    others = (name for name in part if name not in _OF_TEXT) if signature else ()
    return next((name for name in (*_HOSTED, *others) if name in part), None)


def _outcome(hosted: Json) -> str | None:
    return _text_or_none(hosted.get("outcome")) if isinstance(hosted, Mapping) else None


def _objects(value: Json) -> list[Mapping[str, Json]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def _text_or_none(value: Json) -> str | None:
    return fix_surrogates(value) if isinstance(value, str) and value else None
