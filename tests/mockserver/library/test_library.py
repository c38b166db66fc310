from __future__ import annotations

import gc
import os
import pickle
import weakref
from pathlib import Path

import pytest

from mockserver.cassettes import writer
from mockserver.cassettes.cassette import load
from mockserver.errors import CassetteError, SessionError
from mockserver.library import library as store
from mockserver.library.index import requests
from mockserver.library.library import Library
from mockserver.library.rule import Rule
from tests.mockserver.rawhttp import CHAT, cassette, interaction, request

MARK = b"a body that nobody should keep"


def put(path: Path, *bodies: bytes, answer: bytes = MARK) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tape = cassette(*(interaction(answer, body=body) for body in bodies), path=path)
    path.write_bytes(writer.dump(tape))
    return path


def test_names_are_paths_below_the_library_without_suffix(tmp_path: Path) -> None:
    put(tmp_path / "b.yml", b"1")
    put(tmp_path / "a/deep er/x[1].yaml", b"1")
    (tmp_path / "c.har").write_text('{"log":{"entries":[]}}')
    (tmp_path / "LOUD.YAML").write_bytes((tmp_path / "b.yml").read_bytes())
    (tmp_path / "README.md").touch()
    (tmp_path / ".hidden.yaml").touch()
    assert list(Library([tmp_path]).paths) == ["LOUD", "a/deep er/x[1]", "b", "c"]


def test_a_file_is_a_library_of_one(tmp_path: Path) -> None:
    assert list(Library([put(tmp_path / "one.yaml", b"1")]).paths) == ["one"]


def test_the_first_library_wins(tmp_path: Path) -> None:
    put(tmp_path / "a/x.yaml", b"1")
    put(tmp_path / "b/x.yaml", b"2")
    assert Library([tmp_path / "a", tmp_path / "b"]).find("x") == tmp_path / "a/x.yaml"


def test_a_missing_library_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="no such file or directory"):
        Library([tmp_path / "absent"])


def test_links_do_not_lead_out_of_the_library(tmp_path: Path) -> None:
    inside, outside = tmp_path / "library", tmp_path / "outside"
    put(inside / "real.yaml", b"1")
    put(outside / "secret.yaml", b"1")
    (inside / "out.yaml").symlink_to(outside / "secret.yaml")
    (inside / "dir").symlink_to(outside)
    (inside / "in.yaml").symlink_to(inside / "real.yaml")
    (inside / "dangling.yaml").symlink_to(tmp_path / "nothing.yaml")
    assert list(Library([inside]).paths) == ["in", "real"]


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "a/../x", "x.yaml", "", ".", "x\0", "x/"]
)
def test_only_listed_names_are_found(tmp_path: Path, name: str) -> None:
    put(tmp_path / "x.yaml", b"1")
    with pytest.raises(SessionError):
        Library([tmp_path]).find(name)


def test_a_wrong_name_gets_suggestions(tmp_path: Path) -> None:
    put(tmp_path / "tools-parallel.yaml", b"1")
    with pytest.raises(SessionError, match="did you mean tools-parallel"):
        Library([tmp_path]).find("tool-parallel")


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    for n in range(50):
        (tmp_path / f"broken{n}.yaml").write_text("{")
    put(tmp_path / "good.yaml", b"1")
    library = Library([tmp_path])
    assert len(library.paths) == 51
    assert library.open("good").cassette.interactions[0].response.body == MARK
    assert library.problems == {}
    with pytest.raises(CassetteError, match=r"broken7\.yaml:2: not valid YAML"):
        library.open("broken7")
    assert list(library.problems) == ["broken7"]


def test_the_index_has_no_bodies_and_opens_nothing(tmp_path: Path) -> None:
    for n in range(20):
        put(tmp_path / f"{n}.yaml", b'{"secret body": %d}' % n, answer=MARK * 1000)
    library = Library([tmp_path])
    pickled = pickle.dumps(library.build_index())
    assert MARK not in pickled
    assert b"secret body" not in pickled
    assert all(library.opened(name) is None for name in library.paths)


def test_parsed_cassettes_are_dropped_when_there_are_too_many(tmp_path: Path) -> None:
    for n in range(6):
        put(tmp_path / f"{n}.yaml", b"1", answer=MARK * 100)
    size = (tmp_path / "0.yaml").stat().st_size
    library = Library([tmp_path], cache_bytes=3 * size)
    pickled = [weakref.ref(library.open(str(n))) for n in range(6)]
    gc.collect()
    assert [ref() is not None for ref in pickled] == [False] * 3 + [True] * 3


def test_the_last_used_cassettes_stay_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "RECHECK", -1)
    for name in "abc":
        put(tmp_path / f"{name}.yaml", b"1")
    library = Library([tmp_path], cache_bytes=2 * (tmp_path / "a.yaml").stat().st_size)
    library.open("a")
    library.open("b")
    assert library.opened("a")
    library.open("c")
    assert [name for name in "abc" if library.opened(name)] == ["a", "c"]


def test_a_deleted_file_is_not_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RECHECK", -1)
    path = put(tmp_path / "x.yaml", b"1")
    library = Library([tmp_path])
    library.open("x")
    path.unlink()
    assert library.opened("x") is None
    with pytest.raises(CassetteError, match="cannot be read"):
        library.open("x")


def test_the_one_in_use_stays_cached_at_any_size(tmp_path: Path) -> None:
    put(tmp_path / "large.yaml", b"1")
    library = Library([tmp_path], cache_bytes=1)
    assert library.open("large") is library.open("large")


def test_a_changed_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RECHECK", -1)
    put(tmp_path / "x.yaml", b"1", answer=b"old")
    library = Library([tmp_path])
    old = library.open("x")
    put(tmp_path / "x.yaml", b"1", answer=b"newer")
    assert library.opened("x") is None
    assert library.open("x") is not old
    assert library.open("x").cassette.interactions[0].response.body == b"newer"


def test_a_fixed_cassette_is_no_longer_a_problem(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("{")
    library = Library([tmp_path])
    with pytest.raises(CassetteError):
        library.open("x")
    put(tmp_path / "x.yaml", b"1")
    library.open("x")
    assert library.problems == {}


def test_what_the_index_cannot_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("{")
    put(tmp_path / "y.yaml", b"1")
    library = Library([tmp_path])
    library.build_index()
    assert list(library.problems) == ["x"]


def test_the_index_finds_equal_requests_in_order(tmp_path: Path) -> None:
    put(tmp_path / "a.yaml", b'{"m":1}', b'{"m":2}', b'{"m": 1}')
    put(tmp_path / "b.yaml", b'{"m":1}')
    (tmp_path / "c.yaml").write_text("nonsense")
    index = Library([tmp_path]).build_index()
    found = index.matches(request(body=b'{"m":1}'))
    assert [(index.locations[i].name, index.locations[i].number) for i in found] == [
        ("a", 0),
        ("a", 2),
        ("b", 0),
    ]
    assert index.matches(request("/other")) == []
    by_path = Library([tmp_path], rule=Rule.of(["path"])).build_index()
    assert len(by_path.matches(request(body=b"?"))) == 4
    assert list(index.problems) == ["c"]


USUAL = """\
# a comment
interactions:
- request:
    body: |-
      - request:
        response:
    headers: {}
    method: POST
    uri: https://h/v1
  response:
    body:
      string: |
        - request:
          response:
    status: {code: 200, message: OK}
- request: {method: GET, uri: 'https://h/2', body: null}
  response: {status: {code: 200, message: OK}, body: {string: ''}}
version: 1
"""
INDENTED = """\
version: 1
interactions:
  - request:
      method: GET
      uri: https://h/1
    response: {status: 200}
"""
RESPONSE_FIRST = """\
interactions:
- response: {status: 200}
  request: {method: GET, uri: 'https://h/1'}
"""
FLOW = "{interactions: [{request: {method: GET, uri: 'https://h/1'}, response: {status: 200}}]}"


@pytest.mark.parametrize(
    "text",
    [USUAL, INDENTED, RESPONSE_FIRST, FLOW, USUAL.replace("\n", "\r\n"), "interactions: []\n"],
    ids=["usual", "indented", "response first", "flow", "crlf", "empty"],
)
def test_requests_are_read_the_same_as_whole_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(text.encode())
    assert list(requests(path)) == [i.request for i in load(path).interactions]


def test_the_usual_layout_is_not_read_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(USUAL.replace("code: 200", "code: many"))
    assert len(list(requests(path))) == 2
    with pytest.raises(CassetteError, match=r"status\.code"):
        load(path)


def test_writing_replaces_the_file_as_a_whole(tmp_path: Path) -> None:
    tape = cassette(interaction(b"new"), path=tmp_path / "deep/x.yaml")
    store.write(tape)
    assert load(tape.path) == tape
    # Whoever serves it may be another user than who recorded it.
    assert tape.path.stat().st_mode & 0o777 == 0o644
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["x.yaml"]


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "x.yaml", b"1", answer=b"old")
    before = path.read_bytes()

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CassetteError, match="cannot be written: No space left"):
        store.write(cassette(interaction(b"new"), path=path))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.yaml"]


def test_archives_load_like_cassettes(tmp_path: Path) -> None:
    path = tmp_path / "x.har"
    path.write_text('{"log":{"entries":[]}}')
    assert store.load(path).interactions == ()
    assert list(requests(path)) == []
    with pytest.raises(CassetteError, match="No such file"):
        store.load(tmp_path / "absent.har")


def test_a_new_scan_finds_added_files(tmp_path: Path) -> None:
    library = Library([tmp_path])
    assert library.build_index().locations == []
    put(tmp_path / "x.yaml", b"1")
    library.scan()
    assert [p.name for p in library.build_index().locations] == ["x"]


def test_paths_cannot_be_changed_from_outside(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        Library([tmp_path]).paths["x"] = tmp_path  # type: ignore[index]
    assert CHAT not in Library([tmp_path]).paths
