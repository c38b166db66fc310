"""A key in pieces: however it is split, none of it may reach a disk."""

from __future__ import annotations

import base64
import json
import os
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.cassettes import writer
from mockserver.cassettes.cassette import Chunk, Interaction, Request, Response, Wire
from mockserver.secrets import placeholder
from mockserver.secrets.scan import scan_cassette
from mockserver.secrets.scrub import Scrubber, SplitSecretError
from tests.mockserver.rawhttp import CHAT, cassette

#: A thorough search takes more, such as 2000.
EXAMPLES = int(os.environ.get("TAPECHECK_EXAMPLES", "30"))
ALNUM = string.ascii_letters + string.digits
JSON, NDJSON, SSE = "application/json", "application/x-ndjson", "text/event-stream"


@dataclass(frozen=True)
class Dialect:
    """How a server sends a text piece by piece; ``{}`` marks a piece, in JSON."""

    kind: str
    event: str
    name: str
    first: str = ""
    join: str = ""

    def body(self, pieces: Sequence[str]) -> bytes:
        events = [self.event.replace("{}", piece) for piece in pieces]
        if self.first and events:
            events[0] = self.first.replace("{}", pieces[0])
        return (f"[{','.join(events)}]" if self.kind == JSON else "".join(events)).encode()


def sse(data: str, event: str = "") -> str:
    return (f"event: {event}\n" if event else "") + f"data: {data}\n\n"


def chat(delta: str) -> str:
    return sse(f'{{"id":"c1","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}')


def responses(name: str) -> Dialect:
    kind = f"response.{name}.delta"
    data = f'{{"type":"{kind}","item_id":"i1","output_index":0,"content_index":0,"delta":"{{}}"}}'
    return Dialect(SSE, sse(data, kind), "delta")


def messages(kind: str, name: str, block: str = "") -> Dialect:
    delta = '{"type":"content_block_delta","index":1,"delta":{"type":"%s","%s":"{}"}}'
    first = ""
    if block:
        data = '{"type":"content_block_start","index":1,"content_block":{"type":"%s","%s":"{}"}}'
        first = sse(data % (block, name), "content_block_start")
    return Dialect(SSE, sse(delta % (kind, name), "content_block_delta"), name, first)


GEMINI = '{"candidates":[{"content":{"parts":[%s],"role":"model"},"index":0}]}'
TOOL = '{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}'
DIALECTS = {
    "chat": Dialect(SSE, chat('{"content":"{}"}'), "content"),
    "chat, reasoning": Dialect(SSE, chat('{"reasoning_content":"{}"}'), "reasoning_content"),
    "chat, arguments": Dialect(SSE, chat(TOOL), "arguments"),
    "chat, the type where calls begin": Dialect(
        SSE,
        chat(TOOL),
        "arguments",
        chat(TOOL.replace('"index":0', '"index":0,"type":"function"')),
    ),
    "chat, without a content type": Dialect("", chat('{"content":"{}"}'), "content"),
    "chat, with a wrong content type": Dialect("text/plain", chat('{"content":"{}"}'), "content"),
    "completions": Dialect(SSE, sse('{"choices":[{"index":0,"text":"{}"}]}'), "text"),
    "responses": responses("output_text"),
    "responses, reasoning": responses("reasoning_summary_text"),
    "responses, arguments": responses("function_call_arguments"),
    "messages": messages("text_delta", "text"),
    "messages, first piece in the start": messages("text_delta", "text", "text"),
    "messages, thinking": messages("thinking_delta", "thinking"),
    "messages, input": messages("input_json_delta", "partial_json"),
    "gemini": Dialect(SSE, sse(GEMINI % '{"text":"{}"}'), "text"),
    "gemini, thoughts": Dialect(SSE, sse(GEMINI % '{"text":"{}","thought":true}'), "text"),
    "gemini, an array": Dialect(JSON, GEMINI % '{"text":"{}"}', "text"),
    "ollama": Dialect(NDJSON, '{"message":{"content":"{}"},"done":false}\n', "content"),
    "ollama, thinking": Dialect(NDJSON, '{"message":{"thinking":"{}"}}\n', "thinking"),
    "ollama, generate": Dialect(NDJSON, '{"response":"{}","done":false}\n', "response"),
    "ollama, wrong content type": Dialect(JSON, '{"response":"{}","done":false}\n', "response"),
    "logprobs": Dialect(JSON, '{"logprobs":[{"token":"{}"}]}', "token"),
}


def random_part(low: int, high: int, alphabet: str = ALNUM) -> st.SearchStrategy[str]:
    letters = st.text(alphabet, min_size=low, max_size=high)
    return letters.filter(lambda s: any(c in string.digits for c in s))


def key(form: str, low: int, high: int, alphabet: str = ALNUM) -> st.SearchStrategy[Key]:
    return random_part(low, high, alphabet).map(lambda part: Key(form.replace("*", part), (part,)))


@dataclass(frozen=True)
class Key:
    text: str
    parts: tuple[str, ...]
    known: bool = False

    def runs(self) -> list[str]:
        return [p[i : i + 8] for p in self.parts for i in range(len(p) - 7)]


UPPER = string.ascii_uppercase + string.digits
PEM = "-----BEGIN PRIVATE KEY-----\n{}\n{}\n-----END PRIVATE KEY-----"
KEYS: dict[str, st.SearchStrategy[Key]] = {
    "OpenAI": key("sk-proj-*", 16, 60),
    "plain sk": key("sk-*", 16, 48),
    "Anthropic": key("sk-ant-api03-*", 16, 60, f"{ALNUM}_-"),
    "Google": key("AIzaSy*", 33, 33),
    "Google token": key("ya29.a0*", 20, 60),
    "Google client": key("GOCSPX-*", 28, 28),
    "AWS": key("AKIA*", 16, 16, UPPER),
    "GitHub": key("ghp_*", 36, 40),
    "Hugging Face": key("hf_*", 34, 34),
    "Groq": key("gsk_*", 40, 52),
    "xAI": key("xai-*", 40, 52),
    "Slack": key("xoxb-123456789012-*", 16, 24),
    "Stripe": key("sk_live_*", 24, 24),
    "bearer": key("Authorization: Bearer *", 24, 40),
    "cookie": key("Set-Cookie: session=*", 16, 40),
    "token": st.tuples(*[random_part(16, 40)] * 3).map(
        lambda p: Key(f"eyJ{p[0]}.eyJ{p[1]}.{p[2]}", p)
    ),
    "PEM": st.tuples(*[random_part(32, 64, f"{ALNUM}+/")] * 2).map(
        lambda p: Key(PEM.format(*p), p)
    ),
    "base64": random_part(24, 40).map(
        lambda p: Key(base64.b64encode(f"sk-proj-{p}".encode()).decode(), (p,))
    ),
    "known": random_part(12, 40).map(lambda p: Key(p, (p,), known=True)),
    "known, with signs": random_part(12, 40, f'{ALNUM}+/="&').map(
        lambda p: Key(p, (p,), known=True)
    ),
}


ANY_KEY = st.sampled_from(sorted(KEYS)).flatmap(KEYS.__getitem__)


def plainly(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in text)


def mixed(text: str) -> str:
    return "".join(escaped(c) if n % 3 == 1 else plainly(c) for n, c in enumerate(text))


ESCAPES: list[Callable[[str], str]] = [plainly, escaped, mixed]


@st.composite
def cut(draw: st.DrawFn, text: str, most: int = 6) -> list[str]:
    bounds = draw(st.lists(st.integers(0, len(text)), max_size=most - 1))
    ends = [0, *sorted(bounds), len(text)]
    return [text[a:b] for a, b in pairwise(ends)]


def answer(body: bytes, content_type: str, chunks: tuple[Chunk, ...] | None = None) -> Interaction:
    headers = (("content-type", content_type),) if content_type else ()
    return Interaction(
        Request(method="POST", uri=f"https://api.example.com{CHAT}", body=b"{}"),
        Response(status=200, reason="OK", headers=headers, body=body, wire=Wire(chunks=chunks)),
    )


def kept(interaction: Interaction, known: Sequence[str] = ()) -> Interaction | None:
    """Return what would be written; ``None`` if nothing would be."""
    try:
        safe = Scrubber(known).interaction(interaction)
    except SplitSecretError:
        return None
    return None if scan_cassette(cassette(safe), known) else safe


def readings(interaction: Interaction, name: str) -> list[str]:
    """Return what a reader of the file can see, by simpler means than those of the scan."""
    text = interaction.response.body.decode()
    one_line = text.replace("\ndata: ", "")
    found = [writer.dump(cassette(interaction, path=Path("x.yaml"))).decode()]
    for body_text in (text, one_line):
        pieces = re.findall(rf'"{name}":"((?:[^"\\]|\\.)*)"', body_text)
        for joined in (body_text, "".join(pieces)):
            found += [joined, re.sub(r"\\u(....)", lambda m: chr(int(m[1], 16)), joined)]
    for run in re.findall(r"[A-Za-z0-9+/]{12,}", "".join(found)):
        found += [
            base64.b64decode(run[s:][: (len(run) - s) // 4 * 4]).decode("latin-1") for s in range(4)
        ]
    return [*found, *map(unquote, found)]


def leaves_no_trace(secret: Key, interaction: Interaction, name: str) -> bool:
    safe = kept(interaction, [secret.parts[0]] if secret.known else [])
    if safe is None:
        return True
    found = readings(safe, name)
    return not any(run in text for run in secret.runs() for text in found)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=EXAMPLES)
@given(st.data())
def test_a_key_over_deltas_leaves_no_trace(dialect: str, data: st.DataObject) -> None:
    secret, style = data.draw(ANY_KEY), DIALECTS[dialect]
    before = data.draw(st.sampled_from(["", "It is ", "key=", '{"key": "']))
    behind = data.draw(st.sampled_from(["", " ok?", ".", '"}']))
    pieces = data.draw(cut(before + secret.text + behind))
    escape = data.draw(st.sampled_from(ESCAPES))
    body = style.body([escape(piece) for piece in pieces])
    assert leaves_no_trace(secret, answer(body, style.kind), style.name)


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages", "gemini"])
@settings(max_examples=EXAMPLES)
@given(st.data())
def test_a_key_over_data_lines_leaves_no_trace(dialect: str, data: st.DataObject) -> None:
    secret, style = data.draw(ANY_KEY), DIALECTS[dialect]
    pieces = data.draw(cut(f"It is {secret.text}", 3))
    lines = ["\ndata: ".join(data.draw(cut(plainly(piece), 3))) for piece in pieces]
    assert leaves_no_trace(secret, answer(style.body(lines), style.kind), style.name)


@settings(max_examples=4 * EXAMPLES)
@given(st.data())
def test_a_key_over_plain_events_leaves_no_trace(data: st.DataObject) -> None:
    secret = data.draw(ANY_KEY.filter(lambda k: "\n" not in k.text))
    pieces = data.draw(cut(f"It is {secret.text}", 4))
    glue = data.draw(st.sampled_from(["\ndata: ", "\n\ndata: "]))
    body = f"data: {glue.join(pieces)}\n\n".encode()
    interaction = answer(body, SSE)
    assert leaves_no_trace(secret, interaction, "none")
    safe = kept(interaction, [secret.parts[0]] if secret.known else [])
    if safe is not None:
        body_text = re.sub(r"\n+data: ", "", safe.response.body.decode())
        assert not any(run in body_text for run in secret.runs())


@settings(max_examples=4 * EXAMPLES)
@given(st.data())
def test_a_key_over_chunks_is_replaced_and_the_chunks_add_up(data: st.DataObject) -> None:
    secret, escape = data.draw(ANY_KEY), data.draw(st.sampled_from(ESCAPES))
    body = DIALECTS["chat"].body([escape(f"It is {secret.text} "), "Why?"])
    pieces = [p for p in data.draw(cut(body.decode(), 8)) if p]
    chunks = tuple(Chunk(float(n), len(piece.encode())) for n, piece in enumerate(pieces))
    interaction = answer(body, SSE, chunks)
    safe = kept(interaction, [secret.parts[0]] if secret.known else [])
    assert safe is not None
    assert sum(c.length for c in safe.response.wire.chunks or ()) == len(safe.response.body)
    assert ("key", 1) in placeholder.numbered(safe.response.body.decode())
    assert leaves_no_trace(secret, interaction, "content")


BEGIN = "sk-proj-4fKx0Zt7Qm2Lw9Rb"


@pytest.mark.parametrize(
    ("pieces", "written"),
    [
        (["It is ", BEGIN, "3Nc8Vd5Ye1"], False),
        (["It is ", BEGIN, "", "3"], False),
        (["in base64: ", "c2stcHJvai00Zkt4MFp0N1FtMkx3OVJi", "M05jOFZk"], False),
        # A word ends where the key begins, so only what follows the placeholder shows it.
        (["the key", BEGIN, "3Nc8Vd5Ye1"], False),
        (["the key", BEGIN, "", "3Nc8Vd5Ye1"], False),
        (["It is ", BEGIN, " and more"], True),
        (["It is ", BEGIN, " ", "3Nc8Vd5Ye1"], True),
        ([f"It is {BEGIN}"], True),
        (["my key_REDACTED_1", " was replaced"], True),
    ],
)
def test_a_key_may_be_alone_but_not_continue(pieces: list[str], written: bool) -> None:
    found = kept(answer(DIALECTS["chat"].body(pieces), SSE))
    assert (found is not None) is written


def test_the_texts_of_one_answer_are_pieces_and_those_of_a_question_are_not() -> None:
    body = json.dumps({"tokens": [{"token": BEGIN[:9]}, {"token": BEGIN[9:]}]}).encode()
    recorded = answer(body, JSON)
    with pytest.raises(SplitSecretError, match=r"response\.body, joined from the deltas at"):
        Scrubber().interaction(recorded)
    asked = replace(recorded.request, headers=(("content-type", JSON),), body=body)
    assert Scrubber().interaction(replace(answer(b"{}", JSON), request=asked)).request.body == body


def test_concurrent_items_are_joined_separately() -> None:
    event = '{"type":"response.function_call_arguments.delta","item_id":"%s","delta":"%s"}'
    cut_up = zip([BEGIN[:9], BEGIN[9:]], ["and ", "so on"], strict=True)
    events = [sse(event % pair) for a, b in cut_up for pair in (("i1", a), ("i2", b))]
    assert kept(answer("".join(events).encode(), SSE)) is None


@pytest.mark.parametrize("kind", [["a"], {"b": 1}, 1, None, "content_block_x"])
def test_a_type_may_be_anything(kind: object) -> None:
    body = "".join(sse(json.dumps({"type": kind, "delta": p})) for p in (BEGIN[:9], BEGIN[9:]))
    assert kept(answer(body.encode(), SSE)) is None


@pytest.mark.parametrize("depth", [10, 900, 990, 5000])
def test_no_depth_is_too_deep(depth: int) -> None:
    deep = '{"a":' * depth + '"x"' + "}" * depth
    assert kept(answer(deep.encode(), JSON)) is not None
    assert kept(answer(sse(deep).encode() * 2, SSE)) is not None


def test_what_events_repeat_is_not_in_pieces() -> None:
    event = '{"type":"response.%s","response":{"instructions":"The key is %s"}}'
    events = [sse(event % (kind, BEGIN)) for kind in ("created", "in_progress", "completed")]
    assert kept(answer("".join(events).encode(), SSE)) is not None


def test_what_every_event_repeats_is_no_piece() -> None:
    assert kept(answer(DIALECTS["chat"].body([f"the key is {BEGIN}"] * 3), SSE)) is not None
    # Short ones may be.
    assert kept(answer(DIALECTS["chat"].body(["sk-", *["a1b2"] * 8]), SSE)) is None


def test_messages_of_a_request_are_not_pieces() -> None:
    body = json.dumps({"messages": [{"content": f"is it {BEGIN}"}, {"content": "No"}]}).encode()
    asked = Request(method="POST", uri=f"https://api.example.com{CHAT}", body=body)
    found = kept(Interaction(asked, answer(b"{}", JSON).response))
    assert found is not None
    assert json.loads(found.request.body)["messages"][0]["content"] == "is it key_REDACTED_1"
