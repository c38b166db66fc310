from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

from harness.reports import junit
from tests.harness.reports.made import FINDING, Record, case, run_of, shard, skip


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
    assert {(t.get("classname"), t.get("name"), t.get("time")) for t in suite.iter("testcase")} == {
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
    assert failure.get("type") == "turn"
    assert failure.text is not None
    assert "tapecheck explain a/b/cut=2@one" in failure.text
    assert failure.text.endswith("failed: cut=2, reset=10")


def test_the_type_is_the_check_of_the_weightiest_finding_and_the_text_has_all() -> None:
    late = FINDING | {"check": "request", "kind": "request", "level": "should", "field": "model"}
    xml = written(run_of(case("a/b/recorded@one", "fail", late, FINDING), level="should"))
    failure = xml.find(".//failure")
    assert failure is not None
    assert failure.get("type") == "turn"
    assert failure.get("message") == "must text: content of the turn differs"
    assert failure.text is not None
    assert failure.text.splitlines()[0] == "a/b/recorded@one"
    assert "must text: content of the turn differs\n  a/b.yaml:7\n" in failure.text
    assert "checks: request, turn" in failure.text


def test_a_known_failure_says_why_where_each_server_looks() -> None:
    xml = written(run_of(case("a/b/cut=1@one", "known"), case("a/b/cut=2@one", "known")))
    skipped = xml.find(".//skipped")
    assert skipped is not None
    assert skipped.get("message") == skipped.text == "known failure (2 faults): as agreed"


def test_a_suite_says_what_it_is_about() -> None:
    cases = (case("a/b/recorded@one", "fail"), case("a/c/recorded@one", "known"))
    more: Record = {"python": "3.13.1", "started": "2026-01-02T03:04:05+00:00"}
    records = run_of(*cases, case("a/b/recorded@two"), seed=7, **more)
    records[0]["adapters"][0]["versions"] = ["openai 2.7.1", "httpx 0.28"]
    one, two = written(records).findall("testsuite")
    assert one.get("timestamp") == "2026-01-02T03:04:05"
    found = {p.get("name"): p.get("value") for p in one.iter("property")}
    assert found == {
        "tapecheck": "0.1.0",
        "python": "3.13.1",
        "client": "openai 2.7.1, httpx 0.28",
        "seed": "7",
        "level": "must",
        "findings.must": "1",
        "findings.should": "0",
        "findings.may": "0",
    }
    assert "client" not in {p.get("name") for p in two.iter("property")}


def test_a_shard_says_which_it_is() -> None:
    (suite,) = written(shard(2, 3, [case("a/b/recorded@one")] * 3)[1]).findall("testsuite")
    assert "2/3" in {p.get("value") for p in suite.iter("property") if p.get("name") == "shard"}


def test_what_xml_cannot_hold_is_replaced() -> None:
    finding = FINDING | {"message": "a\x00b\x1b]c\ud800d\ufffee <&>"}
    xml = written(run_of(case("a/b/recorded@one", "fail", finding), problems=("a\x00b",)))
    failure = xml.find(".//failure")
    assert xml.findall(".//failure")[1].get("message") == "a\ufffdb"
    assert failure is not None
    assert failure.get("message") == r"must text: a\u0000b\u001b]c\ud800d\ufffee <&>"
