"""What ``tapecheck serve`` says when it begins: addresses, and lines to paste."""

from __future__ import annotations

import itertools
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from harness.commands.answering import Answering
    from mockserver import MockServer

#: The preferred cassette of the greeting, and how many are opened to find another one.
_EXAMPLE, _TRIES = "openai-chat/text-basic", 20
_KNOWN_PATH = "/v1/chat/completions"


class Shown(NamedTuple):
    """A cassette for the greeting. ``variable`` is that of a base URL, if a dialect has one."""

    name: str
    variable: str | None
    base: str
    method: str
    path: str


def lines(server: MockServer, asked: Answering) -> Iterator[str]:
    """Yield the lines of a server that answers as the options say."""
    if server.is_proxy:
        yield from _proxying(server, asked)
    elif asked.is_on:
        yield from _answering(server, asked)
    else:
        yield from _recorded(server)
    if server.is_shared:
        # Each process knows its own requests only, so none shows them.
        yield "A list of the cassettes:"
        yield f"  curl {server.url}/__tapecheck/cassettes"
    else:
        yield "A page that shows the requests as they come:"
        yield f"  {server.url}/__tapecheck/"
        yield "Lists of the cassettes, and of the requests so far:"
        yield f"  curl {server.url}/__tapecheck/cassettes"
        yield f"  curl {server.url}/__tapecheck/journal"
    yield ""


def _recorded(server: MockServer) -> Iterator[str]:
    yield f"Serving {_count(server)} on {server.url}"
    yield ""
    yield from _trusted(server)
    found = _shown(server)
    if found is not None:
        yield from _pinned(server, found)
        if found.variable:
            yield "All of them, matched by request:"
            mine = {found.variable: server.url + found.base}
            yield from _exports(mine | _base_urls(server) | mine)


def _proxying(server: MockServer, asked: Answering) -> Iterator[str]:
    what = "Answering any request" if asked.is_on else f"Serving {_count(server)}"
    yield f"{what} on {server.url}, as a proxy for any host"
    if asked.is_on:
        yield from _order(server, asked)
    yield ""
    for name, value in server.proxy_variables(os.environ).items():
        yield f"  export {name}={shlex.quote(value)}"
    if asked.is_on:
        yield "Try it:"
        yield f"  {_curl('https://api.openai.com')}"


def _order(server: MockServer, asked: Answering) -> Iterator[str]:
    """Yield what is asked before an answer is made up, if there is anything."""
    first = [_count(server)] if asked.cassettes else []
    if first := [*first, *map(str, asked.scripts)]:
        yield f"First {', then '.join(first)}; what these leave open is made up."


def _answering(server: MockServer, asked: Answering) -> Iterator[str]:
    yield f"Answering any request on {server.url}"
    yield from _order(server, asked)
    yield ""
    yield from _trusted(server)
    needs_key = bool(asked.words.get("key"))
    key = "; its key is the one that you set" if needs_key else ", and a key; any will do"
    yield f"Set the base URL of your client{key}:"
    yield from _exports(_base_urls(server))
    if not needs_key:
        yield f"  export {' '.join(f'{name}={value}' for name, value in _keys(server).items())}"
    yield "Try it:"
    yield f"  {_curl(server.url)}"
    found = None if asked.cassettes or not server.library.paths else _shown(server)
    if found is not None:
        yield f"The {_count(server)} are below /c/, each at its own address:"
        yield from itertools.islice(_pinned(server, found), 1, None)


def _trusted(server: MockServer) -> Iterator[str]:
    """Yield what makes clients trust the server, if it speaks TLS."""
    if server.certificates is None:
        return
    from mockserver.serving import TRUST_VARIABLES

    yield "What clients are to trust, as long as this server runs:"
    for variable in TRUST_VARIABLES:
        yield f"  export {variable}={shlex.quote(str(server.certificates))}"


def _count(server: MockServer) -> str:
    count = server.library.readable
    return f"{count} {'cassette' if count == 1 else 'cassettes'}"


def _pinned(server: MockServer, found: Shown) -> Iterator[str]:
    url = f"{server.url}/c/{quote(found.name)}"
    yield f"One cassette, {found.name}, for every request:"
    if found.variable is None:
        yield f"  curl -N -X {found.method} {shlex.quote(url + found.path)}"
        return
    yield f"  export {found.variable}={url}{found.base}"
    yield f"  curl -N {shlex.quote(url + found.path)} -d '{{}}'"
    yield "The same, cut after its second event; a wrong word names the known ones:"
    yield f"  curl -N {shlex.quote(f'{url}/~cut=2{found.path}')} -d '{{}}'"


def _curl(url: str) -> str:
    """Return a request that can be pasted: the one that most people know."""
    body = json.dumps({"model": "any", "messages": [{"role": "user", "content": "Hello"}]})
    return f"curl {url}{_KNOWN_PATH} -d {shlex.quote(body)}"


def _exports(variables: Mapping[str, str]) -> Iterator[str]:
    for variable, url in variables.items():
        yield f"  export {variable}={url}"


def _base_urls(server: MockServer) -> dict[str, str]:
    """Return the base URL of each dialect, in the first of its variables."""
    from mockserver.dialects import base_urls, dialects

    first = {name for d in dialects().values() for name in d.form.base_url_variables[:1]}
    return {name: url for name, url in base_urls(server.url).items() if name in first}


def _keys(server: MockServer) -> dict[str, str]:
    """Return what clients want besides a base URL, in the variables of the same maker.

    The first key of each dialect is enough: some SDKs warn of two.
    """
    from mockserver.dialects import dialects, environment

    names: dict[str, None] = {}
    for dialect in dialects().values():
        form = dialect.form
        maker = "".join(form.key_variables[:1]).partition("_")[0]
        wanted = (*form.key_variables, *form.other_variables)
        names |= dict.fromkeys(name for name in wanted if name.partition("_")[0] == maker)
    values = environment(server.url)
    return {name: values[name] for name in names}


def _shown(server: MockServer) -> Shown | None:
    """Return a cassette for the greeting."""
    from mockserver import MockServerError
    from mockserver.dialects import of_request

    names = [n for n in (_EXAMPLE,) if n in server.library.paths]
    first = None
    for name in itertools.islice(itertools.chain(names, server.library.paths), _TRIES):
        try:
            interactions = server.library.open(name).cassette.interactions
        except MockServerError:
            continue
        if not interactions:
            continue
        request = interactions[0].request
        path = quote(request.url.path or "/", safe="/%:@!$&'()*+,;=~")
        dialect = of_request(request)
        if dialect is not None and dialect.form.base_url_variables:
            variable = dialect.form.base_url_variables[0]
            return Shown(name, variable, dialect.base_path([path]), request.method, path)
        first = first or Shown(name, None, "", request.method, path)
    return first
