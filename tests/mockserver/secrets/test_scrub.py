from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import Chunk, Interaction, Request, Response, Wire
from mockserver.secrets.allowed import lines, mark
from mockserver.secrets.scan import scan_cassette
from mockserver.secrets.scrub import Edit, Scrubber, splice
from mockserver.wire import sse
from tests.mockserver.rawhttp import cassette

SECRET = "very-secret-value-42"


def interaction(
    *,
    uri: str = "https://api.example.com/v1/chat/completions",
    headers: dict[str, str] | None = None,
    body: object = None,
    answer: bytes = b"{}",
    answer_headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),),
    chunks: tuple[Chunk, ...] | None = None,
) -> Interaction:
    return Interaction(
        Request(
            method="POST",
            uri=uri,
            headers=tuple({"content-type": "application/json", **(headers or {})}.items()),
            body=b"" if body is None else json.dumps(body).encode(),
        ),
        Response(
            status=200,
            reason="OK",
            headers=answer_headers,
            body=answer,
            wire=Wire(chunks=chunks),
        ),
    )


@given(st.data())
def test_edits_move_the_boundaries_with_the_bytes_around_them(data: st.DataObject) -> None:
    body = data.draw(st.binary(max_size=60))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=6)))
    edits = [
        Edit(a, b, data.draw(st.binary(max_size=9)))
        for a, b in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    bounds = sorted(data.draw(st.sets(st.integers(1, max(len(body) - 1, 1)), max_size=8)))
    ends = [b for b in bounds if b < len(body)] + ([len(body)] if body else [])
    lengths = [b - a for a, b in zip([0, *ends], ends, strict=False)]
    chunks = tuple(Chunk(float(n), length) for n, length in enumerate(lengths))

    new, moved = splice(body, chunks, edits)

    plain = body
    for edit in reversed(edits):
        plain = plain[: edit.start] + edit.text + plain[edit.stop :]
    assert new == plain
    assert moved is not None
    assert sum(c.length for c in moved) == len(new)
    assert all(c.length > 0 for c in moved)
    # A boundary outside of all edits still has the same bytes before it.
    new_ends = set(accumulate(c.length for c in moved)) | {0}
    for end in ends:
        if not any(e.start < end < e.stop for e in edits):
            before = sum(len(e.text) - (e.stop - e.start) for e in edits if e.stop <= end)
            assert end + before in new_ends


@given(st.sets(st.integers(1, 300), max_size=12))
def test_framing_survives_wherever_a_secret_is_cut(bounds: set[int]) -> None:
    event = 'data: {"choices":[{"delta":{"content":"a %s 🎉"}}]}\n\n'
    body = (event % SECRET * 3 + "data: [DONE]\n\n").encode()
    ends = [*sorted(b for b in bounds if b < len(body)), len(body)]
    lengths = [b - a for a, b in zip([0, *ends], ends, strict=False)]
    chunks = tuple(Chunk(0.0, length) for length in lengths)
    recorded = interaction(
        answer=body, answer_headers=(("content-type", "text/event-stream"),), chunks=chunks
    )
    safe = Scrubber([SECRET]).interaction(recorded).response
    assert safe.body == (event % "key_REDACTED_1" * 3 + "data: [DONE]\n\n").encode()
    assert safe.wire.chunks is not None
    assert sum(c.length for c in safe.wire.chunks) == len(safe.body)
    assert [b.data for b in sse.decode(safe.body)][-1] == "[DONE]"


def test_headers_are_kept_by_name() -> None:
    safe = Scrubber().interaction(
        interaction(
            headers={
                "Authorization": "Bearer x",
                "Cookie": "a=b",
                "X-Invented-Tomorrow": "x",
                "User-Agent": "x",
                "Accept": "text/event-stream",
                "Anthropic-Version": "2023-06-01",
                "OpenAI-Organization": "org-acme",
            },
            answer_headers=(
                ("Content-Type", "application/json"),
                ("Set-Cookie", "a=b"),
                ("Date", "today"),
                ("CF-Ray", "x"),
                ("Server", "x"),
                ("Retry-After", "20"),
                ("retry-after-ms", "20000"),
                ("x-should-retry", "false"),
                ("X-RateLimit-Remaining-Tokens", "7"),
                ("anthropic-ratelimit-requests-limit", "50"),
                ("X-Request-Id", "req_1"),
            ),
        )
    )
    assert safe.request.headers == (
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("anthropic-version", "2023-06-01"),
        ("openai-organization", "org_REDACTED_1"),
    )
    assert safe.response.headers == (
        ("content-type", "application/json"),
        ("retry-after", "20"),
        ("retry-after-ms", "20000"),
        ("x-should-retry", "false"),
        ("x-ratelimit-remaining-tokens", "7"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("x-request-id", "req_REDACTED_1"),
    )
    assert safe.response.wire.redacted == (
        "request.headers.openai-organization",
        "response.headers.x-request-id",
    )


def test_addresses_lose_credentials_and_accounts() -> None:
    def uri(text: str) -> str:
        return Scrubber([SECRET]).request(interaction(uri=text).request).uri

    assert (
        uri("https://x/v1/m?alt=sse&key=abc&b=%20c") == "https://x/v1/m?alt=sse&key=REDACTED&b=%20c"
    )
    assert uri(f"https://x/keys/{SECRET}/y") == "https://x/keys/REDACTED/y"
    assert uri("https://me:pw@x/y#z") == "https://x/y"
    assert (
        uri("https://acme.openai.azure.com/openai/deployments/prod/chat/completions?api-version=1")
        == "https://resource-redacted-1.openai.azure.com/openai/deployments/"
        "deployment_REDACTED_1/chat/completions?api-version=1"
    )
    assert (
        uri("https://h/v1/projects/acme-prod/locations/eu/x")
        == "https://h/v1/projects/project_REDACTED_1/locations/eu/x"
    )
    account = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    assert (
        uri(f"https://gateway.ai.cloudflare.com/v1/{account}/acme-prod/openai/chat/completions")
        == "https://gateway.ai.cloudflare.com/v1/account_REDACTED_1/gateway_REDACTED_1"
        "/openai/chat/completions"
    )
    assert (
        uri(f"https://api.cloudflare.com/client/v4/accounts/{account}/ai/run/@cf/meta/llama?x=1")
        == "https://api.cloudflare.com/client/v4/accounts/account_REDACTED_1"
        "/ai/run/@cf/meta/llama?x=1"
    )
    assert uri(f"https://example.com/v1/{account}/x") == f"https://example.com/v1/{account}/x"


def test_the_same_value_has_the_same_placeholder_everywhere() -> None:
    scrubber = Scrubber()
    one = scrubber.interaction(
        interaction(
            body={
                "user": "alice",
                "metadata": {"team": "alice", "n": 1},
                "messages": [{"role": "user", "content": "alice"}],
                "tools": [{"parameters": {"properties": {"user": {"type": "string"}}}}],
            },
            answer=b'{"user": "alice", "metadata": {}, "id": "r1"}',
        )
    )
    two = scrubber.interaction(
        interaction(
            body={"user": "bob", "safety_identifier": "alice"},
            answer=b'data: {"response": {"user": "bob", "metadata": {"team": "red"}}}\n\n',
            answer_headers=(("content-type", "text/event-stream"),),
        )
    )
    assert json.loads(one.request.body) == {
        "user": "user_REDACTED_1",
        "metadata": {"team": "metadata_REDACTED_1", "n": 1},
        "messages": [{"role": "user", "content": "alice"}],
        "tools": [{"parameters": {"properties": {"user": {"type": "string"}}}}],
    }
    assert one.response.body == b'{"user": "user_REDACTED_1", "metadata": {}, "id": "r1"}'
    assert json.loads(two.request.body) == {
        "user": "user_REDACTED_2",
        "safety_identifier": "user_REDACTED_1",
    }
    assert json.loads(sse.decode(two.response.body)[0].data or "") == {
        "response": {"user": "user_REDACTED_2", "metadata": {"team": "metadata_REDACTED_2"}}
    }


def test_an_account_has_the_same_placeholder_in_every_address() -> None:
    scrubber = Scrubber()
    hosts = "gateway.ai.cloudflare.com/v1", "api.cloudflare.com/client/v4/accounts"
    found = [
        scrubber.request(interaction(uri=f"https://{host}/{account}/x").request).uri
        for account in ("acme", "other")
        for host in hosts
    ]
    numbers = [uri.partition("account_REDACTED_")[2][0] for uri in found]
    assert numbers == ["1", "1", "2", "2"]


def test_numbers_continue_after_those_of_an_earlier_recording() -> None:
    before = Scrubber().interaction(interaction(body={"user": "alice"}))
    after = Scrubber(before=[before]).interaction(interaction(body={"user": "bob"}))
    assert json.loads(after.request.body) == {"user": "user_REDACTED_2"}
    # What is scrubbed stays as it is.
    assert Scrubber().interaction(before).request == before.request


def test_opaque_fields_are_replaced_unless_they_are_to_be_kept() -> None:
    call = {"type": "tool_use", "input": {"signature": "mine"}}
    message = {
        "content": [{"type": "thinking", "thinking": "hm", "signature": "c2ln"}, call],
        "encrypted_content": "gAAA",
    }
    recorded = interaction(body={"messages": [message]}, answer=json.dumps(message).encode())
    safe = Scrubber().interaction(recorded)
    expected = {
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "signatureREDACTED001"},
            call,
        ],
        "encrypted_content": "encryptedREDACTED001",
    }
    assert json.loads(safe.response.body) == expected
    assert json.loads(safe.request.body) == {"messages": [expected]}
    kept = Scrubber(keep_opaque=True).interaction(recorded)
    assert kept.response.body == recorded.response.body


def test_a_secret_in_a_field_that_names_a_user_is_replaced_once() -> None:
    body = {"user": SECRET, "safety_identifier": "", "metadata": {"a": SECRET, "b": "red"}}
    safe = Scrubber([SECRET]).interaction(interaction(body=body, answer=json.dumps(body).encode()))
    expected = {
        "user": "key_REDACTED_1",
        "safety_identifier": "",
        "metadata": {"a": "key_REDACTED_1", "b": "metadata_REDACTED_1"},
    }
    assert json.loads(safe.request.body) == expected
    assert json.loads(safe.response.body) == expected
    assert safe.response.wire.redacted == ("request.body", "response.body")


def test_a_field_over_several_data_lines_is_replaced_in_place() -> None:
    body = b'event: x\ndata: {"user":\ndata:  "alice"}\n\n'
    recorded = interaction(
        answer=body,
        answer_headers=(("content-type", "text/event-stream"),),
        chunks=(Chunk(0, 10), Chunk(1, len(body) - 10)),
    )
    safe = Scrubber().interaction(recorded).response
    assert safe.body == body.replace(b"alice", b"user_REDACTED_1")


def test_what_was_scrubbed_passes_the_scan() -> None:
    recorded = interaction(
        uri=f"https://x/y?api_key={SECRET}",
        headers={"authorization": f"Bearer {SECRET}"},
        body={"messages": [{"content": f"my key is {SECRET} or sk-proj-4fKx0Zt7Qm2Lw9Rb3Nc8"}]},
        answer=json.dumps({"error": {"message": f"bad key {SECRET}"}}).encode(),
        answer_headers=(("content-type", "application/json"), ("set-cookie", f"s={SECRET}")),
    )
    tape = cassette(recorded, path=Path("x.yaml"))
    assert len(scan_cassette(tape, [SECRET])) >= 5
    safe = cassette(Scrubber([SECRET]).interaction(recorded), path=Path("x.yaml"))
    assert scan_cassette(safe, [SECRET]) == []
    assert SECRET not in repr(safe)


def test_a_compressed_stream_is_scrubbed_plain_in_the_chunks_that_a_client_can_read() -> None:
    events = [b"data: one\n\n", f"data: {SECRET}\n\n".encode(), b"data: [DONE]\n\n"]
    packer = zlib.compressobj(wbits=31)
    sent = [packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH) for event in events]
    # The head of gzip and its last bytes give nothing to read.
    sent = [sent[0][:5], sent[0][5:], *sent[1:], packer.flush()]
    recorded = interaction(
        answer=b"".join(sent),
        answer_headers=(("Content-Type", "text/event-stream"), ("Content-Encoding", "gzip")),
        chunks=tuple(Chunk(float(n), len(piece)) for n, piece in enumerate(sent)),
    )
    safe = Scrubber([SECRET]).interaction(recorded).response
    assert safe.body == b"data: one\n\ndata: key_REDACTED_1\n\ndata: [DONE]\n\n"
    assert safe.headers == (("content-type", "text/event-stream"),)
    assert safe.wire.chunks == (Chunk(1.0, 11), Chunk(2.0, 22), Chunk(3.0, 14))
    assert safe.wire.recorded["decoded"] == "gzip"
    assert safe.wire.redacted == ("response.body",)


def test_a_compressed_body_without_a_secret_stays_as_it_was_sent() -> None:
    body = gzip.compress(b'{"a":') + gzip.compress(b"1}")
    headers = (("content-encoding", "gzip"),)
    recorded = interaction(answer=body, answer_headers=headers)
    assert Scrubber([SECRET]).interaction(recorded).response == recorded.response


def test_a_secret_in_a_later_gzip_member_is_replaced() -> None:
    body = gzip.compress(b'{"a":"') + gzip.compress(f'{SECRET}"}}'.encode())
    recorded = interaction(answer=body, answer_headers=(("content-encoding", "gzip"),))
    assert Scrubber([SECRET]).interaction(recorded).response.body == b'{"a":"key_REDACTED_1"}'


def test_codings_named_in_two_headers_are_both_undone() -> None:
    recorded = interaction(
        answer=gzip.compress(zlib.compress(SECRET.encode())),
        answer_headers=(("content-encoding", "deflate"), ("content-encoding", "gzip")),
    )
    safe = Scrubber([SECRET]).interaction(recorded).response
    assert (safe.body, safe.headers) == (b"key_REDACTED_1", ())


def test_what_is_allowed_stays() -> None:
    key = "sk-" + "proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1"
    body = {"api_key": "plain value", "messages": [{"content": f"is {key}"}]}
    recorded = interaction(body=body)
    kept = Scrubber(allowed=[key, "plain value"]).interaction(recorded)
    assert kept.request == recorded.request
    assert scan_cassette(cassette(kept), allowed=[key, "plain value"]) == []
    assert {hit.mark for hit in scan_cassette(cassette(kept))} == {mark(key), mark("plain value")}
    assert lines("# a\n\n b \nc") == ["b", "c"]


def test_a_value_that_has_a_secret_in_it_is_replaced_as_a_whole() -> None:
    key = "sk-" + "proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1"
    body = {"messages": key, "api_key": f"my {key} !", "user": f"bob {key}", "pin": 1234567}
    body |= {"client_id": "c", "z": f"and {key}"}
    safe = json.loads(Scrubber().interaction(interaction(body=body)).request.body)
    assert safe["messages"] == "key_REDACTED_1"
    assert (safe["api_key"], safe["user"]) == ("key_REDACTED_2", "key_REDACTED_3")
    assert safe["z"] == "and key_REDACTED_1"
    assert safe["pin"] != 1234567
    assert isinstance(safe["pin"], int)


def test_digits_in_a_text_become_words() -> None:
    safe = Scrubber(["1234567890123"]).interaction(interaction(body={"a": "is 1234567890123"}))
    assert json.loads(safe.request.body) == {"a": "is key_REDACTED_1"}


def test_a_span_that_reaches_over_a_value_is_replaced_with_it() -> None:
    body = b'{"api_key": "abc", "b": "def"}'
    found = Interaction(replace(interaction().request, body=body), interaction().response)
    known = '": "abc", "b'
    safe = Scrubber([known]).interaction(found).request.body
    assert b"abc" not in safe
