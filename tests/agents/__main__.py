"""Run the loops of agents and print a table: ``python -m tests.agents``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mockserver import MockServer
from mockserver.backend import Settings
from tests.agents.running import FRAMEWORKS, Loop, loops

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.agents",
        description="Runs loops of agents against made-up answers. The frameworks belong into "
        f"environments of their own: 'pip install -r {HERE / 'requirements.txt'}' into one of "
        f"Python, and 'npm install' of {HERE / 'package.json'} for Node. What is not installed "
        "is skipped.",
    )
    parser.add_argument("--python", type=Path, help="the interpreter with the frameworks")
    parser.add_argument("--node", type=Path, help="the folder with node_modules")
    parser.add_argument("names", nargs="*", choices=[*FRAMEWORKS, []], metavar="FRAMEWORK")
    asked = parser.parse_args()
    failed = 0
    with MockServer((), backend=Settings()) as server:
        print("| framework | API | streamed | output type | tools called | result |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name in asked.names or FRAMEWORKS:
            found = loops(name, server.url, python=asked.python, node=asked.node)
            if isinstance(found, str):
                print(f"| {name} | | | | | skipped: {found} |")
                continue
            failed += sum(loop.problem is not None for loop in found) or not found
            for loop in found:
                print(_line(name, loop), flush=True)
    return 1 if failed else 0


def _line(name: str, loop: Loop) -> str:
    words = ("no", "yes")
    result = "pass" if loop.problem is None else f"FAIL: {loop.problem}"
    cells = (name, loop.api, words[loop.stream], words[loop.typed], ", ".join(loop.calls), result)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
