"""How much a client may send, and lines cut from what arrives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.clients.protocol.messages import MessageError

#: Bytes of one message.
MAX_LINE = 64 * 1024 * 1024
#: Events of one call, and the bytes of their messages.
MAX_EVENTS = 50_000
MAX_BYTES = 32 * 1024 * 1024
#: Events that are kept of a call that emitted too much or ended its process.
KEPT_OF_FLOOD = 100
#: Log records of one call, and characters of one text that is only shown.
MAX_LOGS = 100
MAX_TEXT = 20_000


@dataclass(slots=True)
class Lines:
    """Splits what arrives into lines, each of at most :data:`MAX_LINE` bytes."""

    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that ``data`` completes. Raises :class:`MessageError`."""
        *whole, rest = data.split(b"\n")
        for line in whole:
            self._add(line)
            yield bytes(self._rest)
            self._rest.clear()
        self._add(rest)

    def _add(self, data: bytes) -> None:
        if len(self._rest) + len(data) > MAX_LINE:
            raise MessageError(f"a line of more than {MAX_LINE} bytes")
        self._rest += data


@dataclass(slots=True)
class Meter:
    """Counts what one call emits."""

    events: int = 0
    size: int = 0

    def exceeded_by(self, size: int) -> str | None:
        """Count one event of ``size`` bytes; return which bound it exceeds."""
        self.events += 1
        self.size += size
        if self.events > MAX_EVENTS:
            return f"the client emitted more than {MAX_EVENTS:,} events and was stopped"
        if self.size > MAX_BYTES:
            return f"the client emitted more than {MAX_BYTES >> 20} MiB and was stopped"
        return None
