from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import ReportError
from harness.judge.baseline import Baseline, Entry
from harness.reports.merge import merged
from harness.reports.summary import parts
from harness.suite.schemas import validator
from tests.harness.reports.made import Record, case, run_of, shard, skip

ENTRY = Entry(kind="text", field="text", cases=("a/**",), reason="r", line=7)
CASES = [case(f"a/s{n}/recorded@one", judged=["model"]) for n in range(5)]


def error(*runs: tuple[Path, list[Record]]) -> str:
    with pytest.raises(ReportError) as raised:
        merged(runs)
    return str(raised.value)


def test_the_merged_records_are_those_of_the_whole_run() -> None:
    cases = [*CASES, case("c/d/recorded@one", "known"), case("c/e/cut=1@one", "fail")]
    shards = [shard(n, 3, cases) for n in (2, 1, 3)]
    records = merged(shards)
    for record in [*records, *shards[0][1]]:
        validator("run_record").validate(record)
    whole = run_of(*cases, skip("b", "one", "no tools"))
    start, skips, played, end = parts(records)
    assert start == whole[0] | {"python": "3.13.1", "started": "2026-01-01T00:00:00+00:00"}
    assert skips == [skip("b", "one", "no tools")]
    assert sorted(c["id"] for c in played) == sorted(c["id"] for c in cases)
    assert end == whole[-1]
    assert end["exit_code"] == 1


def test_what_only_all_cases_can_tell_is_said() -> None:
    baseline = {"file": "one.yaml", "entries": list(Baseline(Path("one.yaml"), (ENTRY,)).data())}
    whole: Record = {
        "problems": ["one declares 'audio', which no scenario exercises"],
        "baselines": {"one": baseline},
        "listed": {"one": ["model"]},
    }
    *_, end = merged(shard(n, 2, CASES, **whole) for n in (1, 2))
    exercised, vanished, stale = end["problems"]
    assert exercised == "one declares 'audio', which no scenario exercises"
    assert vanished.startswith("one gave model before and does not any more: 5 cases have it")
    assert stale.startswith("one.yaml:7: stale baseline entry: text text covers nothing in 'a/**'")
    assert end["exit_code"] == 1


def test_an_entry_that_covers_a_case_of_any_shard_is_not_stale() -> None:
    baseline = {"file": "one.yaml", "entries": list(Baseline(Path("one.yaml"), (ENTRY,)).data())}
    cases = [*CASES, case("a/b/recorded@one", "known")]
    *_, end = merged(shard(n, 2, cases, baselines={"one": baseline}) for n in (1, 2))
    assert end["problems"] == []
    assert end["exit_code"] == 0


def test_a_recording_that_cannot_be_read_has_its_exit_code() -> None:
    whole: Record = {"problems": ["a.yaml: not YAML"], "unreadable": True}
    *_, end = merged(shard(n, 2, CASES, **whole) for n in (1, 2))
    assert end["exit_code"] == 2


def test_a_run_without_a_case_is_no_success() -> None:
    *_, end = merged([shard(1, 1, [])])
    assert end["problems"] == ["no case was run"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"seed": 7}, "seed 7, not 0"),
        ({"tapecheck": "0.2.0"}, "version of tapecheck 0.2.0, not 0.1.0"),
        ({"python": "3.14.0"}, "version of Python 3.14, not 3.13"),
        ({"options": ["--level", "may"]}, "options --level may, not none"),
        ({"axes": "all"}, "axes all, not pairwise"),
        ({"faults": False}, "faults False, not True"),
        ({"patterns": ["a"]}, "patterns a, not none"),
        ({"digest": "e"}, "other cases"),
        ({"cases": 6}, "number of cases 6, not 5"),
        ({"of": 3}, "number of shards 3, not 2"),
        ({"level": "may"}, "one: level may, not must"),
        ({"baselines": {"one": {"file": "f", "entries": []}}}, "other baselines"),
    ],
)
def test_shards_of_different_runs_are_refused(changed: Record, words: str) -> None:
    name = f"2.ndjson: of another run than 1.ndjson: {words}\n"
    assert name in error(shard(1, 2, CASES), shard(2, 2, CASES, **changed))


def test_machines_may_differ_in_the_last_part_of_pythons_version() -> None:
    assert merged([shard(1, 2, CASES), shard(2, 2, CASES, python="3.13.2")])


def test_other_versions_of_the_client_are_refused() -> None:
    shards = [shard(n, 2, CASES) for n in (1, 2)]
    for number, (_, records) in enumerate(shards):
        records[0]["adapters"][0]["versions"] = [f"openai 2.{number}"]
    assert "one: versions openai 2.1, not openai 2.0" in error(*shards)


def test_a_shard_that_is_missing_or_given_twice_is_refused() -> None:
    one, two, three = (shard(n, 3, CASES) for n in (1, 2, 3))
    assert error(one, three).startswith("shard 2 of 3 is missing")
    assert error(two).startswith("shards 1, 3 of 3 are missing")
    assert error(one, two, (Path("b"), two[1]), three).startswith(
        "b: shard 2/3 is also in 2.ndjson"
    )


def test_a_case_in_two_shards_is_refused() -> None:
    one, two = shard(1, 2, CASES[:4]), shard(2, 2, CASES[:4])
    two[1][1] = one[1][1]
    assert "the shards have 4 cases together, such as a/s0/recorded@one twice" in error(one, two)


def test_what_is_not_finished_is_refused() -> None:
    one, (file, records) = shard(1, 2, CASES), shard(2, 2, CASES)
    assert error(one, (file, records[:-1])).startswith("2.ndjson: the run did not finish")
    stopped = shard(2, 2, CASES, stopped=("stopped after the first failure",))
    del stopped[1][1]
    assert error(one, stopped).startswith(
        "2.ndjson: shard 2/2 is not finished, 1 case not played: stopped after the first failure"
    )


def test_a_whole_run_is_no_shard() -> None:
    runs = (shard(1, 2, CASES), (Path("w"), run_of(*CASES)))
    assert error(*runs).startswith("w: not the results of a shard")


def client(name: str, *cases: Record, **more: Any) -> tuple[Path, list[Record]]:
    """Return the file and the records of a whole run of one client."""
    options = ["--adapter", f"{name}.py", "--level", "must"]
    more = {"python": "3.13.1", "options": options} | more
    records = run_of(*cases, skip("a/x", name, "no tools"), skip("y", "*", "no time"), **more)
    records[0]["adapters"] = [a for a in records[0]["adapters"] if a["name"] == name]
    return Path(f"{name}.ndjson"), records


def test_runs_of_different_clients_are_merged() -> None:
    one = client("one", case("a/b/recorded@one"), problems=("one.yaml:7: stale",))
    two = client("two", case("a/b/recorded@two", "fail"), case("a/c/recorded@two", "known"))
    records = merged([one, two])
    for record in records:
        validator("run_record").validate(record)
    start, skips, cases, end = parts(records)
    assert [adapter["name"] for adapter in start["adapters"]] == ["one", "two"]
    assert start["options"] == [
        *("--adapter", "one.py", "--adapter", "two.py"),
        *("--level", "must"),
    ]
    assert start["cases"] == len(cases) == 3
    assert [s["adapter"] for s in skips] == ["one", "*", "two"]
    assert end["counts"] | {"skip": 0} == {
        "pass": 1,
        "fail": 1,
        "known": 1,
        "stale": 0,
        "error": 0,
        "skip": 0,
    }
    assert (end["problems"], end["exit_code"]) == (["one.yaml:7: stale"], 1)


def test_a_part_that_ended_with_an_error_makes_the_whole_one() -> None:
    good, bad = client("one", case("a/b/recorded@one")), client("two", case("a/b/recorded@two"))
    bad[1][-1]["exit_code"] = 2
    assert merged([good, bad])[-1]["exit_code"] == 2
    assert merged([good])[-1]["exit_code"] == 0


def test_runs_of_clients_that_do_not_fit_are_refused() -> None:
    one = client("one", case("a/b/recorded@one"))
    two = client("two", case("a/b/recorded@two"))
    assert error(one, (Path("b"), one[1])).startswith("b: one is also in one.ndjson")
    other = client("two", case("a/b/recorded@two"), seed=7)
    assert "two.ndjson: of another run than one.ndjson: seed 7, not 0" in error(one, other)
    other = client("two", case("a/b/recorded@two"), options=["--adapter", "two.py"])
    assert "options none, not --level must" in error(one, other)
    del two[1][1]
    assert error(one, two).startswith("two.ndjson: the run is not finished, 1 case not played")
