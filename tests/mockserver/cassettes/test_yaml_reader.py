from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes import yaml_reader
from mockserver.cassettes.cassette import parse
from mockserver.cassettes.yaml_reader import YamlError, line_of, read
from mockserver.errors import CassetteError

ROOT = Path(__file__).parents[3]
TEXT = """\
# A comment.
name: x
list:
- a
- b: [1,
    2]
  c: {d: 3}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 2),
        (("name",), 2),
        (("list",), 3),
        (("list", 0), 4),
        (("list", 1, "b", 1), 6),
        (("list", 1, "c", "d"), 7),
        (("list", 1, "c", "none", 4), 7),
        (("list", 7), 3),
        (("name", 0), 2),
    ],
)
def test_the_line_of_a_value_or_of_its_nearest_ancestor(
    path: tuple[str | int, ...], line: int
) -> None:
    assert read(TEXT).line_of(path) == line
    assert line_of(TEXT.encode(), path) == line


def test_lines_are_known_without_a_second_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    document = read(TEXT)
    monkeypatch.delattr(yaml_reader, "Loader")
    assert document.line_of(("list", 1)) == 5


def test_json_that_is_no_yaml_has_its_errors_on_the_first_line() -> None:
    assert line_of('{"a":\n"\x7f"}', ("a",)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: 1\nb: [x, 2.5, ~, yes, 2024-01-01, '7', 0x10, 1_000, 010, 1:30, -3, +4, .5, .inf]",
        "{7: a, 2.5: b, null: c, true: d, 2024-01-01: e, ! 5: f}",
        "[!!str 5, !!int '5', !!float 5, !!binary aGk=, !!set {a, b}, !!omap [a: 1]]",
        "[!!pairs [a: 1, a: 2]]",
        "[=, '=', <<, '<<', '', ~, null, nul, 'null', 'yes', \"\\u00e9\"]",
        "a: |\n  1\n  2\nb: >\n  1\n  2\nc: 1\n  2\n",
        "a: &x {k: 1}\nb: *x\nc: {<<: *x, k: 2, z: 3}\nd: {z: 3, <<: [{k: 4, l: 5}, *x]}",
        "? [a]\n: 1\n",
        "2024-01-01T10:00:00+02:00",
        "99999999999999999999",
    ],
)
def test_values_are_those_of_pyyaml(text: str) -> None:
    try:
        expected = yaml.safe_load(text)
    except yaml.YAMLError:
        with pytest.raises(YamlError):
            read(text)
    else:
        assert repr(read(text).data) == repr(expected)


_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(
    st.recursive(
        _scalars | st.binary() | st.dates(),
        lambda inner: st.lists(inner) | st.dictionaries(_scalars, inner),
    ),
    st.booleans(),
)
def test_what_pyyaml_writes_is_read_as_pyyaml_reads_it(value: object, flow: bool) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow)
    assert repr(read(text.encode()).data) == repr(yaml.safe_load(text))


def test_aliases_share_one_value() -> None:
    data = read("a: &x [1]\nb: *x\n").data
    assert data["a"] is data["b"]


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", 5, "duplicate key 'c'", "remove one"),
        ("- {1: a,\n  1: b}", 2, "duplicate key 1", "remove one"),
        ("a: &x {}\nb:\n  <<: *x\n  <<: *x\n", 4, "duplicate key '<<'", "remove one"),
        ("a: b\nc: [\n", 3, "not valid YAML: did not find", "fix the YAML at this line"),
        ("a: b\n--- c\n", 2, "not valid YAML: but found another", "fix the YAML"),
        ("a:\n- !ruby/object:Net b", 2, "could not determine a constructor", "fix the YAML"),
        ("a: 1\n{b: 2}: 1", 2, "found unhashable key", "fix the YAML"),
        ("a: 1\n<<: 2", 2, "'<<' needs a mapping", "fix the YAML"),
        ("a:\n  2024-13-45", 2, "month must be in 1..12", "quote the text"),
        ("a: 1\nb: \x00", 2, "unacceptable character #x0000", "escape it"),
        (b"a: 1\nb: \xff", 2, "not UTF-8", "store bytes that are not text as !!binary"),
        ("a:\n  &x [*x]", 2, "an alias refers to a value that contains it", "fix the YAML"),
        ("a:\n  &x {<<: *x}", 2, "an alias refers to a value that contains it", "fix the YAML"),
        ("a: 1\nb: !!timestamp abc", 2, "'abc' is no timestamp", "fix the tag"),
        ("a: 1\nb: !!bool abc", 2, "'abc' is no bool", "fix the tag"),
        ("a:\n- " + "[" * 200 + "]" * 200, 2, "nested too deeply", "below 200 levels"),
        ("[" * 5000, 1, "exceeded maximum nesting depth", "fix the YAML"),
    ],
)
def test_errors_say_the_line_and_what_to_do(
    text: str | bytes, line: int | None, message: str, hint: str
) -> None:
    with pytest.raises(YamlError) as caught:
        read(text)
    assert message in caught.value.message
    assert caught.value.line == line
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "bomb",
    [
        "[{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}]",
        "{{a: {0}, b: {0}, c: {0}, d: {0}, e: {0}, f: {0}}}",
    ],
)
def test_aliases_that_expand_without_bound_are_refused(bomb: str) -> None:
    lines = [
        "x0: &x0 some text",
        *(f"x{n}: &x{n} {bomb.format(f'*x{n - 1}')}" for n in range(1, 20)),
    ]
    with pytest.raises(YamlError, match="aliases add more than 10,000,000 characters") as caught:
        read("\n".join(lines))
    assert caught.value.line in range(7, 11)
    assert read("\n".join(lines[:6])).data


def test_a_merge_of_merges_stays_small() -> None:
    lines = [
        "x0: &x0 {a: 1}",
        *(f"x{n}: &x{n} {{<<: [*x{n - 1}, *x{n - 1}]}}" for n in range(1, 15)),
    ]
    assert read("\n".join(lines)).data["x14"] == {"a": 1}


def test_a_cassette_has_no_duplicate_keys() -> None:
    text = b"interactions:\n- request: {method: GET,\n    method: POST}\n"
    with pytest.raises(CassetteError, match=r"t\.yaml:3: duplicate key 'method' \(remove one"):
        parse(text, Path("t.yaml"))


WITHOUT_LIBYAML = """
import sys, warnings
sys.modules["yaml._yaml"] = None
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from mockserver.cassettes.yaml_reader import read
print(read("a: [1, 'x']\\nb: {c: yes}").data, read("a:\\n- b").line_of(("a", 0)))
print(*(str(w.message) for w in caught))
"""


def test_without_libyaml_reading_is_slow_and_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBYAML],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    values, warning = done.stdout.splitlines()
    assert values == "{'a': [1, 'x'], 'b': {'c': True}} 2"
    assert "built without libyaml" in warning
    assert "pip install --force-reinstall" in warning
