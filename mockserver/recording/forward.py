"""The recorder as a forward proxy: which hosts it records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from fnmatch import fnmatchcase

from mockserver.library.refusal import RefusalError
from mockserver.recording.providers import Provider
from mockserver.serving.forward_proxy import ProxyHosts
from mockserver.serving.origins import origin_of
from mockserver.serving.proxying import distrust


class Forward(ProxyHosts):
    """Records the hosts of ``providers``, lets ``allowed`` ones pass, and blocks all others.

    ``allowed`` are names such as ``api.example.com`` or ``*.example.com``. ``fail`` is called with
    what no recording may be without, ``turn_away`` with each host that is blocked, ``tell`` with
    what people should know.
    """

    def __init__(
        self,
        providers: Callable[[], Iterable[Provider]],
        allowed: Collection[str],
        *,
        fail: Callable[[str], None],
        turn_away: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        self._providers = providers
        self._allowed = frozenset(name.lower().rstrip(".") for name in allowed)
        self._fail = fail
        self._turn_away = turn_away
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
        self._turn_away(host)
        self._tell(message)
        return RefusalError(403, "blocked_host", message, last=True)

    def distrusted(self, host: str) -> None:
        """Fail the recording: the client has no answer of that host."""
        self._fail(distrust(host))
