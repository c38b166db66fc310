"""What a person waits for between two edits: processor time, compared to bare imports.

Run it as ``python -m tests.benchmarks.inner_loop``; it plays each measurement by turns in a
process of its own and prints the least processor time of each, and its ratio to the time of
importing the four libraries that no run can do without. ``--root`` measures another checkout
beside this one.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 5
IMPORTS = "import aiohttp.web, httpx, yaml, jsonschema"
#: Prints what the process used before, so that a plan is measured without its imports.
PLAN = """
import time
from harness.plan.planning import Settings, make_plan
began = time.process_time()
make_plan(Settings())
print(time.process_time() - began)
"""
COMMANDS: Mapping[str, Sequence[str]] = {
    "four imports": ["-c", IMPORTS],
    "one scenario": [
        *("-m", "harness", "run", "openai-chat/text-basic", "--adapter", "openai-compat"),
        *("--axes", "none", "--no-faults"),
    ],
    "list": ["-m", "harness", "list"],
    "plan of the whole suite": ["-c", PLAN],
}


def seconds(arguments: Sequence[str], root: Path) -> float:
    """Return the processor time of one process, or the time that it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if arguments[-1] == PLAN:
        return float(done.stdout)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, action="append", default=[], help="another checkout")
    roots = [*parser.parse_args().root, ROOT]
    least: dict[tuple[str, Path], float] = {}
    for turn in range(ROUNDS + 1):
        for name, arguments in COMMANDS.items():
            for root in roots:
                took = seconds(arguments, root)
                if turn > 0:  # The first one compiles modules.
                    least[name, root] = min(least.get((name, root), took), took)
    for root in roots:
        imports = least["four imports", root]
        print(f"{root}: processor seconds, the least of {ROUNDS} rounds")
        for name in COMMANDS:
            took = least[name, root]
            print(f"  {name:24} {took:6.2f}   {took / imports:5.1f} times the imports")


if __name__ == "__main__":
    main()
