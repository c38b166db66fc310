"""What leads clients to a proxy, and a proxy that answers for every host."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from mockserver.library.refusal import RefusalError
from mockserver.serving.authority import TRUST_VARIABLES
from mockserver.serving.forward_proxy import ProxyHosts
from mockserver.serving.visitors import is_local

#: What leads clients to a proxy. Some read the names in lower case only. Node.js reads them if its
#: own variable is set (https://nodejs.org/learn/http/enterprise-network-configuration).
_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_NODE = {"NODE_USE_ENV_PROXY": "1"}


class EveryHost(ProxyHosts):
    """Answers for every host, so that nothing goes out. ``tell`` is called with what goes wrong."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def answered(self, _host: str, port: int) -> str | None:
        """Return the scheme that is usual at a port."""
        return "http" if port == 80 else "https"

    def passes(self, _host: str) -> bool:
        """Return ``False``: no connection passes."""
        return False

    def blocked(self, host: str) -> RefusalError:
        """Return what is never needed: no host is blocked."""
        return RefusalError(403, "blocked_host", f"{host} is blocked", last=True)

    def distrusted(self, host: str) -> None:
        """Say that a client does not accept the certificate for a host."""
        self._tell(distrust(host))


def distrust(host: str) -> str:
    """Return the message about a client that does not accept the certificate for a host."""
    return (
        f"a client does not accept the proxy's certificate for {host}; make it trust the file "
        "that SSL_CERT_FILE names, by an option of its own if it reads no variable"
    )


def proxy_environment(
    url: str, trusted: Path, environment: Mapping[str, str], hosts: Collection[str] = ()
) -> dict[str, str]:
    """Return variables that lead clients to the proxy at ``url`` and make them trust it.

    ``hosts`` are those that must not be reached without it.
    """
    return {
        **dict.fromkeys(_PROXY_VARIABLES, url),
        **dict.fromkeys(TRUST_VARIABLES, str(trusted)),
        **_NODE,
        **no_proxy(environment, hosts),
    }


def no_proxy(environment: Mapping[str, str], hosts: Collection[str] = ()) -> dict[str, str]:
    """Return variables that exclude local addresses from the proxies of ``environment``.

    ``hosts`` are not excluded.
    """
    local = () if any(is_local(host) for host in hosts) else ("127.0.0.1", "localhost")
    out = {}
    for variable in ("NO_PROXY", "no_proxy"):
        given = [h for h in environment.get(variable, "").split(",") if h.strip()]
        kept = [name for name in given if not any(_covers(name, host) for host in hosts)]
        out[variable] = ",".join((*kept, *(h for h in local if h not in kept)))
    return out


def _covers(name: str, host: str) -> bool:
    """Return whether an entry of ``NO_PROXY`` excludes a host."""
    bare = name.strip().lower().lstrip("*").lstrip(".").partition(":")[0]
    return not bare or host == bare or host.endswith(f".{bare}")
