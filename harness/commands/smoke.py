"""``tapecheck smoke``: try a program that speaks the client protocol, in seconds."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from harness.plan.planning import Plan

#: Seconds for a program to say hello: a run waits longer, but nobody who tries a shim should.
HELLO = 10.0
_STYLES: dict[str, dict[str, Any]] = {
    "ok": {"fg": "green"},
    "shim": {"fg": "red", "bold": True},
    "client": {"fg": "yellow"},
    "not tried": {"dim": True},
}


@click.command()
@click.argument("line", metavar="COMMAND")
def command(line: str) -> int:
    """Try a client behind the client protocol, and tell a wrong shim from a wrong client.

    COMMAND starts a program that speaks the protocol of docs/CLIENT_PROTOCOL.md. A few easy calls
    in each dialect that it declares are made. "shim" is the program's own fault: fix it first.
    "client" is what the client behind it does: 'tapecheck run' shows it in full. Exit code 1 if
    the shim is at fault.

    \b
    tapecheck smoke 'node my_client.mjs'
    tapecheck smoke 'python my_client.py'
    """
    import asyncio

    from harness.clients.launch import PREFIX, InWorker, command_of
    from harness.clients.workers import declaration
    from harness.errors import AdapterError
    from harness.run.smoke import plan_of

    reference = line if line.startswith(PREFIX) else f"{PREFIX} {line}"
    launch = InWorker(reference, command_of(reference, reference.removeprefix(PREFIX).strip()))
    try:
        asyncio.run(declaration(launch, timeout=HELLO))
    except AdapterError as exc:
        click.echo(f"  {click.style('shim     ', **_STYLES['shim'])} hello\n            {exc}")
        return 1
    plan = plan_of(reference)
    (adapter,) = plan.adapters
    click.echo(f"{adapter.name} {adapter.version}".strip())
    counts = asyncio.run(_try(plan))
    wrong = counts["shim"]
    click.echo(
        f"the shim is wrong in {wrong} of {sum(counts.values())} steps: fix it before you look at "
        "the client"
        if wrong
        else f"the shim works; next: tapecheck run --adapter {shlex.quote(reference)}"
    )
    return 1 if wrong else 0


async def _try(plan: Plan) -> Counter[str]:
    """Print each step as it ends, and count what they say."""
    from harness.run.smoke import smoke

    counts: Counter[str] = Counter()
    async for step in smoke(plan):
        counts[step.says] += 1
        mark = click.style(f"{step.says:9}", **_STYLES[step.says])
        click.echo(f"  {mark} {step.what}")
        if step.why:
            click.echo(f"            {step.why}")
    return counts
