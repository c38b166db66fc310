"""Endpoints that speak TLS, for tests of the proxy."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

#: The authority of the live endpoints; clients know it from a file, as that of a company.
CA = trustme.CA()


def server_context(*names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(*(names or ("localhost",))).configure_cert(context)
    return context


def ca_file(directory: Path) -> Path:
    path = directory / "company.pem"
    CA.cert_pem.write_to_path(path)
    return path
