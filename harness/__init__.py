"""tapecheck's harness: plays recorded provider streams to a client and judges what it made of them.

The public names for people who write an adapter of their own; everything else lives in the
submodules and is imported from there.
"""

from harness.clients.interface import Call, ClientError, adapter
from mockserver.vocabulary import AssistantTurn, ErrorInfo, Event

__all__ = ["AssistantTurn", "Call", "ClientError", "ErrorInfo", "Event", "adapter"]
