"""Cassettes that several tests share, and cassettes that must not be shared."""

from __future__ import annotations

import pytest

from mockserver.library import library
from tests.harness.plugin.test_recording import TEST, loaded, project, run
from tests.mockserver.live import Live

pytest_plugins = ["pytester"]
__all__ = ["loaded", "project"]

SHARED = (
    TEST.partition("def test_hello")[0]
    + """
import pytest

@pytest.fixture(scope="SCOPE")
def tape(tapecheck_SCOPE):
    return tapecheck_SCOPE("local")

class TestBoth:
    def test_one(self, tape):
        assert "Hello" in ask(tape, "one")

    def test_two(self, tape):
        assert "Hello" in ask(tape, "two")

def test_alone():
    assert OTHER
"""
)


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ("class", "test_mine/TestBoth.class"),
        ("module", "test_mine/module"),
        ("session", "session"),
    ],
)
def test_tests_share_one_cassette(
    project: pytest.Pytester, live: Live, scope: str, name: str
) -> None:
    source = SHARED.replace("SCOPE", scope)
    project.makepyfile(test_mine=source.replace("OTHER", "False"))
    path = project.path / f"cassettes/{name}.yaml"
    result = run(project, "--record")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines([f"cassettes/{name}.yaml", "  wrote 2 interactions"])
    assert len(library.load(path).interactions) == 2
    live.requests.clear()
    project.makepyfile(test_mine=source.replace("OTHER", "True"))
    run(project).assert_outcomes(passed=3)
    assert live.requests == []


def test_a_failure_of_one_writes_nothing(project: pytest.Pytester, live: Live) -> None:
    source = SHARED.replace("SCOPE", "module").replace("OTHER", "True")
    project.makepyfile(test_mine=source.replace('"Hello" in ask(tape, "two")', "False"))
    run(project, "--record").assert_outcomes(passed=2, failed=1)
    assert list(project.path.glob("cassettes/**/*.yaml")) == []


def test_every_test_has_a_cassette_of_its_own(project: pytest.Pytester, live: Live) -> None:
    names = ["a/b", "a-b", "a:b", "-a-b", "a-b-", "A-B", "x", "x.2", "é", "", "l" * 300, "m" * 300]
    body = f"""
import pytest

@pytest.mark.parametrize("text", {names!r})
def test_each(tapecheck, text):
    assert "Hello" in ask(tapecheck("local"), text[:9])
    assert "Hello" in ask(tapecheck("local"), "second")
"""
    ask = TEST.partition("def test_hello")[0]
    for folder in ("", "tests", "one", "two", "tests/deep"):
        inside = project.path / folder
        inside.mkdir(exist_ok=True)
        (inside / f"test_m{'ine' if folder else 'ain'}.py").write_text(ask + body)
    (project.path / "test_mine.py").unlink()
    mode = ("--import-mode=importlib",)
    run(project, "--record", *mode).assert_outcomes(passed=5 * len(names))
    live.requests.clear()
    run(project, *mode).assert_outcomes(passed=5 * len(names))
    assert live.requests == []
    found = {
        str(path.relative_to(project.path / "cassettes"))
        for path in (project.path / "cassettes").rglob("*.yaml")
    }
    assert len(found) == 5 * len(names) * 2
    assert {"test_main/test_each-a-b.yaml", "test_main/test_each-a-b.2.yaml"} <= found
    assert {"test_mine/test_each-x.yaml", "one/test_mine/test_each-x.yaml"} <= found
