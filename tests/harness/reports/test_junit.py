from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

from harness.reports import junit
from tests.harness.reports.made import FINDING, Record, case, run_of, skip


def written(records: list[Record]) -> ElementTree.Element:
    stream = io.StringIO()
    junit.write(records, stream, here=Path("/specs"))
    return ElementTree.fromstring(stream.getvalue())


def test_each_wire_is_a_test_case_and_all_faults_are_one() -> None:
    suite = written(
        run_of(
            case("a/b/recorded@one"),
            case("a/b/eol=cr@one"),
            case("a/b/cut=1@one"),
            case("a/b/reset=1@one"),
        )
    ).find("testsuite")
    assert suite is not None
    assert {(t.get("classname"), t.get("name"), t.get("time")) for t in suite} == {
        ("one.a/b", "recorded", "0.5"),
        ("one.a/b", "eol=cr", "0.5"),
        ("one.a/b", "faults", "1.0"),
    }
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("one", "3", "0")


def test_outcomes_become_results() -> None:
    xml = written(
        run_of(
            case("a/fail/recorded@one", "fail"),
            case("a/stale/recorded@one", "stale"),
            case("a/error/recorded@one", "error"),
            case("a/known/recorded@one", "known"),
            case("a/pass/recorded@one"),
            skip("a/skip", "one", "does not declare tools"),
            problems=("no good",),
        )
    )
    results = {t.get("classname"): [child.tag for child in t] for t in xml.iter("testcase")}
    assert results == {
        "one.a/fail": ["failure"],
        "one.a/stale": ["failure"],
        "one.a/error": ["error"],
        "one.a/known": ["skipped"],
        "one.a/pass": [],
        "one.a/skip": ["skipped"],
        "tapecheck": ["failure"],
    }
    assert (xml.get("tests"), xml.get("failures"), xml.get("errors"), xml.get("skipped")) == (
        "7",
        "3",
        "1",
        "2",
    )


def test_a_failed_sweep_names_its_shortest_break() -> None:
    xml = written(run_of(case("a/b/reset=10@one", "fail"), case("a/b/cut=2@one", "fail")))
    failure = xml.find(".//failure")
    assert failure is not None
    assert failure.get("message") == (
        "2 faults failed, such as cut=2: must text: content of the turn differs"
    )
    assert failure.get("type") == "must text"
    assert failure.text is not None
    assert "tapecheck explain a/b/cut=2@one" in failure.text


def test_what_xml_cannot_hold_is_replaced() -> None:
    finding = FINDING | {"message": "a\x00b\x1b]c\ud800d\ufffee <&>"}
    xml = written(run_of(case("a/b/recorded@one", "fail", finding), problems=("a\x00b",)))
    failure = xml.find(".//failure")
    assert xml.findall(".//failure")[1].get("message") == "a\ufffdb"
    assert failure is not None
    assert failure.get("message") == r"must text: a\u0000b\u001b]c\ud800d\ufffee <&>"
