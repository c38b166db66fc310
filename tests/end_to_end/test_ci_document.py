"""The workflows of docs/CI.md name what exists, and are those that the command line writes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import cli

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/CI.md").read_text(encoding="utf-8")
TEMPLATE = (ROOT / "harness/commands/templates/workflow.yml").read_text(encoding="utf-8")
INPUTS: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
WORKFLOWS = dict(re.findall(r"<!-- workflow: (\S+) -->\n```yaml\n(.*?)```\n", DOCUMENT, re.DOTALL))


def steps(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the steps of all jobs of a workflow."""
    for job in value.get("jobs", {}).values():
        yield from job["steps"]


def scripts(value: Any) -> Iterator[str]:
    """Yield the lines that a workflow runs."""
    for step in steps(value):
        yield from step.get("run", "").splitlines()
    for job in value.values():
        if isinstance(job, dict):
            yield from (*job.get("script", ()), *job.get("after_script", ()))


def test_every_workflow_is_named() -> None:
    assert DOCUMENT.count("```yaml") == len(WORKFLOWS) == 6


def test_the_workflow_of_init_is_shown() -> None:
    assert WORKFLOWS["init"] == TEMPLATE


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_command_of_a_workflow_exists_with_its_options(name: str) -> None:
    commands = [s for s in scripts(yaml.safe_load(WORKFLOWS[name])) if s.startswith("tapecheck")]
    for command in commands:
        words = shlex.split(
            re.split(r">>|\|\|", command)[0].replace("$CI_NODE_INDEX/$CI_NODE_TOTAL", "1/4")
        )[1:]
        group = cli.tapecheck
        context = group.make_context("tapecheck", words, resilient_parsing=True)
        verb, found, words = group.resolve_command(context, words)
        assert found is not None
        found.make_context(verb, words)
    assert bool(commands) is (name in {"init", "gitlab", "gitlab-shards"})


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_gives_the_action_what_it_takes(name: str) -> None:
    for step in steps(yaml.safe_load(WORKFLOWS[name])):
        if step.get("uses", "").startswith("OWNER/"):
            assert step["with"].keys() <= INPUTS.keys()


def test_the_table_of_inputs_is_that_of_the_action() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (?:`([^`]*)`)? ?\| ", DOCUMENT, re.MULTILINE)
    assert dict(rows) == {name: declared["default"] for name, declared in INPUTS.items()}
    assert [name for name, _ in rows] == list(INPUTS)


def test_the_parts_of_a_matrix_are_all_shards() -> None:
    jobs = yaml.safe_load(WORKFLOWS["shards"])["jobs"]
    shards = jobs["part"]["strategy"]["matrix"]["shard"]
    assert shards == [f"{n}/{len(shards)}" for n in range(1, len(shards) + 1)]
    assert jobs["tapecheck"]["needs"] == "part"
