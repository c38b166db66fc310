"""A certificate authority of the server's own: for itself, and for hosts that a proxy answers for.

The keys stay in memory, except that one of a host is in a file that only its user can read while
Python loads it: that takes a path. What clients are to trust is a file with the certificate.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import certifi

from mockserver.errors import ServerStartError

#: Variables with the certificates that clients trust: OpenSSL's, and those of requests, curl,
#: botocore and the other SDKs of AWS, Node.js (which adds them to its own) and Deno.
TRUST_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "DENO_CERT",
)
#: How many hosts have a certificate at a time.
_MOST_HOSTS = 64


class Authority:
    """Makes certificates for hosts. ``environment`` names files of what clients trust already.

    Raises :class:`ServerStartError` if the library that makes certificates is not installed.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        try:
            import trustme
        except ImportError:
            raise ServerStartError(
                "TLS needs the extra tls: pip install 'tapecheck[tls]'"
            ) from None
        self._ca = trustme.CA(path_length=0, organization_name="tapecheck")
        self._directory = TemporaryDirectory(prefix="tapecheck-tls-", ignore_cleanup_errors=True)
        #: The certificates that a client is to trust: this one and those that it trusts already.
        self.file = Path(self._directory.name) / "trusted.pem"
        self.file.write_bytes(b"\n".join((self._ca.cert_pem.bytes(), *_trusted(environment))))
        # The number of hosts is up to clients.
        self.context = lru_cache(maxsize=_MOST_HOSTS)(self._context)

    def _context(self, *hosts: str) -> ssl.SSLContext:
        """Return what a server needs to speak TLS as any of ``hosts``."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        leaf = self._ca.issue_cert(*hosts, organization_name="tapecheck")
        with leaf.private_key_and_cert_chain_pem.tempfile(dir=self._directory.name) as path:
            context.load_cert_chain(path)
        return context

    def close(self) -> None:
        """Remove the file."""
        self._directory.cleanup()


def _trusted(environment: Mapping[str, str]) -> list[bytes]:
    named = dict.fromkeys(environment.get(name, "") for name in TRUST_VARIABLES)
    files = [Path(name) for name in (certifi.where(), *named) if name]
    return [path.read_bytes() for path in files if path.is_file() and os.access(path, os.R_OK)]
