"""Reads content blocks of Converse that are neither text nor the caller's tools. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from harness.adapters.chat.arguments import read_arguments
from harness.adapters.common.surrogates import fix_surrogates, fix_surrogates_in
from mockserver.vocabulary import Citation, Event, HostedToolEvent, Json, JsonObject

_SERVER_TOOL = "server_tool_use"


def citation_of(citation: Json, index: int) -> Citation | None:
    """Read a citation of the text in block ``index``; ``native`` has all that it says.

    Only a web page has an address; places in documents are offsets in these, not in the text.
    """
    if not isinstance(citation, Mapping):
        return None
    location = citation.get("location")
    web = location.get("web") if isinstance(location, Mapping) else None
    return Citation(
        url=_text(web.get("url")) if isinstance(web, Mapping) else None,
        title=_text(citation.get("title")),
        index=index,
        native=_native(dict(citation)),
    )


def image_url(form: Json, image: Json) -> str | None:
    """Return an image as a ``data:`` URL; ``None`` if it has no bytes."""
    source = image.get("source") if isinstance(image, Mapping) else None
    data = source.get("bytes") if isinstance(source, Mapping) else None
    if not (isinstance(data, str) and data):
        return None
    return fix_surrogates(f"data:image/{form if isinstance(form, str) else 'png'};base64,{data}")


def usage_of(usage: Json) -> Json:
    """Give the counts the names of Chat Completions.

    ``inputTokens`` leaves out what was cached, and the neutral count has it (as OpenTelemetry
    says), unless the total shows that a model counts it already (maximhq/bifrost#6942).
    """
    if not isinstance(usage, Mapping):
        return None
    given, output, total, read, written = (
        usage.get(name)
        for name in (
            "inputTokens",
            "outputTokens",
            "totalTokens",
            "cacheReadInputTokens",
            "cacheWriteInputTokens",
        )
    )
    counted = given
    if _is_count(given) and not (_is_count(output) and total == given + output):
        counted = given + sum(count for count in (read, written) if _is_count(count))
    return {
        "prompt_tokens": counted,
        "completion_tokens": output,
        "total_tokens": total,
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
    }


@dataclass(slots=True)
class _Hosted:
    name: str
    value: JsonObject
    pieces: list[str] = field(default_factory=list)
    content: list[Json] = field(default_factory=list)


class HostedBlocks:
    """The blocks of tools that the provider runs: uses, and their results.

    ``native`` of an event is the whole block, as it goes back in the next request.
    """

    def __init__(self) -> None:
        self._open: dict[int, _Hosted] = {}
        self._formats: dict[int, str] = {}

    def format_of(self, index: int) -> str | None:
        """Return the format of the image in a block, if it began with one."""
        return self._formats.get(index)

    def start(self, index: int, start: Mapping[str, Json]) -> bool:
        """Take the start of a block; return whether it is of a hosted tool."""
        image = start.get("image")
        if isinstance(image, Mapping) and isinstance(image.get("format"), str):
            self._formats[index] = image["format"]
        for name in ("toolUse", "toolResult"):
            value = start.get(name)
            if isinstance(value, Mapping) and (name == "toolResult" or _is_hosted(value)):
                self._open[index] = _Hosted(name, dict(value))
                return True
        return False

    def add(self, index: int, delta: Mapping[str, Json]) -> bool:
        """Take a delta; return whether it is of a hosted tool's block."""
        block = self._open.get(index)
        if block is None:
            return False
        use, result = delta.get("toolUse"), delta.get("toolResult")
        if isinstance(use, Mapping) and isinstance(use.get("input"), str):
            block.pieces.append(use["input"])
        if isinstance(result, list):
            block.content += result
        return True

    def stop(self, index: int) -> Iterator[Event]:
        """End a block."""
        block = self._open.pop(index, None)
        if block is None:
            return
        value = dict(block.value)
        if block.name == "toolUse":
            # What is no object could not go back.
            value["input"] = read_arguments("".join(block.pieces)) or {}
        else:
            value["content"] = block.content
        yield _event(block.name, value)

    def close(self, *, but: int | None) -> Iterator[Event]:
        """End all blocks that are open, except one."""
        for index in list(self._open):
            if index != but:
                yield from self.stop(index)

    def whole(self, block: Mapping[str, Json]) -> Iterator[Event]:
        """Yield the event of a complete block, if it is of a hosted tool."""
        for name in ("toolUse", "toolResult"):
            value = block.get(name)
            if isinstance(value, Mapping) and (name == "toolResult" or _is_hosted(value)):
                yield _event(name, dict(value))


def _is_count(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_hosted(use: Mapping[str, Json]) -> bool:
    return use.get("type") == _SERVER_TOOL


def _event(name: str, value: JsonObject) -> Event:
    kind = value.get("name") if name == "toolUse" else value.get("type")
    return HostedToolEvent(
        kind=_text(kind) or name,
        status=_text(value.get("status")),
        native=_native({name: value}),
    )


def _native(value: JsonObject) -> tuple[Json, ...]:
    """Return an object as it may be emitted; nothing if it is nested too deeply for that."""
    try:
        return (fix_surrogates_in(value),)
    except RecursionError:
        return ()


def _text(value: Json) -> str | None:
    return fix_surrogates(value) if isinstance(value, str) and value else None
