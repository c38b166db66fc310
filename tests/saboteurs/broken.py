"""Clients that are broken on purpose, each in one way that was seen in the wild.

A saboteur is the plain client with one step changed. The case must catch it, and the check must
say so by a finding of the kind, whose level is that of the weightiest finding.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx

from harness import Call
from tests.saboteurs.client import Event, FailureError, SimpleClient


@dataclass(frozen=True)
class Saboteur:
    """A broken client, the check and the kind that must catch it, and in which case."""

    client: type[SimpleClient]
    check: str
    kind: str
    case: str

    @property
    def name(self) -> str:
        return self.client.__name__


SABOTEURS: list[Saboteur] = []


def caught_by(
    check: str, kind: str, case: str
) -> Callable[[type[SimpleClient]], type[SimpleClient]]:
    def note(client: type[SimpleClient]) -> type[SimpleClient]:
        SABOTEURS.append(Saboteur(client, check, kind, case))
        return client

    return note


# --- bytes


@caught_by("sequence", "false-failure", "sse/crlf-line-ends/recorded")
class SplitsOnTwoNewlinesOnly(SimpleClient):
    async def payloads(self, response: httpx.Response) -> AsyncIterator[str]:
        buffer = ""
        async for chunk in self.chunks(response):
            buffer += chunk.decode()
            *blocks, buffer = buffer.split("\n\n")
            for block in blocks:
                if block.startswith("data:"):
                    yield block[5:].strip()


@caught_by("sequence", "false-failure", "sse/cr-only-line-ends/recorded")
class KnowsNoLoneCarriageReturn(SimpleClient):
    async def lines(self, response: httpx.Response) -> AsyncIterator[str]:
        buffer = b""
        async for chunk in self.chunks(response):
            *parts, buffer = (buffer + chunk).split(b"\n")
            for part in parts:
                yield self.decode(part.removesuffix(b"\r"))
        yield self.decode(buffer)


@caught_by("sequence", "false-failure", "sse/data-no-space/recorded")
class WantsASpaceAfterTheColon(SimpleClient):
    async def lines(self, response: httpx.Response) -> AsyncIterator[str]:
        async for line in super().lines(response):
            if not line or line.startswith("data: "):
                yield line


@caught_by("content-kept", "text", "sse/u2028-in-json/recorded")
class SplitsAtLineSeparators(SimpleClient):
    """``str.splitlines`` and httpx's ``aiter_lines`` do this; here the error is swallowed too."""

    async def payloads(self, response: httpx.Response) -> AsyncIterator[str]:
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                yield line[5:].strip()

    def parse(self, payload: str) -> Any:
        try:
            return json.loads(payload)
        except ValueError:
            return {}


@caught_by("content-kept", "text", "sse/utf8-split-bytes/recorded")
class DecodesEveryChunk(SimpleClient):
    async def chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:  # type: ignore[override]
        async for chunk in response.aiter_raw():
            yield chunk.decode(errors="replace").encode()


@caught_by("sequence", "false-failure", "openai-chat/text-basic/framing=blob")
class TakesEveryReadForAnEvent(SimpleClient):
    async def payloads(self, response: httpx.Response) -> AsyncIterator[str]:
        async for chunk in response.aiter_raw():
            text = chunk.decode(errors="replace").strip()
            yield text.removeprefix("data:").strip().partition("\n")[0]


@caught_by("sequence", "text", "sse/bom-at-start/recorded")
class KeepsTheByteOrderMark(SimpleClient):
    def decode(self, line: bytes) -> str:
        return line.decode(errors="replace")


@caught_by("sequence", "false-failure", "sse/comment-lines/recorded")
class ParsesComments(SimpleClient):
    async def lines(self, response: httpx.Response) -> AsyncIterator[str]:
        async for line in super().lines(response):
            yield f"data:{line}" if line.startswith(":") else line


@caught_by("sequence", "false-failure", "sse/event-without-data/recorded")
class ChokesOnEmptyData(SimpleClient):
    def payload(self, payload: str) -> Iterator[Event]:
        if payload == "[DONE]":
            self.done = True
            return
        yield from self.chunk(self.parse(payload))


@caught_by("sequence", "false-failure", "sse/multi-line-data/recorded")
class TakesEveryDataLineForAnEvent(SimpleClient):
    async def payloads(self, response: httpx.Response) -> AsyncIterator[str]:
        async for line in self.lines(response):
            if line.startswith("data:"):
                yield line[5:].removeprefix(" ")


@caught_by("sequence", "false-failure", "openai-chat/text-basic/gzip=yes")
class CannotUnpack(SimpleClient):
    def chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        return response.aiter_raw()


# --- the end of a stream


@caught_by("completeness", "false-success", "http/eof-without-terminal/text/recorded")
class TrustsTheEndOfTheStream(SimpleClient):
    def check_end(self) -> None:
        self.finish = self.finish or "stop"


@caught_by("fault", "false-success", "openai-chat/text-basic/reset=3")
class TakesAResetForTheEnd(SimpleClient):
    def broken(self, error_class: str) -> None:
        self.finish = self.finish or "stop"


@caught_by("hygiene", "hang", "openai-chat/text-basic/stall=3")
class WaitsForever(SimpleClient):
    def timeout(self) -> httpx.Timeout:
        return httpx.Timeout(None)


@caught_by("sequence", "false-failure", "openai-chat/done-missing-after-finish/with-usage/recorded")
class InsistsOnDone(SimpleClient):
    def check_end(self) -> None:
        if not self.done:
            raise FailureError("truncated_stream", "no end marker")


@caught_by("sequence", "text", "openai-chat/data-after-done/after-finish/recorded")
class ReadsOnAfterDone(SimpleClient):
    def payload(self, payload: str) -> Iterator[Event]:
        if payload != "[DONE]":
            yield from super().payload(payload)


@caught_by("error", "false-success", "http/200-empty-body/stream/recorded")
class TakesNothingForAnAnswer(SimpleClient):
    def check_end(self) -> None:
        if self.started:
            super().check_end()
        self.finish = self.finish or "stop"


# --- errors


@caught_by(
    "in-band-error", "false-success", "openai-chat/error-object-midstream/unknown-code/recorded"
)
class IgnoresErrorsInTheStream(SimpleClient):
    def check_error(self, chunk: Any) -> None:
        pass

    def check_end(self) -> None:
        self.finish = self.finish or "stop"


@caught_by("hygiene", "crash", "http/502-html/stream/recorded")
class ExpectsJsonInEveryError(SimpleClient):
    def refused(self, response: httpx.Response) -> None:
        raise FailureError("server_error", response.json()["error"]["message"])


@caught_by("error", "error-family", "http/401-invalid-key/stream/recorded")
class KnowsOnlyServerErrors(SimpleClient):
    def refused(self, response: httpx.Response) -> None:
        raise FailureError("server_error", "something went wrong", response.status_code)


@caught_by("error-kept", "error-message", "http/401-invalid-key/stream/recorded")
class ForgetsWhatTheProviderSaid(SimpleClient):
    def refused(self, response: httpx.Response) -> None:
        raise FailureError("authentication", "something went wrong", response.status_code)


@caught_by("identity", "field", "openai-chat/text-basic/recorded")
class AnswersInTheNameOfAnotherModel(SimpleClient):
    def start(self, chunk: Event) -> Iterator[Event]:
        yield from super().start({**chunk, "model": "gpt-x"})


@caught_by("secrets", "secret", "http/401-invalid-key/stream/recorded")
class LeaksTheKeyInAnError(SimpleClient):
    def refused(self, response: httpx.Response) -> None:
        raise FailureError("authentication", f"refused: {self.headers()}", response.status_code)


@caught_by("secrets", "secret", "openai-chat/text-basic/recorded")
class LogsTheKey(SimpleClient):
    def headers(self) -> dict[str, str]:
        headers = super().headers()
        logging.getLogger("saboteur").warning("sending %s", headers)
        return headers


@caught_by("terminal", "two-endings", "openai-chat/error-object-midstream/unknown-code/recorded")
class EndsTwice(SimpleClient):
    def failed(self, failure: FailureError) -> Iterator[Event]:
        yield from super().failed(failure)
        yield {"type": "message_stop", "finish_reason": "stop"}


@caught_by("terminal", "no-ending", "openai-chat/text-basic/recorded")
class NeverEnds(SimpleClient):
    def ending(self) -> Iterator[Event]:
        yield from self.usage_event()


# --- content


@caught_by("usage", "usage", "gemini-compat/usage-every-chunk/gemini/recorded")
class AddsUsageUp(SimpleClient):
    def count(self, usage: Event | None) -> None:
        before = dict(self.usage)
        super().count(usage)
        if usage:
            for name, value in before.items():
                self.usage[name] += value


@caught_by("usage", "zero-for-absent", "openai-chat/usage-missing/stream/recorded")
class CountsSilenceAsZero(SimpleClient):
    def usage_event(self) -> Iterator[Event]:
        self.usage = self.usage or {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        yield from super().usage_event()


@caught_by("usage", "usage-missing", "openai-chat/chunk-after-usage/recorded")
class ForgetsUsage(SimpleClient):
    def count(self, usage: Event | None) -> None:
        self.usage = {}
        super().count(usage)


@caught_by("sequence", "false-failure", "openai-chat/tools-all-index-0/whole/recorded")
class MergesCallsByIndex(SimpleClient):
    def find_call(self, piece: Event) -> int | None:
        return super().find_call({**piece, "id": None})


@caught_by("tool-calls", "tool-call", "openai-chat/tool-empty-string-continuation/recorded")
class TakesAnEmptyIdForAnId(SimpleClient):
    def find_call(self, piece: Event) -> int | None:
        return None if piece.get("id") == "" else super().find_call(piece)


@caught_by("sequence", "false-failure", "openai-chat/tools-interleaved/recorded")
class ContinuesTheLastCall(SimpleClient):
    def find_call(self, piece: Event) -> int | None:
        if piece.get("id"):
            return super().find_call(piece)
        return len(self.calls) - 1 if self.calls else None


@caught_by("fold", "turn", "openai-chat/tool-name-repeated/recorded")
class JoinsRepeatedNames(SimpleClient):
    def name_call(self, number: int, call: Event, name: str) -> Iterator[Event]:
        yield from super().name_call(number, call, name)
        if call.get("named"):
            call["name"] += name
        call["named"] = True


@caught_by("tool-calls", "made-up", "openai-chat/tool-id-missing-in-every-turn/recorded")
class MakesTheSameIdInEveryTurn(SimpleClient):
    def made_id(self, number: int) -> str:
        return f"call_{number}"


@caught_by("tool-calls", "tool-call", "openai-chat/tools-json-glued/two-deltas/recorded")
class TakesTheFirstOfTwoObjects(SimpleClient):
    def end_call(self, number: int, call: Event) -> Event:
        _, end = json.JSONDecoder().raw_decode(call["arguments"] or "{}")
        call["arguments"] = call["arguments"][:end]
        return super().end_call(number, call)


@caught_by("tool-calls", "tool-call", "openai-chat/tool-args-cut-by-length/single/recorded")
class EmitsACutCall(SimpleClient):
    def end_call(self, number: int, call: Event) -> Event:
        try:
            return super().end_call(number, call)
        except FailureError:
            call["parsed"], call["arguments"] = {}, "{}"
            return {
                "type": "tool_call_end",
                "tool_call_index": number,
                "arguments": {},
                "arguments_raw": "{}",
            }

    def ending(self) -> Iterator[Event]:
        cut, self.finish = self.finish == "length", "tool_calls"
        for event in super().ending():
            if cut and event["type"] == "message_stop":
                event |= {"finish_reason": "length", "raw_finish_reason": "length"}
            yield event


@caught_by("turn", "finish-reason", "openai-chat/tool-args-cut-by-length/single/recorded")
class TakesACutTurnForComplete(SimpleClient):
    def turn(self, events: list[Event]) -> Event:
        return {**super().turn(events), "status": "completed"}


@caught_by("finish-reason", "finish-reason", "openai-chat/tool-args-cut-by-length/single/recorded")
class AlwaysReportsStop(SimpleClient):
    def reason(self) -> str:
        return "stop"


@caught_by("finish-reason", "stop-with-call", "openai-chat/finish-stop-with-tools/stream/recorded")
class BelievesStopDespiteCalls(SimpleClient):
    def reason(self) -> str:
        return self.finish or "unknown"


@caught_by("content-kept", "refusal", "openai-chat/refusal-logprobs/refusal/recorded")
class DropsRefusals(SimpleClient):
    def refuse(self, refusal: str | None) -> Iterator[Event]:
        yield from ()


@caught_by("content-kept", "text", "openai-chat/n2-choices/interleaved/recorded")
class MixesChoices(SimpleClient):
    def chunk(self, chunk: Any) -> Iterator[Event]:
        for choice in chunk.get("choices") or ():
            choice["index"] = 0
        yield from super().chunk(chunk)


@caught_by("content-kept", "text", "openai-chat/finish-with-last-content/text/recorded")
class StopsAtTheReason(SimpleClient):
    def choice(self, choice: Event) -> Iterator[Event]:
        if choice.get("finish_reason"):
            choice = {**choice, "delta": {}}
        yield from super().choice(choice)


@caught_by("hygiene", "crash", "openai-chat/text-basic/recorded")
class ExpectsAChoiceInEveryChunk(SimpleClient):
    def chunk(self, chunk: Any) -> Iterator[Event]:
        chunk["choices"][0]
        yield from super().chunk(chunk)


@caught_by("fold", "turn", "openai-chat/text-basic/recorded")
class ReturnsAnotherTurn(SimpleClient):
    def turn(self, events: list[Event]) -> Event:
        self.text = self.text.upper()
        return super().turn(events)


@caught_by("schema", "empty-event", "openai-chat/text-basic/recorded")
class SendsEmptyDeltas(SimpleClient):
    def choice(self, choice: Event) -> Iterator[Event]:
        if (choice.get("delta") or {}).get("content") == "":
            yield {"type": "content_delta", "delta": ""}
        yield from super().choice(choice)


@caught_by("schema", "surrogates", "sse/surrogate-escapes-split/text/recorded")
class EmitsHalfACharacter(SimpleClient):
    def paired(self, text: str) -> str:
        return text


# --- conduct


@caught_by("incremental", "buffered", "openai-chat/text-basic/hold=4")
class WaitsForTheWholeAnswer(SimpleClient):
    async def chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:  # type: ignore[override]
        yield await response.aread()


@caught_by("request", "request-form", "openai-chat/text-basic/recorded")
class AsksForNoUsage(SimpleClient):
    def body(self) -> Event:
        return {k: v for k, v in super().body().items() if k != "stream_options"}


@caught_by("evidence", "wrong-request", "openai-chat/text-basic/recorded")
class AsksSomewhereElse(SimpleClient):
    def __init__(self, call: Call) -> None:
        super().__init__(replace(call, base_url=call.base_url.removesuffix("/v1")))
