"""Broken clients for Bedrock's Converse: the bundled one, one step changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.adapters.bedrock.calls import BlockCalls
from harness.adapters.bedrock.client import BedrockClient
from harness.adapters.bedrock.frames import FrameBody
from harness.adapters.bedrock.stream import ConverseStream
from harness.adapters.common.usage import UsageMeter
from harness.model import ErrorClass
from harness.model import Event as NeutralEvent
from mockserver.vocabulary import Json
from mockserver.wire.eventstream import CHECKSUM, PRELUDE, checksum
from tests.saboteurs.broken import caught_by
from tests.saboteurs.native_caller import NativeCaller


class BedrockCaller(NativeCaller):
    """Makes its call with the bundled client, one of whose readers is broken."""

    dialect = "bedrock"
    bundled = BedrockClient
    body_reader = FrameBody
    answer = ConverseStream


@caught_by("in-band-error", "false-success", "bedrock/bad-frame/checksum-itself/recorded")
class ChecksNoChecksum(BedrockCaller):
    class body_reader(FrameBody):  # noqa: N801
        waiting = b""

        def feed(self, data: bytes) -> list[NeutralEvent]:
            self.waiting += data
            events: list[NeutralEvent] = []
            while len(self.waiting) > PRELUDE:
                total = int.from_bytes(self.waiting[:4])
                if len(self.waiting) < total:
                    break
                frame, self.waiting = self.waiting[:total], self.waiting[total:]
                lengths = frame[: PRELUDE - CHECKSUM]
                good = lengths + checksum(lengths) + frame[PRELUDE:-CHECKSUM]
                events += super().feed(good + checksum(good))
            return events


@caught_by("in-band-error", "false-success", "bedrock/exception-frame/throttling/recorded")
class SkipsExceptions(BedrockCaller):
    class answer(ConverseStream):  # noqa: N801
        def chunk(
            self,
            value: Json,
            *,
            is_named_error: bool = False,
            default: ErrorClass = ErrorClass.STREAM_ERROR,
        ) -> list[NeutralEvent]:
            is_error = isinstance(value, Mapping) and "__type" in value
            return [] if is_error else super().chunk(value, default=default)

        def ended(self) -> list[NeutralEvent]:
            self._finish = self._finish or "end_turn"
            return super().ended()


@caught_by("sequence", "usage-missing", "bedrock/metrics-only-metadata/metrics-behind/recorded")
class ForgetsUsageForMetrics(BedrockCaller):
    class answer(ConverseStream):  # noqa: N801
        def _event(self, name: str, payload: Mapping[str, Json]) -> Iterator[NeutralEvent]:
            if name == "metadata":
                self._usage = UsageMeter()
            return super()._event(name, payload)


@caught_by("calls-kept", "tool-call", "bedrock/tools-parallel/recorded")
class JoinsTheInputsOfAllBlocks(BedrockCaller):
    class answer(ConverseStream):  # noqa: N801
        def __init__(self, **known: Any) -> None:
            super().__init__(**known)
            self._calls = _OneInput()


class _OneInput(BlockCalls):
    def add(self, index: int, piece: str) -> Iterator[NeutralEvent]:
        return super().add(min(self._by_index, default=index), piece)


@caught_by("turn", "signature", "bedrock/reasoning-two-shapes/recorded")
class LosesTheSignature(BedrockCaller):
    class answer(ConverseStream):  # noqa: N801
        def _thought(
            self, index: int, text: Json, _opaque: Mapping[str, Json]
        ) -> Iterator[NeutralEvent]:
            return super()._thought(index, text, {})
