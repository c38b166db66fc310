"""Broken files of recordings: each is read, or refused with an error that names it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes import foreign, har, loading, yaml_reader
from mockserver.cassettes.cassette import Cassette
from mockserver.cassettes.writer import dump
from mockserver.errors import CassetteError
from mockserver.recording import importing
from mockserver.wire.schedule import from_response
from tests.fuzzing import broken, fuzzed
from tests.mockserver.cassettes.other_tools import FILES
from tests.mockserver.cassettes.test_foreign import RUBY

ROOT = Path(__file__).parents[3]
OURS = (ROOT / "cassettes/openai-chat/text-basic.yaml").read_bytes()
#: vcrpy's own form has no wire.
VCRPY = OURS[: OURS.index(b"    wire:\n")]
HAR = b"""{"log":{"version":"1.2","entries":[{"startedDateTime":"2025-03-04T09:30:01Z","time":12.5,
"request":{"method":"POST","url":"https://api.openai.com/v1/x","headers":[{"name":"a","value":"b"}],
"postData":{"mimeType":"application/json","text":"{}"}},
"response":{"status":200,"statusText":"OK","headers":[{"name":"content-type","value":"text/plain"}],
"content":{"text":"aGk=","encoding":"base64"}},"timings":{"send":1,"wait":2,"receive":3}}]}}"""
SEEDS = [OURS, VCRPY, RUBY.encode(), HAR, *FILES.values()]
PIECES = [
    *(b"null true [] {} '' 1e999 -1 0 .inf ~ | > & * % @ ` !!binary !!float !!set".split()),
    *(b"!!timestamp !!python/object:os.x <<: &a *a --- ... \x00 \xef\xbb\xbf \xff".split()),
    b"\n",
    b"\t",
    b": ",
    b"- ",
    b"? ",
    b'"',
    b"9" * 5000,
    b"[" * 300,
    b"2024-13-45",
]


def error_of(read: Callable[[], object]) -> Exception | None:
    """Return the error of a reader, if it has one."""
    try:
        read()
    except (CassetteError, yaml_reader.YamlError) as exc:
        return exc
    return None


@fuzzed
@given(broken(SEEDS, PIECES), st.sampled_from([".yaml", ".har", ".json", ".flow"]))
def test_fuzzed_recordings_are_read_or_refused(text: bytes, suffix: str) -> None:
    path = Path(f"c{suffix}")
    refused = error_of(lambda: loading.parse(text, path))
    if refused is not None:
        assert isinstance(refused, CassetteError)
        assert refused.path == path
        assert "\n" not in str(refused)
        return
    for interaction in loading.parse(text, path).interactions:
        assert from_response(interaction.response).body == interaction.response.body


@fuzzed
@given(broken(SEEDS, PIECES))
def test_fuzzed_files_of_other_tools_are_imported_or_refused(text: bytes) -> None:
    try:
        found = foreign.read(text, Path("theirs"))
    except CassetteError:
        return
    if found is not None:
        imported = importing.convert(found, Path("ours.yaml"))
        assert isinstance(imported.cassette, Cassette)
        if imported.cassette.interactions:
            dump(imported.cassette)


@fuzzed
@given(broken([HAR], PIECES))
def test_fuzzed_archives_are_read_or_refused(text: bytes) -> None:
    refused = error_of(lambda: har.parse(text, Path("a.har")))
    assert refused is None or (isinstance(refused, CassetteError) and refused.hint)


@fuzzed
@given(
    st.lists(st.sampled_from([*PIECES, b"a", b"b: c", b"x", b"\n  ", b"#"]), max_size=25).map(
        b"".join
    )
    | broken([OURS[:3000]], PIECES)
    | st.binary(max_size=60)
)
def test_fuzzed_yaml_is_read_or_refused(text: bytes) -> None:
    refused = error_of(lambda: yaml_reader.read(text))
    if refused is None:
        assert yaml_reader.read(text).line_of(("interactions", 0, "request")) >= 1
    else:
        assert isinstance(refused, yaml_reader.YamlError)
        assert refused.hint


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_what_is_broken_was_whole(seed: bytes) -> None:
    assert loading.parse(seed, Path("c.har" if seed == HAR else "c.yaml")).interactions
