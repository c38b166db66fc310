"""Plan a search: the client, its dialects, and a call that it makes in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.clients.interface import Adapter
from harness.errors import SelectionError
from harness.fuzz.wires import FORMS, Asked
from harness.plan.expand import skip_reason
from harness.plan.planning import Plan, Settings, find_scenarios, load_adapters
from harness.suite.scenario import Scenario
from mockserver.dialects import find_dialect
from mockserver.errors import did_you_mean
from mockserver.vocabulary import NeutralCall

_PLAIN = NeutralCall(model="gpt-4o", messages=({"role": "user", "content": "Hi."},))


def make_plan(settings: Settings) -> Plan:
    """Load the client that the settings name. Raises what :func:`load_adapters` raises."""
    ((adapter, baseline),) = load_adapters(settings)
    return Plan(
        settings=settings,
        adapters=(adapter,),
        baselines={adapter.name: baseline},
        cases=(),
        skips=(),
    )


def speaks(plan: Plan, names: Sequence[str]) -> tuple[str, ...]:
    """Return the dialects to search: the named ones, or all of the client that can be written.

    Raises :class:`SelectionError` for one that the client does not speak, or that cannot be
    written.
    """
    (adapter,) = plan.adapters
    own = sorted(adapter.dialects)
    for name in names:
        if name not in own:
            raise SelectionError(
                f"{adapter.name} does not speak {name!r}{did_you_mean(name, own)}",
                hint=f"it speaks {', '.join(own)}",
            )
    written = tuple(n for n in names or own if find_dialect(n).capacity is not None)
    if not written:
        raise SelectionError(
            f"no answer of {', '.join(names or own)} can be written",
            hint="the dialect needs write_answer and a capacity; docs/AUTHORING.md",
        )
    return written


def call_of(adapter: Adapter, dialect: str) -> Asked:
    """Return a plain call that makes the client ask in a dialect.

    It is that of the scenario that needs least of the client: some choose the wire format by the
    model, or need options.
    """
    # Most scenarios of a dialect are in its folder, and reading all of them takes seconds.
    plain = _plain_ones(adapter, dialect, (dialect,)) or _plain_ones(adapter, dialect, ())
    if not plain:
        return Asked(_PLAIN)
    first = min(plain, key=lambda scenario: len(scenario.requires - FORMS))
    call = first.turns[0].call
    assert call is not None
    return Asked(replace(call, max_retries=0), first.requires - FORMS)


def _plain_ones(adapter: Adapter, dialect: str, patterns: tuple[str, ...]) -> list[Scenario]:
    """Return the scenarios of one call without tools and time limits that the client may play."""
    scenarios, _ = find_scenarios(Settings(patterns=patterns))
    return [
        scenario
        for scenario in scenarios
        if scenario.dialect == dialect
        and skip_reason(scenario, adapter) is None
        and len(scenario.turns) == 1
        and (call := scenario.turns[0].call) is not None
        and not call.tools
        and call.timeout is None
    ]
