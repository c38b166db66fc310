"""Find secrets and replace them, so that none reaches a disk."""

from mockserver.secrets.find import mask
from mockserver.secrets.learned import of_exchange as credentials_of
from mockserver.secrets.names import is_credential_header, query, request_headers
from mockserver.secrets.scan import scan_cassette
from mockserver.secrets.shown import body as shown_body

__all__ = [
    "credentials_of",
    "is_credential_header",
    "mask",
    "query",
    "request_headers",
    "scan_cassette",
    "shown_body",
]
