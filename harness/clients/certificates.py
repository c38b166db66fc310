"""A short list of certificates for the processes of clients.

Most HTTP libraries read the system's whole list whenever a client is made, which takes longer than
a case. The mock server speaks plain HTTP on loopback, so that no certificate is ever checked.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from functools import cache
from pathlib import Path

#: Where OpenSSL, and libraries that follow it, find the list.
VARIABLE = "SSL_CERT_FILE"
_END = "-----END CERTIFICATE-----"


def environment() -> dict[str, str]:
    """Return the environment of a client's process."""
    path = _short_list()
    return dict(os.environ) if path is None else {**os.environ, VARIABLE: path}


@cache
def _short_list() -> str | None:
    """Write the first certificate of the usual list to a file, which is removed at the end."""
    try:
        import certifi

        text = Path(certifi.where()).read_text(encoding="utf-8")
        end = text.index(_END) + len(_END)
        handle, path = tempfile.mkstemp(prefix="tapecheck-", suffix=".pem")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{text[text.index('-----BEGIN') : end]}\n")
    except (ImportError, OSError, ValueError):
        return None
    atexit.register(Path(path).unlink, missing_ok=True)
    return path
