"""The event loop of the server's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the factory of a fast event loop if uvloop is installed, else ``None``."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], Any] = uvloop.new_event_loop
    return factory
