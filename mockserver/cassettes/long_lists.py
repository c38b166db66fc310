"""Reads cassettes with long lists of chunks: of those, YAML takes seconds and JSON milliseconds.

A hundred thousand pairs of numbers are not unusual: a provider that sends each letter alone. In
lists of numbers that are JSON, the two agree.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mockserver.cassettes import yaml_reader
from mockserver.cassettes.yaml_reader import YamlDocument

#: Stands for a list, with its number, while YAML is read.
_TAG = "!tapecheck/chunks"
#: A line as the writer writes it, with some thousand characters of pairs.
_LINE = re.compile(rb"^( {6}chunks: )(\[\[[0-9][0-9., \[\]]{4000,}\]\])$", re.MULTILINE)


def read(text: bytes, loader: type[yaml_reader.Loader]) -> YamlDocument | None:
    """Read a cassette with long lists; ``None`` if it has none, or is to be read as it stands."""
    lists: list[Any] = []
    used: list[int] = []

    def put(match: re.Match[bytes]) -> bytes:
        lists.append(json.loads(match[2]))
        return b"%b%b %d" % (match[1], _TAG.encode(), len(lists) - 1)

    def take(_: yaml_reader.Loader, node: Any) -> Any:
        used.append(int(node.value))
        return lists[used[-1]]

    if _LINE.search(text) is None:
        return None
    with_lists: type[yaml_reader.Loader] = type("_WithLists", (loader,), {})
    with_lists.add_constructor(_TAG, take)
    try:
        document = yaml_reader.read(_LINE.sub(put, text), with_lists)
    except ValueError:
        return None
    # Such a line within a text is no list.
    return document if used == list(range(len(lists))) else None
