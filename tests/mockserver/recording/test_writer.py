from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mockserver.cassettes import writer
from mockserver.cassettes.cassette import Cassette, Chunk, End, Interaction, Wire
from mockserver.errors import RecordingError, UnwritableError
from mockserver.library import library
from mockserver.recording.writer import locked, merge, save
from tests.mockserver.rawhttp import cassette, interaction

ROOT = Path(__file__).parents[3]
SECRET = "very-secret-value-42"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dir" / "a[b].yaml"


def ended(how: End) -> Interaction:
    wire = Wire(chunks=(Chunk(1, 8),), end_ms=2, end=how, recorded={"at": "2026-01-02T03:04:05Z"})
    return interaction(b"data: 1\n", content_type="text/event-stream", wire=wire)


def test_what_is_whole_and_clean_is_written(path: Path) -> None:
    whole = cassette(ended(End.EOF), path=path)
    save(whole, [SECRET])
    assert library.load(path) == whole
    assert [f.name for f in path.parent.iterdir()] == [path.name]


def test_every_reason_is_named_and_nothing_written(path: Path) -> None:
    with pytest.raises(RecordingError) as caught:
        save(cassette(ended(End.TIMEOUT), interaction(SECRET.encode()), path=path), [SECRET])
    assert caught.value.reasons == (
        "interaction 0: the answer ended with timeout; if that is intended, "
        "allow it with --allow-end timeout (in pytest: ends=['timeout'])",
        "interaction 1: response.body: a known secret",
    )
    assert SECRET not in str(caught.value)
    assert not path.parent.exists()
    with pytest.raises(RecordingError, match="no request came in"):
        save(cassette(path=path), [])


@pytest.mark.parametrize("end", End)
def test_an_ending_can_be_allowed(path: Path, end: End) -> None:
    save(cassette(ended(end), path=path), [], ends=[end])
    assert library.load(path).interactions[0].response.wire.end is end


def test_what_is_not_replayed_exactly_is_refused(path: Path) -> None:
    # Headers are bytes, one for each character; this one was never sent.
    broken = ended(End.EOF)
    broken = replace(broken, response=replace(broken.response, headers=(("x-name", "中"),)))
    with pytest.raises(RecordingError, match="headers differ in x-name"):
        save(cassette(broken, path=path), [])
    assert not path.exists()


def test_the_comment_at_the_head_stays(path: Path) -> None:
    save(cassette(ended(End.EOF), path=path), [])
    path.write_bytes(b"# By hand.\n#\n" + path.read_bytes())
    save(cassette(ended(End.EOF), ended(End.EOF), path=path), [])
    assert path.read_bytes().startswith(b"# By hand.\n#\nversion: 1\n")
    assert len(library.load(path).interactions) == 2


def test_what_a_killed_recorder_left_is_removed(path: Path) -> None:
    path.parent.mkdir()
    leftover, other = (
        path.with_name(f".{name}.k2j3h4.tapecheck-new") for name in (path.name, "other.yaml")
    )
    for file in (leftover, other):
        file.write_text("half")
    save(cassette(ended(End.EOF), path=path), [])
    assert not leftover.exists()
    assert other.exists()


def test_a_file_is_locked_by_one_at_a_time(path: Path) -> None:
    with locked(path), pytest.raises(RecordingError, match="another process"), locked(path):
        pass
    with locked(path):
        pass
    assert list(path.parent.iterdir()) == []


def test_a_lock_stays_while_its_cassette_is_written(path: Path) -> None:
    with locked(path):
        save(cassette(ended(End.EOF), path=path), [])
        with pytest.raises(RecordingError, match="another process"), locked(path):
            pass
    assert [f.name for f in path.parent.iterdir()] == [path.name]


def test_what_a_check_refuses_is_not_written(path: Path) -> None:
    def refuse(_: Cassette) -> None:
        raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        save(cassette(ended(End.EOF), path=path), [], check=refuse)
    assert not path.exists()


def test_a_lock_does_not_outlive_its_process(path: Path) -> None:
    child = (
        "import os, sys; from pathlib import Path; from mockserver.recording.writer import locked\n"
        "with locked(Path(sys.argv[1])):\n    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", child, str(path)], cwd=ROOT, check=False)
    assert path.with_name(f".{path.name}.lock").exists()
    with locked(path):
        pass


def test_an_unwritable_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match="cannot be locked"), locked(tmp_path / "file/x.yaml"):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment_leaves_the_old_or_the_new(path: Path) -> None:
    command = [sys.executable, "-m", "tests.mockserver.killed_writer", str(path), "20"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def recorded(body: bytes, *, at: str, request: bytes = b"{}") -> Interaction:
    wire = Wire(chunks=(Chunk(1, len(body)),), end_ms=2, recorded={"at": at})
    return interaction(body, body=request, wire=wire)


def test_the_old_stays_where_nothing_changed() -> None:
    old = cassette(
        recorded(b'{"id":"a1","v":1}', at="old", request=b'{"q":1}'),
        recorded(b'{"id":"a2","v":2}', at="old", request=b'{"q":2,"previous_id":"a1"}'),
    )
    new = [
        recorded(b'{"id":"b2","v":"new"}', at="new", request=b'{"q":2,"previous_id":"b1"}'),
        recorded(b'{"id":"b1","v":1}', at="new", request=b'{"q":1}'),
    ]
    (second, first), unchanged = merge(old, new)
    assert unchanged == 1
    assert first.response.body == b'{"id":"a1","v":1}'
    assert first.response.wire.recorded == {"at": "old", "confirmed": "new"}
    # A kept id has its old value in new text, too.
    assert second.request.body == b'{"q":2,"previous_id":"a1"}'
    assert second.response.body == b'{"id":"b2","v":"new"}'
    assert second.response.wire.recorded == {"at": "new"}


def test_an_old_answer_stays_if_only_the_request_changed() -> None:
    old = cassette(recorded(b'{"id":"a1","v":1}', at="old", request=b'{"q":1}'))
    new = [recorded(b'{"id":"b1","v":1}', at="new", request=b'{"q":1,"more":true}')]
    (merged,), unchanged = merge(old, new)
    assert unchanged == 0
    assert merged.request.body == b'{"q":1,"more":true}'
    assert merged.response.body == b'{"id":"a1","v":1}'
    assert merged.response.wire.recorded == {"at": "old", "confirmed": "new"}


def test_the_old_order_stays_where_all_is_known() -> None:
    ones = [recorded(b"{}", at="old", request=b'{"q":%d}' % n) for n in range(3)]
    merged, unchanged = merge(cassette(*ones), [ones[2], ones[0], ones[1]])
    assert unchanged == 3
    assert [i.request for i in merged] == [i.request for i in ones]


def test_dumping_a_merged_cassette_is_stable(path: Path) -> None:
    tape = cassette(recorded(b"{}", at="2026-01-02T03:04:05Z"), path=path)
    merged, _ = merge(tape, tape.interactions)
    again, _ = merge(replace(tape, interactions=merged), tape.interactions)
    dumps = [writer.dump(replace(tape, interactions=i)) for i in (merged, again)]
    assert dumps[0] == dumps[1]
