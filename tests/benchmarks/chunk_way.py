"""How often the bytes of one case are parsed on their way from the plan to the verdict.

Counts JSON texts read, event streams decoded and turns folded, separately for the client under
test and for the rest. Run it as ``python -m tests.benchmarks.chunk_way``; a test checks the
numbers of the harness (``tests/harness/run/test_chunk_way.py``).
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from unittest.mock import patch

from harness.judge.transcript import Outcome
from harness.plan.expand import Axes
from harness.plan.planning import Plan, Settings, make_plan
from harness.run.runner import Runner
from mockserver.wire import sse

#: The module, which has the name of its function.
FOLD = import_module("mockserver.vocabulary.fold")

CLIENT = "harness.adapters"
#: Read once in the life of a process, not for a case.
_ONCE = ("harness.suite.schemas",)
_COUNTED = {
    "json": (json.JSONDecoder, "raw_decode"),
    "decode": (sse.Decoder, "__init__"),
    "fold": (FOLD._Fold, "__init__"),
}


@dataclass
class Counts:
    """Counts for the client and for the harness; ``places`` has them by module."""

    client: Counter[str] = field(default_factory=Counter)
    harness: Counter[str] = field(default_factory=Counter)
    places: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, what: str) -> None:
        """Count for the calling module; helpers count for their caller."""
        frame = sys._getframe(2)
        while frame.f_back is not None and _is_helper(frame.f_globals["__name__"]):
            frame = frame.f_back
        name = frame.f_globals["__name__"]
        if name in _ONCE:
            return
        self.places[what, name] += 1
        (self.client if name.startswith(CLIENT) else self.harness)[what] += 1


def _is_helper(module: str) -> bool:
    return module.partition(".")[0] in {"json", "unittest"} or module in {FOLD.__name__, __name__}


@contextmanager
def counting() -> Iterator[Counts]:
    """Count while the block runs."""
    counts = Counts()

    def counted(what: str, owner: type, method: str) -> Any:
        original: Callable[..., Any] = getattr(owner, method)

        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            counts.add(what)
            return original(self, *args, **kwargs)

        return patch.object(owner, method, call)

    patches = [counted(what, *where) for what, where in _COUNTED.items()]
    for one in patches:
        one.start()
    try:
        yield counts
    finally:
        for one in patches:
            one.stop()


def plan_of(*patterns: str, faults: bool = False) -> Plan:
    """Plan the cases of the patterns for one bundled client."""
    settings = Settings(
        adapters=("openai-compat",), patterns=patterns, axes=Axes(mode="none"), faults=faults
    )
    return make_plan(settings)


def counted(*patterns: str, faults: bool = False) -> Counts:
    """Plan and run the cases of the patterns, one after the other, and count."""

    async def play() -> Counts:
        with counting() as counts:
            plan = plan_of(*patterns, faults=faults)
            async with Runner(plan) as runner:
                for case in plan.cases:
                    result = await runner.run_case(case)
                    assert result.verdict.outcome is Outcome.PASS, result.verdict.findings
        return counts

    return asyncio.run(play())


def main() -> None:
    """Print the counts of a plain case, of one with tools, and of a sweep of faults."""
    for title, patterns, faults in (
        ("text-basic, as recorded", "openai-chat/text-basic/recorded", False),
        (
            "tool-single-split-args, as recorded",
            "openai-chat/tool-single-split-args/recorded",
            False,
        ),
        ("text-basic, every fault", "openai-chat/text-basic/{cut,reset}=*", True),
    ):
        counts = counted(patterns, faults=faults)
        print(title)
        for side, of in (("harness", counts.harness), ("client", counts.client)):
            print(f"  {side}: " + ", ".join(f"{of[what]} {what}" for what in _COUNTED))
        for (what, place), count in sorted(counts.places.items()):
            print(f"    {count:4} {what:6} {place}")


if __name__ == "__main__":
    main()
