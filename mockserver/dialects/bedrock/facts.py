"""Reads the facts of a Converse answer, streamed or not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mockserver.dialects.arguments import is_one_object, readings
from mockserver.dialects.facts import CallFacts, Facts, counts, merge_usage, repaired
from mockserver.dialects.failures import read_failure
from mockserver.vocabulary.model import Citation, Json, JsonObject
from mockserver.wire.body import Body, Media
from mockserver.wire.eventstream import Frame

_USAGE: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("inputTokens",),
    "output_tokens": ("outputTokens",),
    "total_tokens": ("totalTokens",),
    "cache_read_input_tokens": ("cacheReadInputTokens",),
    "cache_creation_input_tokens": ("cacheWriteInputTokens",),
}
_CACHED = ("cache_read_input_tokens", "cache_creation_input_tokens")
#: Words of a complete answer, and those that tell a failure.
_COMPLETE = frozenset({"end_turn", "stop_sequence", "tool_use"})
_FAILED = frozenset({"malformed_tool_use", "malformed_model_output"})


def read(body: Body) -> Facts:
    """Read the facts of one answer."""
    reader = _FactsReader()
    if body.media is Media.AWS_FRAMES:
        for frame in body.frames:
            if not reader.frame(frame):
                break
    elif body.data.strip():
        reader.document(body.data)
    return reader.result()


@dataclass(slots=True)
class _Block:
    """One content block: all that came for its index."""

    texts: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    has_text: bool = True
    use: Mapping[str, Json] | None = None
    is_hosted: bool = False


class _FactsReader:
    def __init__(self) -> None:
        self.facts = Facts()
        self.blocks: dict[Json, _Block] = {}
        self.words: list[str] = []
        self.signatures: list[str] = []
        self.citations: list[Citation] = []
        self.images: list[str] = []
        self.cites_in_doubt = False
        self.calls_in_doubt = False
        self.texts_in_doubt = False

    def frame(self, frame: Frame) -> bool:
        """Take a frame; return whether the next one matters."""
        if frame.problem is not None:
            self.facts.broken = True
            return False
        kind = frame.text(":message-type")
        if kind == "error":
            said = {"code": frame.text(":error-code"), "message": frame.text(":error-message")}
            self.facts.error = read_failure(said)
            return False
        try:
            payload = json.loads(frame.payload.decode(errors="replace") or "{}")
        except (ValueError, RecursionError):
            payload = None
        if kind == "exception":
            said = payload if isinstance(payload, dict) else {}
            self.facts.error = read_failure({"__type": frame.text(":exception-type"), **said})
            return False
        if kind != "event":
            self.facts.may_fail = True
            return True
        if not isinstance(payload, dict):
            self.facts.broken = True
            return False
        self.event(frame.text(":event-type"), payload)
        return True

    def event(self, name: str, payload: JsonObject) -> None:
        match name:
            case "contentBlockStart":
                self.start(self.block(payload), payload.get("start"))
            case "contentBlockDelta":
                self.delta(self.block(payload), payload.get("delta"))
            case "messageStop":
                self.stop(payload.get("stopReason"))
            case "metadata":
                self.usage(payload.get("usage"))

    def document(self, data: bytes) -> None:
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            self.facts.broken = True
            return
        output = answer.get("output") if isinstance(answer, dict) else None
        message = output.get("message") if isinstance(output, dict) else None
        if not isinstance(message, dict) and not _is_answer(answer):
            self.facts.error = read_failure(answer)
            return
        content = message.get("content") if isinstance(message, dict) else None
        for index, block in enumerate(content if isinstance(content, list) else ()):
            self.whole(self.blocks.setdefault(index, _Block()), block)
        self.stop(answer.get("stopReason"))
        self.usage(answer.get("usage"))
        self.facts.done = True

    def block(self, payload: JsonObject) -> _Block:
        index = payload.get("contentBlockIndex")
        if isinstance(index, bool) or not isinstance(index, int):
            self.calls_in_doubt = self.texts_in_doubt = True
            index = None
        self.texts_in_doubt |= bool(self.words)
        self.calls_in_doubt |= bool(self.words)
        if self.blocks and index != next(reversed(self.blocks)) and index in self.blocks:
            # Blocks come one after another; those that alternate may be joined in two orders.
            self.texts_in_doubt = True
        return self.blocks.setdefault(index, _Block())

    def start(self, block: _Block, start: Json) -> None:
        if not isinstance(start, dict):
            return
        if isinstance(use := start.get("toolUse"), dict):
            self.calls_in_doubt |= block.use is not None or bool(block.pieces)
            block.use = use
            block.is_hosted = use.get("type") == "server_tool_use"

    def delta(self, block: _Block, delta: Json) -> None:
        if not isinstance(delta, dict):
            self.facts.may_fail = True
            return
        if isinstance(text := delta.get("text"), str):
            block.texts.append(text)
        if isinstance(thought := delta.get("reasoningContent"), dict):
            if isinstance(thought.get("text"), str):
                block.reasoning.append(thought["text"])
            self.sign(thought.get("signature"), thought.get("redactedContent"))
        if isinstance(use := delta.get("toolUse"), dict):
            self.calls_in_doubt |= block.use is None
            if isinstance(use.get("input"), str):
                block.pieces.append(use["input"])
        if isinstance(citation := delta.get("citation"), dict):
            self.cite(citation)
        if "image" in delta:
            self.facts.images = None

    def whole(self, block: _Block, content: Json) -> None:
        if not isinstance(content, dict):
            return
        if isinstance(text := content.get("text"), str):
            block.texts.append(text)
        thought = content.get("reasoningContent")
        if isinstance(thought, dict):
            said = thought.get("reasoningText")
            if isinstance(said, dict):
                if isinstance(said.get("text"), str):
                    block.reasoning.append(said["text"])
                self.sign(said.get("signature"))
            self.sign(thought.get("redactedContent"))
        if isinstance(use := content.get("toolUse"), dict):
            self.start(block, {"toolUse": use})
            block.has_text = False
            try:
                block.pieces.append(json.dumps(use.get("input"), ensure_ascii=False))
            except RecursionError:
                self.calls_in_doubt = True
        if isinstance(cited := content.get("citationsContent"), dict):
            for piece in _objects(cited.get("content")):
                if isinstance(piece.get("text"), str):
                    block.texts.append(piece["text"])
            for citation in _objects(cited.get("citations")):
                self.cite(citation)

    def stop(self, word: Json) -> None:
        if isinstance(word, str) and word:
            self.words.append(word)

    def usage(self, usage: Json) -> None:
        merge_usage(self.facts.usage, counts(usage, _USAGE))

    def sign(self, *signatures: Json) -> None:
        for signature in signatures:
            if isinstance(signature, str) and signature and signature not in self.signatures:
                self.signatures.append(signature)

    def cite(self, citation: JsonObject) -> None:
        location = citation.get("location")
        web = location.get("web") if isinstance(location, dict) else None
        url = web.get("url") if isinstance(web, dict) else None
        title = citation.get("title")
        # What is no web page has a place that each client names in its own way.
        self.cites_in_doubt |= not (isinstance(url, str) and url)
        self.citations.append(
            Citation(
                url=url if isinstance(url, str) and url else None,
                title=title if isinstance(title, str) and title else None,
            )
        )

    def result(self) -> Facts:
        facts = self.facts
        if self.words:
            facts.terminal, *others = dict.fromkeys(self.words)
            facts.other_terminals = tuple(others)
        if facts.terminal in _FAILED and facts.error is None:
            facts.error = read_failure({"code": facts.terminal})
        unfinished = not facts.terminal_seen
        blocks = list(self.blocks.values())
        if self.texts_in_doubt:
            facts.text = facts.reasoning = None
        else:
            facts.text = _joined((b.texts for b in blocks), unfinished=unfinished)
            facts.reasoning = _joined((b.reasoning for b in blocks), unfinished=unfinished)
        facts.refusal = ""
        uses = [b for b in blocks if b.use is not None and not b.is_hosted]
        ids = [b.use.get("toolUseId") for b in uses if b.use is not None]
        complete = facts.terminal in _COMPLETE
        facts.calls = (
            None
            if self.calls_in_doubt
            else tuple(_call(block, ids, complete=complete) for block in uses)
        )
        facts.signatures = tuple(self.signatures)
        facts.citations = None if self.cites_in_doubt else tuple(self.citations)
        self.other_counts()
        facts.may_fail |= self.is_questionable()
        return facts

    def other_counts(self) -> None:
        """Let input with what was cached be as right as without."""
        usage = self.facts.usage
        plain = usage.get("input_tokens")
        cached = sum(usage.get(name) or 0 for name in _CACHED)
        if plain is not None and cached:
            self.facts.other_usage["input_tokens"] = frozenset({plain + cached})

    def is_questionable(self) -> bool:
        """Return whether a careful client may fail the turn, whatever its stop reason is."""
        facts = self.facts
        calls = facts.calls or ()
        return (
            facts.terminal not in _COMPLETE
            or bool(facts.other_terminals)
            or facts.text is None
            or facts.calls is None
            or not (facts.text or calls)
            or (facts.terminal == "tool_use" and not calls)
            or any(c.name is None or c.arguments is None or not c.arguments for c in calls)
        )


def _joined(blocks: Iterable[list[str]], *, unfinished: bool) -> str:
    """Join the pieces of blocks; a character is never in two of them."""
    *whole, last = ["", *("".join(pieces) for pieces in blocks)]
    return "".join((*map(repaired, whole), repaired(last, unfinished=unfinished)))


def _call(block: _Block, ids: list[Json], *, complete: bool) -> CallFacts:
    assert block.use is not None
    text = repaired("".join(block.pieces))
    name, call_id = block.use.get("name"), block.use.get("toolUseId")
    is_id = isinstance(call_id, str) and bool(call_id.strip()) and ids.count(call_id) == 1
    return CallFacts(
        name=name if isinstance(name, str) and name else None,
        id=call_id if is_id else None,
        arguments=readings(block.pieces, complete=complete),
        raw=text if block.has_text and is_one_object(text) else None,
    )


def _is_answer(value: Json) -> bool:
    """Return whether a body without a message is an answer all the same, and no error."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("output", ""), dict | None)
        and "__type" not in value
        and not isinstance(value.get("message"), str)
    )


def _objects(value: Json) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
