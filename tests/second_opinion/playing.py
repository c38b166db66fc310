"""Play scenarios to the official SDK of their dialect.

The SDK of a dialect is a module beside this one, called like the dialect, with ``ask`` and
``status_of`` as in ``openai_chat``.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

from harness.plan.planning import cassette_of, schedules_of
from harness.suite.scenario import Scenario
from mockserver import MockServer
from mockserver.dialects.registry import base_path, dialects
from mockserver.library.session import Exchange
from mockserver.vocabulary.call import NeutralCall
from tests.second_opinion.turn import Turn


class Sdk(Protocol):
    """The module of an SDK."""

    def ask(self, base_url: str, call: NeutralCall, turn: Turn) -> None:
        """Make a call and read the answer into ``turn``, as far as it comes."""

    def status_of(self, exc: Exception) -> int | None:
        """Return the HTTP status of an exception of the SDK."""


def _sdk(dialect: str) -> Sdk | None:
    name = f"{__package__}.{dialect.replace('-', '_')}"
    return None if find_spec(name) is None else cast("Sdk", import_module(name))


SDKS = {name: sdk for name in dialects() if (sdk := _sdk(name)) is not None}


def sdk_turn(server: MockServer, scenario: Scenario) -> Turn:
    """Play the scenario to the SDK. An exception that is not the SDK's own is ``error`` too."""
    cassette = cassette_of(scenario.cassette)
    numbers = scenario.interactions or range(len(cassette.interactions))
    exchanges = [
        Exchange(cassette.interactions[n].request, s)
        for n, s in zip(numbers, schedules_of(scenario), strict=True)
    ]
    call = scenario.turns[0].call
    assert call is not None
    return played(server, scenario.dialect, call, exchanges)


def played(server: MockServer, dialect: str, call: NeutralCall, exchanges: list[Exchange]) -> Turn:
    """Make a call with the SDK of a dialect; the exchanges answer it."""
    sdk, turn = SDKS[dialect], Turn()
    with server.session(exchanges=exchanges) as session:
        paths = [exchange.request.url.path for exchange in exchanges]
        try:
            sdk.ask(session.url + base_path(dialect, paths), call, turn)
        except Exception as exc:
            # Errors of the HTTP library escape from some SDKs while they stream.
            turn.error = sdk.status_of(exc) or type(exc).__name__
    return turn
