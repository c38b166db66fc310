"""Whom a request that came through a proxy was meant for."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from mockserver.serving.visitors import is_local


def origin_of(scheme: str, host: str, port: int | None) -> str:
    """Return scheme and authority, without the port that the scheme implies."""
    shown = f"[{host}]" if ":" in host else host
    implied = port is None or port == (443 if scheme == "https" else 80)
    return f"{scheme}://{shown}" if implied else f"{scheme}://{shown}:{port}"


def asked_origin(request: web.BaseRequest) -> str:
    """Return the origin that a proxy was asked for: that of the tunnel, or of the request line.

    Empty if the request is for this server itself.
    """
    tunnel: str = getattr(request.protocol, "tunnel", "")
    if tunnel or request.raw_path.startswith("/"):
        return tunnel
    try:
        parts = urlsplit(request.raw_path)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    own = request.transport.get_extra_info("sockname") if request.transport else None
    if own is not None and port == own[1] and is_local(host):
        return ""
    return origin_of(parts.scheme, host, port)
