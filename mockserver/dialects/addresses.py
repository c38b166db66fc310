"""Where clients look for their server: environment variables for all dialects at once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mockserver.dialects.dialect import Dialect, UnwritableError
from mockserver.dialects.registry import dialects, written_request
from mockserver.vocabulary.call import NeutralCall

#: What clients get instead of a key.
DUMMY_KEY = "tapecheck-dummy-key"
_LOCAL = ("127.0.0.1", "localhost")


def base_urls(url: str) -> dict[str, str]:
    """Return the base URLs of all dialects for a server at ``url``, by their variables."""
    found: dict[str, str] = {}
    for dialect, path in _addressed():
        for variable in dialect.form.base_url_variables:
            found.setdefault(variable, url + dialect.base_path([path]))
        for variable in dialect.form.server_variables:
            found.setdefault(variable, url)
    return found


def environment(url: str, key: str = DUMMY_KEY) -> dict[str, str]:
    """Return the variables with which clients of any dialect ask the server at ``url``."""
    found = base_urls(url)
    for dialect in dialects().values():
        found |= dict.fromkeys(dialect.form.key_variables, key)
        found |= dialect.form.other_variables
    return found


def unproxied(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep requests to this machine from the proxies in ``given``."""
    found = {}
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in given.get(name, "").split(",") if host.strip()]
        found[name] = ",".join((*hosts, *(host for host in _LOCAL if host not in hosts)))
    return found


def hidden() -> tuple[str, ...]:
    """Return the variables with which clients refuse a server of this machine."""
    return tuple(name for dialect in dialects().values() for name in dialect.form.hidden_variables)


def _addressed() -> Iterator[tuple[Dialect, str]]:
    """Yield the dialects whose server is in a variable, each with the path of a request."""
    call = NeutralCall(model="any", messages=({"role": "user", "content": "Hello"},))
    for dialect in dialects().values():
        if dialect.form.base_url_variables or dialect.form.server_variables:
            try:
                yield dialect, written_request(dialect, call).url.path
            except UnwritableError:
                continue
