"""Keeps secrets out of what the HTTP library logs while a recorder runs."""

from __future__ import annotations

import logging

from mockserver.secrets import find
from mockserver.secrets.find import Known

#: Loggers that write addresses (with keys in their queries) and headers (with cookies).
_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)


class LogFilter(logging.Filter):
    """Masks ``known`` secrets, and what looks like one, in the records of those loggers."""

    def __init__(self) -> None:
        super().__init__()
        self.known: frozenset[str] = frozenset()

    def install(self) -> None:
        """Begin to mask."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def remove(self) -> None:
        """Leave the loggers as they were."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the message by a masked one."""
        record.msg = find.mask(record.getMessage(), Known(self.known))
        record.args = ()
        return True
