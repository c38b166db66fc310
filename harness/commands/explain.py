"""``tapecheck explain``: replay one case and show all that is known about it."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands import options

if TYPE_CHECKING:
    from harness.plan.planning import Plan, Settings
    from harness.reports.cause import Cause
    from harness.reports.records import CaseResult
    from harness.run.runner import Runner

_FAULTS = ("cut", "reset", "stall")
_EXIT_CODES = {"pass": 0, "known": 0, "error": 3}
_STYLES = {
    "PASS ": "bold green",
    "FAIL ": "bold red",
    "STALE ": "bold red",
    "ERROR ": "bold magenta",
    "KNOWN ": "bold yellow",
    "> ": "red",
    "again:": "cyan",
}


def _print_levels(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from harness.reports.levels import table

        for line in table():
            click.echo(line)
        context.exit()


@click.command()
@click.argument("case")
@click.option(
    "--levels",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_levels,
    help="List the kinds of findings with their levels and the reasons for these, and exit.",
)
@options.adapters
@options.level
@options.directories
@options.in_process
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of framing=random.")
def command(case: str, seed: int, **chosen: Any) -> int:
    """Replay one case and show what differs, side by side.

    CASE is an id from a report. If it fails, the scenario is also played on its other wires,
    to find what the failure depends on. A file that 'tapecheck run --keep' wrote is shown
    without playing anything.

    \b
    tapecheck explain openai-chat/text-basic/recorded@openai-compat
    tapecheck explain 'openai-chat/text-basic/cut=3@my-adapter' --adapter my_adapter.py
    tapecheck explain --levels
    """
    import asyncio

    from rich.console import Console

    from harness.commands.making import make_for
    from harness.plan.planning import make_plan
    from harness.reports.explain import explain
    from harness.reports.records import options_of

    if case.endswith(".json"):
        from harness.run import evidence

        data = evidence.read(Path(case))
        _print(data["explanation"])
        return _EXIT_CODES.get(data["record"]["outcome"], 1)
    make_for(chosen["adapters"])
    variation = case.rpartition("@")[0].rpartition("/")[2]
    faults = variation.partition("=")[0] in _FAULTS
    plan = make_plan(
        options.settings_of(
            patterns=[case],
            axes=variation if _is_wire(variation) else "none",
            seed=seed,
            no_faults=not faults,
            **chosen,
        )
    )
    if len(plan.cases) != 1:
        raise click.UsageError(
            f"{case!r} matches {len(plan.cases)} cases; name one of those that "
            "'tapecheck list --what cases' lists"
        )
    result, cause = asyncio.run(_played(plan))
    text = explain(
        result,
        here=Path.cwd(),
        width=min(Console().width, 120),
        options=tuple(options_of(plan.settings)),
        cause=cause,
    )
    _print(text)
    return _EXIT_CODES.get(result.verdict.outcome, 1)


def _print(text: str) -> None:
    from rich.text import Text

    from harness.reports.console import ReportConsole

    console = ReportConsole(highlight=False)
    for line in text.splitlines():
        style = next((s for start, s in _STYLES.items() if line.startswith(start)), "")
        console.print(Text(line, style), soft_wrap=True)


def _is_wire(variation: str) -> bool:
    """Return whether a variation is a point of the axes, such as ``eol=crlf,gzip=yes``."""
    return "=" in variation and variation.partition("=")[0] not in {*_FAULTS, "hold"}


async def _played(plan: Plan) -> tuple[CaseResult, Cause | None]:
    from harness.judge.transcript import Outcome
    from harness.run.lanes import judged
    from harness.run.runner import Runner
    from harness.suite.scenario import CaseKind

    async with Runner(plan) as runner:
        (result,) = [result async for result in judged(runner, plan.cases)]
        if result.verdict.outcome is Outcome.PASS or result.case.kind is not CaseKind.WIRE:
            return result, None
        return result, await _cause(runner, result, plan.settings)


def _leading(result: CaseResult) -> tuple[str, str] | None:
    """Return what the weightiest finding is about."""
    return next(((f.kind, f.field) for f in result.verdict.findings), None)


async def _cause(runner: Runner, result: CaseResult, settings: Settings) -> Cause | None:
    """Play the scenario's other wires; return what those with the same finding have in common."""
    from dataclasses import replace

    from harness.judge.kinds import Level
    from harness.judge.transcript import Outcome
    from harness.plan.expand import expand
    from harness.plan.planning import schedules_of
    from harness.reports.cause import smallest_cause
    from harness.run.lanes import judged
    from harness.suite.scenario import CaseKind

    case = result.case
    axes = replace(settings.axes, mode="pairwise", chosen=None)
    wires = schedules_of(case.scenario)
    others = [
        c
        for c in expand(case.scenario, case.adapter, wires, axes, faults=False)
        if c.kind is CaseKind.WIRE and c.id != case.id
    ]
    failed, passed = [case.variation], []
    async with aclosing(judged(runner, others)) as results:
        async for other in results:
            if _leading(result) in {(f.kind, f.field) for f in other.verdict.findings}:
                failed.append(other.case.variation)
            elif other.verdict.level is not Level.MUST and other.verdict.outcome != Outcome.ERROR:
                # Another failure at must may hide this one, and then proves nothing.
                passed.append(other.case.variation)
    return smallest_cause(failed, passed) if others else None
