import json
from collections.abc import Callable
from typing import Any

import pytest

Chunk = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def chunk() -> Chunk:
    """Builds a chunk of Chat Completions out of a delta and further fields."""

    def make(delta: Any = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
        choices = [{"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}]
        return {"id": "c1", "model": "m1", "choices": choices, **more}

    return make


@pytest.fixture(scope="session")
def sse() -> Callable[..., bytes]:
    """Encodes objects and texts as an event stream, as OpenAI does."""

    def encode(*items: Any) -> bytes:
        texts = [i if isinstance(i, str) else json.dumps(i, ensure_ascii=False) for i in items]
        return "".join(f"data: {text}\n\n" for text in texts).encode()

    return encode
