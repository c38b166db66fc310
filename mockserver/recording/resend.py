"""Send the requests of a cassette to a live endpoint again, without the client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import httpx

from mockserver.cassettes.cassette import Cassette, Interaction, Origin
from mockserver.errors import RecordingError
from mockserver.recording.providers import Provider, of_uri
from mockserver.recording.recorder import TapeHandle
from mockserver.secrets import placeholder

#: Placeholders that a provider accepts like the original value.
_HARMLESS = frozenset({"user", "metadata"})


def providers_of(cassette: Cassette, known: Iterable[Provider]) -> tuple[Provider, ...]:
    """Return the providers that a cassette was recorded from.

    Raises :class:`RecordingError` for a request that cannot be sent again: it was not
    recorded, its provider is not ``known``, or an essential part was redacted.
    """
    known = tuple(known)
    reasons, found = [], {}
    for number, interaction in enumerate(cassette.interactions):
        why = _obstacle(interaction)
        provider = of_uri(interaction.request.uri, known)
        if why is None and provider is None:
            host = interaction.request.url.netloc
            why = f"no known provider has the host {host}; add -p NAME --upstream URL"
        if why is not None:
            reasons.append(f"interaction {number} cannot be sent again: {why}")
        elif provider is not None:
            found[provider.name] = provider
    if reasons:
        raise RecordingError(cassette.path, reasons)
    return tuple(found.values())


def provider_of(cassette: Cassette, known: Iterable[Provider]) -> Provider:
    """Return the one provider that a cassette was recorded from; else :class:`RecordingError`."""
    known = tuple(known)
    found = {of_uri(i.request.uri, known) for i in cassette.interactions}
    if len(found) != 1 or None in found:
        hosts = sorted({i.request.url.netloc for i in cassette.interactions})
        raise RecordingError(
            cassette.path, [f"no single known provider has the host {', '.join(hosts)}; name one"]
        )
    (provider,) = found
    assert provider is not None
    return provider


def resend_requests(cassette: Cassette, tape: TapeHandle, known: Iterable[Provider]) -> None:
    """Send the requests of ``cassette`` through ``tape``, one after the other."""
    known = tuple(known)
    with httpx.Client(trust_env=False, timeout=None) as client:  # noqa: S113
        for interaction in cassette.interactions:
            request = interaction.request
            provider = of_uri(request.uri, known)
            assert provider is not None
            target = request.uri.removeprefix(provider.base_url)
            url = tape.base_url_of(provider.name) + target
            sent = httpx.Request(
                request.method, url, headers=list(request.headers), content=request.body or None
            )
            try:
                response = client.send(sent, stream=True)
                for _ in response.iter_raw():
                    pass
                response.close()
            except httpx.TransportError:
                # The recorder has seen the same error and reports it.
                continue


def _obstacle(interaction: Interaction) -> str | None:
    if interaction.response.wire.origin is not Origin.RECORDED:
        return f"it is {interaction.response.wire.origin}, not recorded"
    kinds = set(_replaced(interaction)) - _HARMLESS
    if kinds:
        return f"its {', '.join(sorted(kinds))} was redacted; run the client instead"
    return None


def _replaced(interaction: Interaction) -> Iterator[str]:
    request = interaction.request
    for kind, _ in placeholder.numbered(request.uri + request.body.decode("latin-1")):
        yield kind
