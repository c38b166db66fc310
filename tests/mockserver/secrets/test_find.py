from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
import zstandard

from mockserver.secrets.find import MASKED, Known, SecretSpan, find, mask, merge_spans

SECRET = 'K3y/with+all "kinds" of=signs'
KNOWN = Known.of([SECRET])


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in text)


def b64(text: str) -> str:
    return b64_of(text.encode())


def b64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def two_members(text: str) -> bytes:
    return gzip.compress(b"a") + gzip.compress(text.encode())


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json": json.dumps,
    "json, slashes escaped": lambda s: json.dumps(s).replace("/", "\\/"),
    "json in json": lambda s: json.dumps(json.dumps(s)),
    "json, every character escaped": escaped,
    "percent": lambda s: quote(s, safe=""),
    "percent, lower case": lambda s: re.sub("%..", lambda m: m[0].lower(), quote(s, safe="")),
    "form": quote_plus,
    "percent twice": lambda s: quote(quote(s, safe=""), safe=""),
    "every character in percent": lambda s: "".join(f"%{ord(c):02x}" for c in s),
    "base64": b64,
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "base64 behind one byte": lambda s: b64("x" + s + "yz"),
    "base64 behind two bytes": lambda s: b64("xy" + s),
    "base64 behind other letters": lambda s: "prefix_" + b64(s),
    "base64 twice": lambda s: b64(b64(s)),
    "base64 in a data URL": lambda s: f"data:text/plain;base64,{b64(s)}",
    "basic credentials": lambda s: f"Basic {b64('user:' + s)}",
    "gzip in base64": lambda s: b64_of(gzip.compress(s.encode())),
    "gzip of two members in base64": lambda s: b64_of(two_members(s)),
    "zstd in base64": lambda s: b64_of(zstandard.ZstdCompressor().compress(s.encode())),
    "hex": lambda s: s.encode().hex(),
    "hex, upper case": lambda s: s.encode().hex().upper(),
    "UTF-16": lambda s: s.encode("utf-16-le").decode("latin-1"),
}


@pytest.mark.parametrize("how", ENCODINGS)
def test_a_known_secret_is_found_in_every_encoding(how: str) -> None:
    text = f'before {ENCODINGS[how](SECRET)} "after"'
    assert list(find(text, KNOWN))
    masked = mask(text, KNOWN)
    assert masked.startswith("before ")
    assert masked.endswith('"after"')
    assert not list(find(masked, KNOWN))


CREDENTIALS = [
    "sk-proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1",
    "sk-ant-api03-Zk3v9QmT1xLw7RbNc8Vd",
    "AIzaSyD4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1abcdef",
    "ya29.a0AfH6SMBx7Qm2Lw9Rb3Nc8Vd5",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "GOCSPX-4fKx0Zt7Qm2Lw9Rb3Nc8Vd",
    *(f"gh{c}_4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1Ag6Hj2Kl0P" for c in "pousr"),
    "github_pat_4fKx0Zt7Qm2Lw9Rb3Nc8Vd",
    "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",
    *(
        f"{provider}4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1"
        for provider in ("gsk_", "xai-", "pplx-", "nvapi-", "r8_", "fw_", "csk-")
    ),
    "xoxb-123456789012-abcdefghij",
    "rk_live_4fKx0Zt7Qm2Lw9Rb",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dozjgNryP4J3jVmNHl0w5N",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nvXc+/=\n-----END RSA PRIVATE KEY-----",
    "Authorization: Bearer 4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1",
    "Set-Cookie: session=4fKx0Zt7Qm2Lw9; Path=/",
    "__Secure-next-auth.session-token=4fKx0Zt7Qm2Lw9",
    "__Host-session=4fKx0Zt7Qm2Lw9",
]


@pytest.mark.parametrize("text", CREDENTIALS)
@pytest.mark.parametrize("how", ["plain", "json", "json in json", "percent", "base64"])
def test_what_looks_like_a_credential_is_found(text: str, how: str) -> None:
    assert list(find(f"say:\n{ENCODINGS[how](text)}"))


@pytest.mark.parametrize("text", CREDENTIALS)
def test_a_line_end_in_json_does_not_hide_a_credential(text: str) -> None:
    assert list(find(json.dumps(f"the key:\n{text}")))


def test_a_key_that_its_issuer_masked_is_a_kind_of_its_own() -> None:
    text = "Incorrect API key provided: sk-proj-********************wxyz."
    assert [f.kind for f in find(text)] == [MASKED]
    assert mask(text) == "Incorrect API key provided: REDACTED."


def test_what_is_found_is_placed() -> None:
    secret = "sk-proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1"
    for text in (f"it is {secret}!", f"it%20is%20{secret}!", f"it\\nis {secret}!"):
        assert {text[f.start : f.stop] for f in find(text)} == {secret}
    coded = b64(f"it is {secret}!").rstrip("=")
    (found,) = find(f"<{coded}>")
    assert (found.start, found.stop) == (1, 1 + len(coded))
    assert found.kind == "a key (sk-…), in base64"


def test_overlapping_spans_are_merged_and_others_are_not() -> None:
    def merge(*places: tuple[int, int]) -> list[tuple[str, int, int]]:
        spans = [SecretSpan(f"{a}-{b}", a, b) for a, b in places]
        return [(f.kind, f.start, f.stop) for f in merge_spans(spans)]

    assert merge((5, 9), (0, 3)) == [("0-3", 0, 3), ("5-9", 5, 9)]
    assert merge((0, 5), (3, 9)) == [("0-5", 0, 9)]
    assert merge((0, 9), (3, 5)) == [("0-9", 0, 9)]
    assert merge((0, 3), (0, 9)) == [("0-9", 0, 9)]
    assert merge((0, 5), (5, 9)) == [("0-5", 0, 5), ("5-9", 5, 9)]


def test_a_secret_is_found_to_a_fixed_depth_of_encodings() -> None:
    def within(layers: int) -> bool:
        text = SECRET
        for _ in range(layers):
            text = b64(text)
        return bool(list(find(text, KNOWN)))

    assert [within(n) for n in range(6)] == [True] * 4 + [False] * 2
    assert not list(find(b64(SECRET), KNOWN, depth=0))


def test_masking_keeps_what_is_not_secret() -> None:
    assert mask(f"café {SECRET} 🎉", KNOWN) == "café REDACTED 🎉"


@pytest.mark.parametrize(
    "text",
    [
        "task-management-for-2024-and-beyond, risk-assessment-1234567890abcdef",
        "sk-learn-contrib-extension-packages",
        "chatcmpl-9x8y7z6w5v4u3t2s1r0q call_4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1 fp_44709d6fcb",
        "resp_68af3b2c1d0e4f5a6b7c8d9e0f1a2b3c msg_01XFDUDYJgAACzvnptvVoYEL",
        "The bearer of this letter; a basic understanding; cookie: a small cake",
        "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
        base64.b64encode(bytes(range(256)) * 40).decode(),
        "https://example.com/a%20b?c=%7B%22d%22%3A1%7D",
        'WWW-Authenticate: Bearer error="invalid_token"',
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert list(find(text)) == []
    assert mask(text) == text


def test_short_values_are_not_taken_for_secrets() -> None:
    assert Known.of(["", "abc", "no", "12345"]).values == frozenset()
    assert Known.of(["123456"]).values == {"123456"}


KEY = "sk-" + "proj-4fKx0Zt7Qm2Lw9Rb3Nc8Vd5Ye1"


def test_base64_in_lines_is_one_text() -> None:
    lines = base64.encodebytes(b"x" * 40 + b" " + KEY.encode() + b" " + b"y" * 90).decode()
    (found,) = find(f"a\n{lines}b")
    assert (found.start, found.kind) == (2, "a key (sk-…), in base64")
    assert list(find(base64.encodebytes(b"x" * 200).decode())) == []


def test_a_key_in_binary_data_is_found_and_an_image_is_passed_over() -> None:
    noise = bytes(range(128, 256)) * 40
    text = (noise + b" " + KEY.encode() + b" " + noise).decode("latin-1")
    assert {text[f.start : f.stop] for f in find(text)} == {KEY}
    assert list(find(noise.decode("latin-1"))) == []


def test_no_token_begins_in_the_middle_of_data() -> None:
    data = base64.b64encode(bytes(range(256)) * 40).decode()
    assert list(find(f"{data}:{data}")) == []
    assert {f.kind for f in find(f"{data}:{KEY}")} == {"a key (sk-…)"}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("use api_key=0123456789abcdef0123456789abcdef here", True),
        ("api_key: 0123456789abcdef0123456789abcdef", True),
        ("password=hunter2secret", True),
        # As the arguments of a tool, which are not touched by name.
        ('{"password": "hunter2secret", "api_key": "0123456789abcdef0123456789abcdef"}', False),
        ("api_key=ffffffffffffffffffffffffffffffff", False),
        ("api_key=your-key-here-0123456789", False),
    ],
)
def test_names_in_texts_count_as_the_document_says(text: str, is_found: bool) -> None:
    assert (mask(text) != text) is is_found
