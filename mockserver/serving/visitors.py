"""Who may talk to the server: which names it answers to, and which web pages it lets in.

A page of any site can send requests to this machine, and can point its own name here (DNS
rebinding). It shall neither read what is recorded nor have anything sent to a provider.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlsplit

from mockserver.cassettes.cassette import Headers
from mockserver.library.refusal import RefusalError
from mockserver.wire.http1 import Message

_CORS = "access-control-"
#: What the server says to a page that asks before it sends (Fetch standard, "CORS-preflight").
_SECONDS = "600"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitors:
    """The rule. ``hosts``: the names of the server besides those of this machine; ``None``: any.

    ``origins``: pages that are let in, such as ``https://app.example``. ``local_pages``: those of
    this machine are, too.
    """

    hosts: frozenset[str] | None = frozenset()
    origins: frozenset[str] = frozenset()
    local_pages: bool = True

    @classmethod
    def of(
        cls,
        bound_to: str,
        hosts: Collection[str] = (),
        origins: Collection[str] = (),
        *,
        local_pages: bool = True,
    ) -> Visitors:
        """Return the rule for a server at that address: where others reach it, any name may."""
        named = frozenset(host.lower() for host in hosts)
        return cls(
            hosts=named if named or is_local(bound_to) else None,
            origins=frozenset(origin.lower().rstrip("/") for origin in origins),
            local_pages=local_pages,
        )

    def names(self, bound_to: str) -> tuple[str, ...]:
        """Return the names and addresses of a server at that address, for its certificate."""
        own = () if bound_to in ("", "0.0.0.0", "::") else (bound_to,)  # noqa: S104
        return tuple(
            dict.fromkeys(("localhost", "127.0.0.1", "::1", *own, *sorted(self.hosts or ())))
        )

    def origin(self, headers: Mapping[str, str], *, proxied: bool = False) -> str | None:
        """Return the origin of the page that sends a request; ``None`` if no page does.

        ``proxied``: it came through a proxy, so its host is another one. Raises
        :class:`RefusalError` for a host or a page that is not let in.
        """
        host = None if proxied else headers.get("Host")
        if host is not None and self.hosts is not None and not _is_known(host, self.hosts):
            raise RefusalError(
                403,
                "unknown_host",
                f"host {host!r} is refused; use 127.0.0.1 or localhost, or allow it with "
                f"--allow-host {_hostname(host) or host}",
                last=True,
            )
        origin = headers.get("Origin")
        if origin is None:
            site = headers.get("Sec-Fetch-Site", "none")
            if site == "cross-site" or (site != "none" and not self.local_pages):
                raise self._refused("a page of another site")
            return None
        if origin.lower() in self.origins or (self.local_pages and _is_local_page(origin)):
            return origin
        raise self._refused(f"the page {origin}", origin)

    def _refused(self, page: str, origin: str = "ORIGIN") -> RefusalError:
        return RefusalError(
            403,
            "unknown_origin",
            f"{page} is refused; if it is yours, allow it with --allow-origin {origin}",
            last=True,
        )


def is_local(host: str) -> bool:
    """Return whether a host name or address is this machine itself."""
    host = host.lower().rstrip(".")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def allowing(origin: str, headers: Headers, asked: Mapping[str, str] | None = None) -> Headers:
    """Return the headers of an answer that let a page read it.

    ``asked`` are the headers of a request before the request, which the page may send then.
    """
    kept = tuple((n, v) for n, v in headers if not n.lower().startswith(_CORS))
    names = dict.fromkeys(n.lower() for n, _ in kept)
    allowed = [("allow-origin", origin), ("allow-credentials", "true")]
    if asked is None:
        allowed.append(("expose-headers", ", ".join(names)))
    else:
        allowed += [
            ("allow-methods", asked.get("Access-Control-Request-Method", "")),
            ("allow-headers", asked.get("Access-Control-Request-Headers", "")),
            ("allow-private-network", "true"),
            ("max-age", _SECONDS),
        ]
    return (*kept, *((_CORS + name, value) for name, value in allowed if value), ("vary", "Origin"))


def readable(message: Message, origin: str) -> Message:
    """Return an answer that a page may read."""
    schedule = message.schedule
    return Message(replace(schedule, headers=allowing(origin, schedule.headers)))


@lru_cache(maxsize=256)
def _is_known(host: str, hosts: frozenset[str]) -> bool:
    name = _hostname(host)
    return is_local(name) or name in hosts or host.lower() in hosts


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


@lru_cache(maxsize=256)
def _is_local_page(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and is_local(parts.hostname or "")
    except ValueError:
        return False
