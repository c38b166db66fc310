"""The protocol between the harness and a client in a process of its own. No I/O.

One JSON object per line, on the process's stdin and stdout; ``docs/CLIENT_PROTOCOL.md`` explains it
to those who write a client, ``specs/schemas/client_message.schema.json`` has each message. The
workers of clients in Python speak it too.
"""

from harness.clients.protocol.bounds import (
    KEPT_OF_FLOOD,
    MAX_BYTES,
    MAX_EVENTS,
    MAX_LINE,
    MAX_LOGS,
    MAX_TEXT,
    Lines,
    Meter,
)
from harness.clients.protocol.codec import decode_from_client, decode_to_client, encode, read_raised
from harness.clients.protocol.messages import (
    PROTOCOL,
    CancelCall,
    Done,
    Emitted,
    Failed,
    FromClient,
    Hello,
    MessageError,
    Native,
    NotRun,
    Raised,
    Refused,
    Start,
    StartCall,
    ToClient,
)

__all__ = [
    "KEPT_OF_FLOOD",
    "MAX_BYTES",
    "MAX_EVENTS",
    "MAX_LINE",
    "MAX_LOGS",
    "MAX_TEXT",
    "PROTOCOL",
    "CancelCall",
    "Done",
    "Emitted",
    "Failed",
    "FromClient",
    "Hello",
    "Lines",
    "MessageError",
    "Meter",
    "Native",
    "NotRun",
    "Raised",
    "Refused",
    "Start",
    "StartCall",
    "ToClient",
    "decode_from_client",
    "decode_to_client",
    "encode",
    "read_raised",
]
