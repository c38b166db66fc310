"""Runs the script of a framework in the environment that has it, and reads what it prints."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "frameworks"
#: The script of each framework, and a module that it needs.
FRAMEWORKS = {
    "openai-agents": ("openai_agents.py", "agents"),
    "langchain": ("langchain_agent.py", "langchain.agents"),
    "pydantic-ai": ("pydantic_agent.py", "pydantic_ai"),
    "vercel-ai": ("vercel.mjs", "ai"),
}
_SECONDS = 300


@dataclass(frozen=True)
class Loop:
    """What became of one loop; without a ``problem`` it ended as it should."""

    api: str
    stream: bool
    typed: bool
    calls: tuple[str, ...]
    problem: str | None


def loops(name: str, url: str, *, python: Path | None, node: Path | None) -> list[Loop] | str:
    """Run all loops of a framework against the server; why they are skipped if they cannot be."""
    script, module = FRAMEWORKS[name]
    if script.endswith(".mjs"):
        program = shutil.which("node")
        if program is None or node is None or not (node / "node_modules" / module).is_dir():
            return f"node, or {module} in --node, is not there"
        # Packages are looked up beside the script.
        place = node / script
        shutil.copyfile(FOLDER / script, place)
        command = [program, str(place), url]
    else:
        has = python and subprocess.run([python, "-c", f"import {module}"], capture_output=True)
        if python is None or not has or has.returncode:
            return f"{module} is not installed in --python"
        command = [str(python), str(FOLDER / script), url]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        env={**os.environ, "OPENAI_AGENTS_DISABLE_TRACING": "1"},
    )
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode and not found:
        raise RuntimeError(f"{script} failed: {done.stderr[-2000:]}")
    return [Loop(**{**line, "calls": tuple(line["calls"])}) for line in found]
