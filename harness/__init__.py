"""tapecheck's harness: plays recorded provider streams to a client and judges what it made of them.

The public names for people who write an adapter of their own; everything else lives in the
submodules and is imported from there. The names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.lazy import lazy_face

if TYPE_CHECKING:
    from harness.clients.interface import Call, ClientError, adapter
    from mockserver.vocabulary import AssistantTurn, ErrorInfo, Event

__all__ = ["AssistantTurn", "Call", "ClientError", "ErrorInfo", "Event", "adapter"]

_HOMES = {
    "clients.interface": ("Call", "ClientError", "adapter"),
    "model": ("AssistantTurn", "ErrorInfo", "Event"),
}

__getattr__ = lazy_face(__name__, _HOMES)
