from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.suite import bundled
from harness.suite.loader import Outline, load, load_all, outline_all
from harness.suite.scenario import GateSpec, StepSpec, ToolResult

SCENARIO = """\
scenario: openai-chat/hello
title: A greeting
dialect: openai-chat
requires: [streaming]
source: [openai/openai-python#1, a document]
priority: P0
call:
  model: gpt-x
  messages: [{role: user, content: hi}]
request:
  headers: {authorization: "Bearer {api_key}", x-none: null}
  body: {contains: {stream: true}, absent: [/tools]}
expect:
  events:
  - {type: content_delta, delta: Hi}
  - {type: warning, code: finish_reason_missing}
  - {type: message_stop, finish_reason: stop}
  turn: {content: Hi}
incremental: [{after: 2, seen: 1}]
axes: {skip: {eol: why not}}
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "openai-chat").mkdir()
    (tmp_path / "openai-chat" / "hello.yaml").write_text("interactions: []\n")
    return tmp_path


@pytest.fixture
def written(tmp_path: Path, library: Path):  # type: ignore[no-untyped-def]
    def write(text: str, name: str = "specs/a.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_a_scenario(written, library: Path) -> None:  # type: ignore[no-untyped-def]
    (scenario,) = load(written(SCENARIO), (library,))
    assert scenario.id == "openai-chat/hello"
    assert scenario.cassette == library / "openai-chat" / "hello.yaml"
    assert scenario.source == ("openai/openai-python#1", "a document")
    assert scenario.incremental == (GateSpec(2, 1),)
    assert scenario.axes_skip == {"eol": "why not"}
    (turn,) = scenario.turns
    assert turn.call is not None
    assert turn.call.stream is True
    assert turn.request is not None
    assert turn.request.headers == {"authorization": "Bearer {api_key}", "x-none": None}
    assert turn.request.absent == ("/tools",)
    assert turn.expect is not None
    assert turn.expect.events is not None
    assert turn.expect.events[0] == {"type": "content_delta", "delta": "Hi"}


def test_requests_in_order(written, library: Path) -> None:  # type: ignore[no-untyped-def]
    sequence = (
        "  sequence:\n"
        "  - POST /v1/a\n"
        "  - request: POST /v1/b?c=1\n"
        "    headers: {x-none: null}\n"
        "    body: {contains: {d: e}, absent: [/f]}\n"
    )
    text = SCENARIO.replace("request:\n", f"request:\n{sequence}")
    (scenario,) = load(written(text), (library,))
    request = scenario.turns[0].request
    assert request is not None
    assert request.sequence == (
        StepSpec(line="POST /v1/a"),
        StepSpec(
            line="POST /v1/b?c=1", headers={"x-none": None}, contains={"d": "e"}, absent=("/f",)
        ),
    )
    assert request.contains == {"stream": True}


def test_rows_are_scenarios_of_their_own(written, library: Path) -> None:  # type: ignore[no-untyped-def]
    text = SCENARIO + (
        "rows:\n"
        "- {name: plain}\n"
        "- name: other\n"
        "  interactions: [1]\n"
        "  priority: P2\n"
        "  call: {stream: false}\n"
        "  expect: {error: {class: timeout}}\n"
    )
    plain, other = load(written(text), (library,))
    assert (plain.id, other.id) == ("openai-chat/hello/plain", "openai-chat/hello/other")
    assert (plain.priority, other.priority) == ("P0", "P2")
    assert other.interactions == (1,)
    call = other.turns[0].call
    assert call is not None
    assert (call.model, call.stream) == ("gpt-x", False)
    assert other.turns[0].expect is not None
    assert other.turns[0].expect.events is None
    assert other.turns[0].key_path == ("rows", 1)


def test_turns(written, library: Path) -> None:  # type: ignore[no-untyped-def]
    head, _, _ = SCENARIO.partition("call:")
    text = head + (
        "turns:\n"
        "- call: {model: m, messages: [{role: user, content: hi}]}\n"
        "  expect: {turn: {content: a}}\n"
        "- results: [{call: 0, content: '7'}]\n"
        "  expect: {turn: {content: b}}\n"
    )
    (scenario,) = load(written(text), (library,))
    first, second = scenario.turns
    assert first.call is not None
    assert second.call is None
    assert second.results == (ToolResult(call=0, content="7"),)
    assert second.key_path == ("turns", 1)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("title:", "titel:", 2, "unknown|unexpected"),
        ("priority: P0", "priority: P7", 6, "'P7' is not one of"),
        ("priority: P0", "must: [txt]\npriority: P0", 6, r"'txt' is not one of .*mean text"),
        (
            "dialect: openai-chat",
            "dialect: openai",
            3,
            "unknown dialect 'openai'",
        ),
        ("requires: [streaming]", "requires: [flying]", 4, "'flying' is not one of"),
        ("requires: [streaming]", "requires: [streeming]", 4, "(did you mean streaming?)"),
        ("delta: Hi}", "detla: Hi}", 15, "detla"),
        ("finish_reason: stop}", "finish_reason: end}", 17, "'end' is not one of"),
        ("type: content_delta", "type: text", 15, "'text' is not one of"),
        ("  turn:", "  turns:", 18, "turns"),
        ("messages: [{role: user, content: hi}]", "messages: []", 9, "non-empty|short"),
        ("model: gpt-x\n", "model: gpt-x\n  model: gpt-y\n", 9, "duplicate key 'model'"),
        ("title: A greeting", "title: [A greeting", 3, "not valid YAML"),
        ("absent: [/tools]", "absent: [tools]", 12, "tools"),
        ("request:\n", "request:\n  sequence: [post /v1]\n", 11, "'post /v1' does not match"),
        ("request:\n", "request:\n  sequence: [{request: POST /v1}]\n", 11, "properties|short"),
        ("request:\n", "request:\n  sequence: [{request: POST /v1, head: {}}]\n", 11, "head"),
    ],
)
def test_errors_name_file_line_and_remedy(  # type: ignore[no-untyped-def]
    written, library: Path, old: str, new: str, line: int, says: str
) -> None:
    assert old in SCENARIO
    path = written(SCENARIO.replace(old, new))
    with pytest.raises(SpecError, match=says) as caught:
        load(path, (library,))
    assert (caught.value.path, caught.value.line) == (path, line)
    assert caught.value.hint


def test_outcomes_are_not_nested(written, library: Path) -> None:  # type: ignore[no-untyped-def]
    one, other = "{turn: {content: x}}", "{turn: {content: y}}"
    head = SCENARIO[: SCENARIO.index("expect:")]
    assert load(written(f"{head}expect:\n  any_of: [{one}, {other}]\n"), (library,))
    nested = f"{head}expect:\n  any_of: [{{any_of: [{one}, {other}]}}, {one}]\n"
    with pytest.raises(SpecError, match="any_of"):
        load(written(nested), (library,))


def test_a_missing_cassette(written, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = written(SCENARIO)
    with pytest.raises(SpecError, match=r"cassette 'openai-chat/hello\.yaml' not found in"):
        load(path, (tmp_path / "specs",))


def test_two_scenarios_with_one_id(written, library: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(SCENARIO)
    written(SCENARIO, "specs/b.yaml")
    with pytest.raises(SpecError, match=r"duplicate scenario id .*, also in .*a\.yaml") as caught:
        load_all(tmp_path / "specs", (library,))
    assert caught.value.path == tmp_path / "specs" / "b.yaml"


def test_a_twin_that_is_not_there(written, library: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(SCENARIO + "twin: openai-chat/other\n")
    with pytest.raises(
        SpecError, match="twin 'openai-chat/other' is not a known scenario"
    ) as caught:
        load_all(tmp_path / "specs", (library,))
    assert caught.value.line == 21


@pytest.fixture
def several(written, library: Path, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """A scenario, a table, a file of an unusual layout, and a file that is no YAML."""
    (library / "openai-chat" / "table.yaml").write_text("interactions: []\n")
    (library / "openai-chat" / "flow.yaml").write_text("interactions: []\n")
    written(SCENARIO + "twin: openai-chat/table/b\n", "specs/a.yaml")
    written(
        SCENARIO.replace("openai-chat/hello", "openai-chat/table")
        + "rows:\n- {name: a, title: Another}\n- {name: b, priority: P2}\n",
        "specs/b.yaml",
    )
    written(SCENARIO.replace("openai-chat/hello", "'openai-chat/flow'"), "specs/c.yaml")
    written("scenario: openai-chat/broken\ntitle: [\n", "specs/d.yaml")
    return tmp_path / "specs"


def test_only_wanted_files_are_parsed(several: Path, library: Path) -> None:
    asked: list[str] = []

    def wanted(scenario: str) -> bool:
        asked.append(scenario)
        return scenario == "openai-chat/hello"

    found = load_all(several, (library,), wanted)
    # What another layout contains is only known when it has been read.
    assert [s.id for s in found] == ["openai-chat/flow", "openai-chat/hello"]
    assert asked == ["openai-chat/hello", "openai-chat/table", "openai-chat/broken"]
    with pytest.raises(SpecError, match=r"d\.yaml:3: not valid YAML"):
        load_all(several, (library,))


def test_a_file_that_seems_to_state_two_ids_is_parsed(  # type: ignore[no-untyped-def]
    written, library: Path
) -> None:
    title = 'title: "A\nscenario: openai-chat/other\nB"\n'
    text = title + SCENARIO.replace("title: A greeting\n", "")
    specs = written(text).parent
    found = load_all(specs, (library,), lambda scenario: scenario == "openai-chat/hello")
    assert [s.id for s in found] == ["openai-chat/hello"]


def test_a_twin_among_files_that_are_not_wanted(several: Path, library: Path) -> None:
    path = several / "a.yaml"
    path.write_text(path.read_text().replace("table/b", "table/c"))
    with pytest.raises(SpecError, match="twin 'openai-chat/table/c' is not a known scenario"):
        load_all(several, (library,), lambda scenario: scenario == "openai-chat/hello")


def test_outlines_are_what_the_scenarios_say(several: Path, library: Path) -> None:
    (several / "d.yaml").unlink()
    found = outline_all(several)
    assert found == tuple(Outline(s.id, s.title, s.priority) for s in load_all(several, (library,)))
    assert found[2:] == (
        Outline("openai-chat/table/a", "Another", "P0"),
        Outline("openai-chat/table/b", "A greeting: b", "P2"),
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: A greeting\n", "", r"a\.yaml:1: 'title' is a required property"),
        ("priority: P0", "rows: [7]\npriority: P0", r"a\.yaml:6: rows/0: 7 is not of type"),
        (SCENARIO, "- scenario: a/b", r"a\.yaml:1: .* is not of type 'object'"),
    ],
)
def test_what_a_list_cannot_show_is_an_error(  # type: ignore[no-untyped-def]
    written, old: str, new: str, message: str
) -> None:
    path = written(SCENARIO.replace(old, new))
    with pytest.raises(SpecError, match=message):
        outline_all(path.parent)


def test_the_bundled_scenarios_are_named_after_their_files() -> None:
    # Not needed by the loader; it is how people find the file of a scenario.
    root = bundled.scenarios()
    for path in root.rglob("*.yaml"):
        name = path.relative_to(root).with_suffix("").as_posix()
        assert f"\nscenario: {name}\n" in f"\n{path.read_text(encoding='utf-8')}"


def test_a_directory_without_scenarios(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no scenario found"):
        load_all(tmp_path, ())
    with pytest.raises(SpecError, match="no such directory"):
        load_all(tmp_path / "none", ())
