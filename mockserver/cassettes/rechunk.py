"""Fixes a cassette whose chunk lengths no longer add up to its body.

The body was edited, so its chunk boundaries are lost. Without the lengths, the body is sent
per event. The file's other lines, comments too, stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from mockserver.cassettes.cassette import parse
from mockserver.cassettes.yaml_reader import YamlError, read
from mockserver.errors import CassetteError


def rechunk(text: bytes, path: Path) -> bytes:
    """Return the cassette without the chunk lists that are wrong.

    A sound cassette is returned unchanged. Raises :class:`CassetteError` for any other error,
    and for a chunk list that shares a line with other keys.
    """
    while True:
        try:
            parse(text, path)
        except CassetteError as exc:
            wrong = next((c for c in _chunk_lists(text) if exc.line in c.lines), None)
            if wrong is None:
                raise
            characters = text.decode()
            text = (characters[: wrong.start] + characters[wrong.stop :]).encode()
        else:
            return text


@dataclass(frozen=True, slots=True)
class _ChunkList:
    """Where a chunk list is: its lines from 1, and the characters of these lines."""

    lines: range
    start: int
    stop: int


def _chunk_lists(text: bytes) -> Iterator[_ChunkList]:
    """Find each ``chunks`` under a ``wire`` that shares no line with other keys."""
    try:
        pending = [read(text).root]
    except YamlError:
        return
    characters = text.decode()
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                pending.append(value)
                if key.value == "wire" and isinstance(value, yaml.MappingNode):
                    yield from _in_wire(value, characters)


def _in_wire(wire: yaml.MappingNode, characters: str) -> Iterator[_ChunkList]:
    if wire.flow_style:
        return
    for key, value in wire.value:
        if key.value != "chunks":
            continue
        # A block's own end mark comes after the comments that follow it.
        last = value
        while isinstance(last, yaml.SequenceNode) and not last.flow_style:
            last = last.value[-1]
        if isinstance(last, yaml.MappingNode) and not last.flow_style:
            continue
        end = characters.find("\n", last.end_mark.index)
        yield _ChunkList(
            lines=range(key.start_mark.line + 1, last.end_mark.line + 2),
            start=key.start_mark.index - key.start_mark.column,
            stop=len(characters) if end < 0 else end + 1,
        )
