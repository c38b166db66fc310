"""Read scenario files: YAML, checked against the schema, errors with file and line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from jsonschema import ValidationError

from harness.errors import SpecError
from harness.suite import formats, forms
from harness.suite.scenario import (
    Expectation,
    GateSpec,
    RequestSpec,
    Scenario,
    StepSpec,
    ToolResult,
    TurnSpec,
)
from harness.suite.schemas import definition, validator
from mockserver.cassettes import KeyPath, YamlDocument, line_of, yaml_reader
from mockserver.dialects import find_dialect
from mockserver.errors import DialectError, did_you_mean
from mockserver.vocabulary import JsonObject, NeutralCall


@dataclass(frozen=True, slots=True)
class Outline:
    """What a list shows of a scenario."""

    id: str
    title: str
    priority: str


#: Returns for the id of a file's scenario whether it, or a row of it, is selected.
Wanted = Callable[[str], bool]
_Named = TypeVar("_Named", Outline, Scenario)
#: The line that nearly every file has. In a block at the left margin nothing else looks like it.
_ID_LINE = re.compile(rb"^scenario:[ \t]+([\w./-]+)[ \t]*\r?$", re.MULTILINE | re.ASCII)


def load_all(
    directory: Path, cassettes: Iterable[Path], wanted: Wanted | None = None
) -> tuple[Scenario, ...]:
    """Read every scenario below ``directory``, in the order of their ids.

    ``cassettes`` are the directories in which cassettes are looked up; of files that are not
    ``wanted``, no more than the id is read. Raises :class:`SpecError` for the first thing that is
    wrong; two scenarios with one id are wrong.
    """
    roots = tuple(cassettes)
    files, others = _files(directory, wanted)
    by_id = _by_id((path, load(path, roots)) for path in files)
    _check_twins(by_id, others)
    return tuple(by_id[i] for i in sorted(by_id))


def outline_all(directory: Path, wanted: Wanted | None = None) -> tuple[Outline, ...]:
    """Read what a list shows of every scenario below ``directory``, in the order of their ids.

    Nothing else of the files is checked. Raises :class:`SpecError` as :func:`load_all` does.
    """
    files, _ = _files(directory, wanted)
    by_id = _by_id((path, outlines(path)) for path in files)
    return tuple(by_id[i] for i in sorted(by_id))


def load(path: Path, cassettes: Iterable[Path]) -> tuple[Scenario, ...]:
    """Read one file: a scenario, or one per row. Raises :class:`SpecError`."""
    document = read_yaml(path, "scenario")
    data: JsonObject = document.data
    try:
        find_dialect(data["dialect"])
    except DialectError as exc:
        raise SpecError(
            exc.message, path=path, line=document.line_of(("dialect",)), hint=exc.hint
        ) from None
    _check_expectation(path, document, ("expect",), data.get("expect", {}))
    for key in ("rows", "turns"):
        for i, item in enumerate(data.get(key, ())):
            _check_expectation(path, document, (key, i, "expect"), item.get("expect", {}))
    for wrong in forms.problems(data):
        raise SpecError(
            wrong.message, path=path, line=document.line_of(wrong.key_path), hint=wrong.hint
        )
    cassette = data.get("cassette", f"{data['scenario']}.yaml")
    found = next((c / cassette for c in cassettes if (c / cassette).is_file()), None)
    if found is None:
        raise SpecError(
            f"cassette {cassette!r} not found in: {', '.join(str(c) for c in cassettes)}",
            path=path,
            line=document.line_of(("cassette",)),
            hint="record it, write it, or fix the name",
        )
    if "rows" not in data:
        return (scenario_from(path, found, data),)
    return tuple(
        scenario_from(path, found, _row(data, row), ("rows", i), row=i)
        for i, row in enumerate(data["rows"])
    )


def outlines(path: Path) -> tuple[Outline, ...]:
    """Read what a list shows of the scenarios of one file. Raises :class:`SpecError`."""
    document = _read(path)
    data = document.data
    try:
        if "rows" not in data:
            return (Outline(data["scenario"], data["title"], data["priority"]),)
        return tuple(
            Outline(*_name_of(data, row), row.get("priority", data["priority"]))
            for row in data["rows"]
        )
    except (AttributeError, KeyError, TypeError):
        _check(path, document, "scenario")
        raise


def read_yaml(path: Path, schema: str) -> YamlDocument:
    """Read a YAML file that obeys ``schema``. Raises :class:`SpecError` with the line."""
    document = _read(path)
    _check(path, document, schema)
    return document


def _read(path: Path) -> YamlDocument:
    if not path.is_file():
        raise SpecError("neither a file nor a link to one", path=path)
    try:
        document = yaml_reader.read(path.read_bytes())
    except yaml_reader.YamlError as exc:
        raise SpecError(exc.message, path=path, line=exc.line, hint=exc.hint) from None
    data = document.data
    if isinstance(data, dict) and (unknown := formats.unknown_version(data)) is not None:
        line = document.line_of(("version",))
        raise SpecError(unknown, path=path, line=line, hint=formats.HINT)
    return document


def _check(path: Path, document: YamlDocument, schema: str) -> None:
    problems = sorted(
        validator(schema).iter_errors(document.data), key=lambda e: list(map(str, e.path))
    )
    if problems:
        problem = _most_telling(problems)
        raise SpecError(
            describe(problem),
            path=path,
            line=document.line_of(_key_path_of(problem)),
            hint=f"the schema is specs/schemas/{schema}.schema.json",
        )


def _files(directory: Path, wanted: Wanted | None) -> tuple[list[Path], dict[str, Path]]:
    """Return the files to read below a directory, and the others by the ids that they state."""
    if not directory.is_dir():
        raise SpecError("no such directory of scenarios", path=directory)
    files: list[Path] = []
    others: dict[str, Path] = {}
    for path in sorted(directory.rglob("*.y*ml")):
        stated = None if wanted is None else _stated_id(path)
        if wanted is None or stated is None or wanted(stated):
            files.append(path)
        else:
            others[stated] = path
    if not files and not others:
        raise SpecError("no scenario found", path=directory, hint="scenarios are *.yaml files")
    return files, others


def _stated_id(path: Path) -> str | None:
    """Return the id in a file of the usual layout, without parsing; ``None`` for any other."""
    # Reading a pipe would wait for ever.
    found = _ID_LINE.findall(path.read_bytes()) if path.is_file() else []
    return found[0].decode() if len(found) == 1 else None


def _by_id(read: Iterable[tuple[Path, Sequence[_Named]]]) -> dict[str, _Named]:
    by_id: dict[str, _Named] = {}
    files: dict[str, Path] = {}
    for path, items in read:
        for item in items:
            if item.id in by_id:
                raise SpecError(
                    f"duplicate scenario id {item.id!r}, also in {files[item.id]}",
                    path=path,
                    line=line_of(path.read_bytes(), ("scenario",)),
                    hint="give one of them another id",
                )
            by_id[item.id], files[item.id] = item, path
    return by_id


def describe(problem: ValidationError) -> str:
    """Return what a schema found wrong, in one line, with the path inside the document."""
    at = "/".join(str(p) for p in problem.absolute_path)
    known = ""
    if problem.validator == "additionalProperties" and isinstance(problem.schema, Mapping):
        known = f"; known keys are {', '.join(problem.schema.get('properties', ()))}"
    if problem.validator == "enum" and isinstance(problem.instance, str):
        words: Any = problem.validator_value
        known = did_you_mean(problem.instance, words)
    # The known words are listed whole.
    most = 300 if problem.validator != "enum" else 3000
    message = problem.message if len(problem.message) < most else problem.message[:most] + "…"
    return f"{at + ': ' if at else ''}{message}{known}"


def _most_telling(problems: list[ValidationError]) -> ValidationError:
    # An unknown key is usually a typing mistake; everything else follows from it.
    for problem in problems:
        if problem.validator == "additionalProperties":
            return problem
    return problems[0]


def _key_path_of(problem: ValidationError) -> KeyPath:
    at: KeyPath = tuple(problem.absolute_path)
    if problem.validator == "additionalProperties" and isinstance(problem.instance, Mapping):
        known = problem.schema.get("properties", {}) if isinstance(problem.schema, Mapping) else {}
        unknown = next((k for k in problem.instance if k not in known), None)
        if unknown is not None:
            return (*at, unknown)
    return at


def _check_expectation(
    path: Path, document: YamlDocument, key_path: KeyPath, expect: JsonObject
) -> None:
    _check_events(path, document, (*key_path, "events"), expect.get("events", ()))
    for i, one in enumerate(expect.get("any_of", ())):
        _check_expectation(path, document, (*key_path, "any_of", i), one)


def _check_events(path: Path, document: YamlDocument, key_path: KeyPath, events: Any) -> None:
    for i, event in enumerate(events):
        check = definition("stream_event", event["type"])
        assert check is not None
        if problems := list(check.iter_errors(completed(event))):
            raise SpecError(
                describe(_most_telling(problems)),
                path=path,
                line=document.line_of((*key_path, i)),
                hint="the schema is specs/schemas/stream_event.schema.json",
            )


def completed(event: JsonObject) -> JsonObject:
    """Return an expected event with all that the event schema requires filled in."""
    match event["type"]:
        case "warning":
            return {"message": "any", **event}
        case "error":
            error = {"message": "any", "retryable": True, **event.get("error", {})}
            error.pop("message_contains", None)
            return {**event, "error": error}
        case "tool_call_start" if event.get("id_synthesized"):
            return {"tool_call_id": "any", **event}
        case "tool_call_end":
            return {"arguments_raw": "{}", **event}
    return event


def _row(data: JsonObject, row: JsonObject) -> JsonObject:
    merged = {k: v for k, v in data.items() if k != "rows"}
    merged |= {k: v for k, v in row.items() if k not in {"name", "call"}}
    merged["scenario"], merged["title"] = _name_of(data, row)
    merged["call"] = {**data["call"], **row.get("call", {})}
    return merged


def _name_of(data: JsonObject, row: JsonObject) -> tuple[str, str]:
    """Return the id and the title of a row."""
    name = row["name"]
    return f"{data['scenario']}/{name}", row.get("title", f"{data['title']}: {name}")


def scenario_from(
    path: Path, cassette: Path, data: JsonObject, key_path: KeyPath = (), row: int = 0
) -> Scenario:
    """Make a scenario of what its file says, or would say: data that obey the schema."""
    source = data["source"]
    turns = data.get("turns", [data])
    key_paths = [("turns", i) for i in range(len(turns))] if "turns" in data else [key_path]
    faults = data.get("faults", True)
    return Scenario(
        id=data["scenario"],
        title=data["title"],
        dialect=data["dialect"],
        requires=frozenset(data["requires"]),
        source=(source,) if isinstance(source, str) else tuple(source),
        priority=data["priority"],
        file=path,
        row=row,
        cassette=cassette,
        interactions=tuple(data["interactions"]) if "interactions" in data else None,
        turns=tuple(_turn(t, p) for t, p in zip(turns, key_paths, strict=True)),
        together=data.get("together", False),
        incremental=tuple(GateSpec(h["after"], h["seen"]) for h in data.get("incremental", ())),
        twin=data.get("twin"),
        about=tuple(data.get("about", ())),
        must=frozenset(data.get("must", ())),
        beyond=data.get("beyond"),
        axes_skip=data.get("axes", {}).get("skip", {}),
        faults_skip=faults["skip"] if isinstance(faults, dict) else None,
    )


def _turn(data: JsonObject, key_path: KeyPath) -> TurnSpec:
    expect = data.get("expect", {})
    request = data.get("request")
    return TurnSpec(
        key_path=key_path,
        call=call_spec(data["call"]) if "call" in data else None,
        results=tuple(ToolResult(**r) for r in data.get("results", ())),
        messages=tuple(data.get("messages", ())),
        request=None if request is None else _request(request),
        expect=_expectation(expect),
        again=data.get("again", False),
        cancel_after=GateSpec(**data["cancel_after"]) if "cancel_after" in data else None,
    )


def _expectation(data: JsonObject) -> Expectation:
    return Expectation(
        events=tuple(data["events"]) if "events" in data else None,
        native=tuple(data["native"]) if "native" in data else None,
        turn=data.get("turn"),
        error=data.get("error"),
        any_of=tuple(map(_expectation, data.get("any_of", ()))),
    )


def _request(data: JsonObject) -> RequestSpec:
    return RequestSpec(
        count=data.get("count"),
        sequence=tuple(map(_step, data["sequence"])) if "sequence" in data else None,
        identical=data.get("identical", False),
        path=data.get("path"),
        **_headers_and_body(data),
    )


def _step(data: str | JsonObject) -> StepSpec:
    if isinstance(data, str):
        return StepSpec(line=data)
    return StepSpec(line=data["request"], **_headers_and_body(data))


def _headers_and_body(data: JsonObject) -> JsonObject:
    """Return the requirements for the headers and the body of a request."""
    body = data.get("body", {})
    return {
        "headers": data.get("headers", {}),
        "contains": body.get("contains"),
        "absent": tuple(body.get("absent", ())),
    }


def call_spec(data: JsonObject) -> NeutralCall:
    """Read the ``call`` of a scenario."""
    fields = dict(data)
    fields["messages"] = tuple(fields["messages"])
    fields["tools"] = tuple(fields.get("tools", ()))
    return NeutralCall(**fields)


def _check_twins(by_id: Mapping[str, Scenario], others: Mapping[str, Path]) -> None:
    for scenario in by_id.values():
        twin = scenario.twin
        if twin is not None and twin not in by_id and not _is_among(twin, others):
            raise SpecError(
                f"twin {twin!r} is not a known scenario",
                path=scenario.file,
                line=line_of(scenario.file.read_bytes(), ("twin",)),
                hint="give the id of the scenario with the same turn, streamed or not",
            )


def _is_among(scenario: str, files: Mapping[str, Path]) -> bool:
    """Return whether one of the files has that scenario, or a table with it as a row."""
    named = (files.get(scenario), files.get(scenario.rpartition("/")[0]))
    return any(o.id == scenario for path in named if path is not None for o in outlines(path))
