"""The tool calls of one answer: whole objects, or arguments that come piece by piece. Pure.

Source: ``FunctionCall`` and ``PartialArg`` of google-genai 3.6.1. A call whose arguments are
streamed begins with its name and ``willContinue``, goes on with values at JSON paths, and ends
with a part that will not continue, which may be missing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from harness.adapters.chat.arguments import read_arguments
from harness.adapters.chat.tool_calls import CallStarts, call_error
from harness.adapters.common.surrogates import fix_surrogates, fix_surrogates_in
from harness.adapters.gemini.paths import PathError, Paths
from mockserver.vocabulary import (
    ErrorInfo,
    Event,
    Json,
    JsonObject,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)


@dataclass(slots=True)
class _Growing:
    """A call whose arguments are not complete."""

    start: ToolCallStart
    signature: str | None
    paths: Paths = field(default_factory=Paths)


class Calls:
    """The calls of one turn. ``error`` is that of the first bad one."""

    def __init__(self, taken_ids: Collection[str] = ()) -> None:
        self.error: ErrorInfo | None = None
        self._starts = CallStarts(taken_ids)
        self._growing: _Growing | None = None

    def __bool__(self) -> bool:
        return len(self._starts) > 0

    def add(self, call: Mapping[str, Json], signature: str | None) -> Iterator[Event]:
        """Take the call of one part and yield its events."""
        name = _text(call.get("name"))
        goes_on = call.get("willContinue") is True
        if self._growing is not None and not name:
            yield from self._grow(self._growing, call, signature, goes_on=goes_on)
            return
        yield from self._end_growing()
        if not name:
            self._fail(None, "", call.get("args"))
            return
        start = self._starts.start(_id(call.get("id")), name)
        yield start
        if goes_on or isinstance(call.get("partialArgs"), list):
            self._growing = _Growing(start, signature)
            yield from self._grow(self._growing, call, None, goes_on=goes_on)
            return
        yield from self._end(start, call.get("args"), signature)

    def close(self, *, incomplete: bool) -> list[Event]:
        """End the turn. ``incomplete``: the model was stopped, and so was a call that grows."""
        if incomplete:
            self._growing = None
        return list(self._end_growing())

    def _grow(
        self, growing: _Growing, call: Mapping[str, Json], signature: str | None, *, goes_on: bool
    ) -> Iterator[Event]:
        growing.signature = growing.signature or signature
        partial = call.get("partialArgs")
        try:
            if isinstance(args := call.get("args"), Mapping):
                growing.paths.arguments.update(args)
            for piece in partial if isinstance(partial, list) else ():
                if isinstance(piece, Mapping):
                    growing.paths.add(piece)
        except PathError as exc:
            self._growing = None
            self._fail(growing.start.tool_call_index, growing.start.tool_name, str(exc))
            return
        if not goes_on:
            yield from self._end_growing()

    def _end_growing(self) -> Iterator[Event]:
        growing, self._growing = self._growing, None
        if growing is not None:
            yield from self._end(growing.start, growing.paths.arguments, growing.signature)

    def _end(self, start: ToolCallStart, args: Json, signature: str | None) -> Iterator[Event]:
        arguments = _object(args)
        if arguments is None:
            self._fail(start.tool_call_index, start.tool_name, args)
            return
        raw = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
        yield ToolCallDelta(tool_call_index=start.tool_call_index, arguments_delta=raw)
        yield ToolCallEnd(
            tool_call_index=start.tool_call_index,
            arguments=arguments,
            arguments_raw=raw,
            thought_signature=signature,
        )

    def _fail(self, number: int | None, name: str, args: Json) -> None:
        text = args if isinstance(args, str) else json.dumps(args, ensure_ascii=False)
        self.error = self.error or call_error(number, name, fix_surrogates(text))


def _object(args: Json) -> JsonObject | None:
    """Return arguments; absent ones are none, and a text may be an object (gateways send it)."""
    if args is None:
        return {}
    if isinstance(args, str):
        return read_arguments(args)
    return fix_surrogates_in(dict(args)) if isinstance(args, Mapping) else None


def _text(value: Json) -> str:
    return fix_surrogates(value) if isinstance(value, str) else ""


def _id(value: Json) -> str:
    text = _text(value)
    return text if text.strip() else ""
