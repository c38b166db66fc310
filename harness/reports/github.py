"""Annotations for GitHub Actions: workflow commands, one for each cause, and one for the sum.

The runner takes every line that begins with ``::`` for a command. What a client returned is part of
a message, never a line of its own: control characters are shown as escapes, and the characters
that end a message or a property are encoded as the runner decodes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from harness.judge.visible import visible
from harness.reports import explain
from harness.reports.grouping import FailureGroup
from harness.reports.summary import Summary, summarize
from harness.reports.words import many
from mockserver.vocabulary import JsonObject

#: GitHub shows this many errors of a step and drops the rest.
MOST = 10
#: Problems of the run that are shown even if there are more causes than that.
_PROBLEMS = 3
#: Characters of one line of a message.
_WIDTH = 600
#: How a problem begins that is about a line of a file.
_PLACE = re.compile(r"(?P<file>[^:\n]+):(?P<line>[0-9]+): (?P<rest>.+)", re.DOTALL)


def write(records: Iterable[JsonObject], stream: TextIO, *, here: Path) -> None:
    """Write the commands. Raises :class:`~harness.errors.ReportError` for half a run."""
    summary = summarize(records)
    stream.writelines(f"{line}\n" for line in _lines(summary, here))


def _lines(summary: Summary, here: Path) -> Iterator[str]:
    problems = summary.end["problems"]
    causes = summary.failures[: MOST - min(len(problems), _PROBLEMS)]
    said = problems[: MOST - len(causes)]
    yield from (_failure(summary, group, here) for group in causes)
    yield from (_problem(problem, here) for problem in said)
    left = len(summary.failures) + len(problems) - len(causes) - len(said)
    more = f"; {many(left, 'more cause')} in the report" if left else ""
    yield _command("notice", [f"{summary.sentence}{more}", *summary.level_lines()])


def _failure(summary: Summary, group: FailureGroup, here: Path) -> str:
    record, finding = group.example, group.finding
    count = many(len(group.records), "case")
    such = "" if group.is_alike else "such as "
    lines = [
        f"{count} of {group.adapter}: {such}{finding['message']}",
        f"for example {record['id']}" if len(group.records) > 1 else f"in {record['id']}",
        *(line.strip() for line in explain.details(record, finding, here, 100)),
        summary.where(group),
        explain.replay(record["id"], summary.run.get("options", ())),
    ]
    file, line = _place(summary, group, here)
    return _command("error", lines, title=explain.cause_of(finding), file=file, line=line)


def _problem(problem: str, here: Path) -> str:
    found = _PLACE.fullmatch(problem)
    if found is None or not (here / found["file"]).is_file():
        return _command("error", [problem])
    return _command(
        "error", [found["rest"]], file=str(here / found["file"]), line=int(found["line"])
    )


def _place(summary: Summary, group: FailureGroup, here: Path) -> tuple[str, int | None]:
    """Return the file to annotate: the requirement, if it is of the project, or the adapter.

    Absolute, because the runner makes it relative to the repository, which may be above ``here``.
    """
    file = here / group.example["file"]
    if file.is_relative_to(here):
        return str(file), group.finding.get("line")
    options = pairwise(summary.run.get("options", ()))
    references = [value for option, value in options if option == "--adapter"]
    if len(references) == len(summary.adapters):
        reference = references[summary.adapters.index(group.adapter)]
        for name in (reference, reference.rpartition(":")[0]):
            if name and (here / name).is_file():
                return str(here / name), None
    return "", None


def _command(
    kind: str, lines: Iterable[str], *, title: str = "", file: str = "", line: int | None = None
) -> str:
    """Return one workflow command; its message has several lines."""
    properties: dict[str, str] = {}
    if file:
        properties["file"] = file
        if line is not None:
            properties["line"] = str(line)
    properties["title"] = f"tapecheck: {title}" if title else "tapecheck"
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = "\n".join(_clipped(visible(text)) for text in lines if text)
    return f"::{kind} {listed}::{_data(message)}"


def _clipped(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
