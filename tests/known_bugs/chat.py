"""Faults that two clients of Chat Completions had in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from harness.adapters.chat import stream
from harness.adapters.common.usage import UsageMeter, read_usage
from mockserver.vocabulary import Event, Json


def drop(patch: pytest.MonkeyPatch, *kinds: type[Event]) -> None:
    """Drop these kinds of content from deltas and messages."""
    read = stream.read_delta

    def others(delta: Mapping[str, Json]) -> Iterator[Event]:
        return (event for event in read(delta) if not isinstance(event, kinds))

    patch.setattr(stream, "read_delta", others)


def adds_up_the_usage(patch: pytest.MonkeyPatch) -> None:
    def add(self: UsageMeter, data: Json) -> None:
        new, sums = read_usage(data), {}
        for name in ("input_tokens", "output_tokens", "total_tokens"):
            counts = (getattr(self._usage, name), getattr(new, name))
            sums[name] = sum(count for count in counts if count)
        if isinstance(data, Mapping):
            self._usage = replace(new, **sums)

    patch.setattr(UsageMeter, "add", add)
