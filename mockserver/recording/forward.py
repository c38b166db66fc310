"""The recorder as a forward proxy: which hosts it records, and what leads clients to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from mockserver.library.refusal import RefusalError
from mockserver.recording.providers import Provider
from mockserver.serving.authority import TRUST_VARIABLES
from mockserver.serving.doorway import Ways
from mockserver.serving.origins import origin_of

#: What leads clients to a proxy. Node.js reads the others only if its own variable is set
#: (https://nodejs.org/learn/http/enterprise-network-configuration); Go, curl and others read
#: HTTP_PROXY in lower case only.
_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_NODE = {"NODE_USE_ENV_PROXY": "1"}


class Forward(Ways):
    """Records the hosts of ``providers``, lets ``allowed`` ones pass, and blocks all others.

    ``allowed`` are names such as ``api.example.com`` or ``*.example.com``. ``fail`` is called with
    what no recording may be without, ``tell`` with what people should know.
    """

    def __init__(
        self,
        providers: Callable[[], Iterable[Provider]],
        allowed: Collection[str],
        *,
        fail: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        self._providers = providers
        self._allowed = frozenset(name.lower().rstrip(".") for name in allowed)
        self._fail = fail
        self._tell = tell

    def answered(self, host: str, port: int) -> str | None:
        """Return the scheme of the provider at a host, if there is one."""
        for scheme in ("https", "http"):
            origin = origin_of(scheme, host, port)
            if any(provider.is_at(origin) for provider in self._providers()):
                return scheme
        return None

    def passes(self, host: str) -> bool:
        """Return whether connections to a host pass through."""
        return any(fnmatchcase(host, pattern) for pattern in self._allowed)

    def blocked(self, host: str) -> RefusalError:
        """Return what a client hears that asks for any other host, and say so."""
        names = ", ".join(dict.fromkeys(p.name for p in self._providers())) or "any provider"
        message = (
            f"{host} is blocked: it is no host of {names}; to let it pass, unrecorded, add "
            f"--allow-host {host}"
        )
        self._tell(message)
        return RefusalError(403, "blocked_host", message, last=True)

    def distrusted(self, host: str) -> None:
        """Fail the recording: the client has no answer of that host."""
        self._fail(
            f"a client does not accept the proxy's certificate for {host}; make it trust the file "
            "that SSL_CERT_FILE names, by an option of its own if it reads no variable"
        )


def proxy_environment(
    url: str, trusted: Path, providers: Iterable[Provider], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return variables that lead clients to the proxy at ``url`` and make them trust it."""
    providers = tuple(providers)
    return {
        **dict.fromkeys(_PROXY_VARIABLES, url),
        **dict.fromkeys(TRUST_VARIABLES, str(trusted)),
        **_NODE,
        **no_proxy(environment, recorded=providers),
    }


def no_proxy(environment: Mapping[str, str], recorded: Iterable[Provider] = ()) -> dict[str, str]:
    """Return variables that exclude local addresses from the proxies of ``environment``.

    The hosts of ``recorded`` providers are not excluded.
    """
    recorded = tuple(recorded)
    local = () if any(p.is_local for p in recorded) else ("127.0.0.1", "localhost")
    hosts = [p.url.hostname or "" for p in recorded]
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
