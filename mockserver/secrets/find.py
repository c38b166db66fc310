"""Find secrets in text: known values in every encoding, and what looks like a credential.

Text represents bytes here, one character per byte (latin-1), so that offsets are byte offsets.
Encoded text is decoded and searched again, to a fixed depth.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, quote_plus

from mockserver.wire.content_coding import inflate

#: Shorter values would match ordinary text.
SHORTEST = 6

#: How many encodings may be nested.
DEPTH = 3

_B64 = r"A-Za-z0-9_\-"


@dataclass(frozen=True)
class CredentialPattern:
    """A kind of credential: each contains one of ``markers``; ``pattern`` matches all of it."""

    kind: str
    markers: tuple[str, ...]
    pattern: re.Pattern[str]


def _credential(kind: str, markers: str, pattern: str) -> CredentialPattern:
    return CredentialPattern(kind, tuple(markers.split()), re.compile(pattern))


#: A key that its issuer has masked; recordings lose the rest of it, too.
MASKED = "a masked key"

#: Credentials by their syntax, as their issuers document it.
CREDENTIALS = (
    _credential("a key (sk-…)", "sk-", rf"(?<![{_B64}])sk-(?=[A-Za-z_\-]*[0-9])[{_B64}]{{16,}}"),
    _credential(
        MASKED, "sk-", rf"(?<![{_B64}])sk-[{_B64}]*(?:\*{{3,}}|\xe2\x80\xa6|\.{{3}})[{_B64}]+"
    ),
    _credential("a Google API key", "AIza", rf"AIza[{_B64}]{{30,}}"),
    _credential("a Google token", "ya29.", rf"\bya29\.[{_B64}.]{{16,}}"),
    _credential("a Google client secret", "GOCSPX-", rf"\bGOCSPX-[{_B64}]{{20,}}"),
    _credential("an AWS key", "AKIA ASIA", r"(?<![A-Z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Z0-9])"),
    _credential(
        "a GitHub token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
    ),
    _credential("a Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,}"),
    _credential(
        "a provider's key",
        "gsk_ xai- pplx- nvapi- r8_ fw_ csk-",
        rf"\b(?:gsk_|xai-|pplx-|nvapi-|r8_|fw_|csk-)(?=[A-Za-z_\-]*[0-9])[{_B64}]{{20,}}",
    ),
    _credential("a Slack token", "xox", r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    _credential("a Stripe key", "k_live_", r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    _credential("a JSON web token", "eyJ", rf"\beyJ[{_B64}]{{8,}}\.eyJ[{_B64}]{{8,}}\.[{_B64}]*"),
    _credential(
        "a private key",
        "-----BEGIN",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"
        r"(?:(?!-----END)(?:[A-Za-z0-9+/= \t]|\r?\n(?!\r?\n)|(?:\\+[rn])))*"
        r"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----)?",
    ),
    _credential(
        "a bearer token",
        "earer",
        rf"(?<=[Bb]earer )(?=[A-Za-z._~+/\-]*[0-9])[{_B64}.~+/]{{20,}}=*",
    ),
    _credential(
        "a cookie",
        "ookie __Secure- __Host-",
        r"(?:(?<=[Cc]ookie: )|(?<=[Cc]ookie:)|(?<=[Cc]ookie', b')|(?<=[Cc]ookie', '))"
        r"[!#-+\-.0-9A-Z^-z|~]+=[^\s;,'\"\\]{8,}|\b__(?:Secure|Host)-[\w.-]+=[^\s;,'\"\\]+",
    ),
)

_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{20,}")
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))")


@dataclass(frozen=True, slots=True)
class SecretSpan:
    """Kind and position of a secret in a text, without the secret itself."""

    kind: str
    start: int
    stop: int


@dataclass(frozen=True)
class Known:
    """Secrets whose values are known, such as the key that was sent."""

    values: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Iterable[str]) -> Known:
        """Take the values that are long enough to differ from ordinary text."""
        return cls(frozenset(v for v in values if len(v) >= SHORTEST))

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """Matches any of the values in any encoding."""
        forms = {form for value in self.values for form in _encodings(value)}
        if not forms:
            return None
        return re.compile("|".join(re.escape(f) for f in sorted(forms, key=len, reverse=True)))


NOTHING_KNOWN = Known()


def find(text: str, known: Known = NOTHING_KNOWN, *, depth: int = DEPTH) -> Iterator[SecretSpan]:
    """Yield the secrets in ``text``; they may overlap.

    The span of an encoded secret is the whole run of characters that encodes it.
    """
    if known.pattern is not None:
        for match in known.pattern.finditer(text):
            yield SecretSpan("a known secret", match.start(), match.end())
    for credential in CREDENTIALS:
        if any(marker in text for marker in credential.markers):
            for match in credential.pattern.finditer(text):
                yield SecretSpan(credential.kind, match.start(), match.end())
    if depth:
        yield from _encoded(text, known, depth - 1)


def mask(text: str, known: Known = NOTHING_KNOWN, placeholder: str = "REDACTED") -> str:
    """Return ``text`` for people, such as an error message, with every secret replaced."""
    text = text.encode().decode("latin-1")
    parts, end = [], 0
    for found in merge_spans(find(text, known)):
        parts += [text[end : found.start], placeholder]
        end = found.stop
    return "".join((*parts, text[end:])).encode("latin-1").decode(errors="replace")


def merge_spans(spans: Iterable[SecretSpan]) -> list[SecretSpan]:
    """Return the spans in order, with overlapping ones merged."""
    out: list[SecretSpan] = []
    for found in sorted(spans, key=lambda f: (f.start, -f.stop)):
        if out and found.start < out[-1].stop:
            out[-1] = SecretSpan(out[-1].kind, out[-1].start, max(out[-1].stop, found.stop))
        else:
            out.append(found)
    return out


def _encoded(text: str, known: Known, depth: int) -> Iterator[SecretSpan]:
    for match in _BASE64_RUN.finditer(text):
        kinds = (_in_bytes(data, known, depth) for data in _base64_readings(match.group()))
        kind = next((k for k in kinds if k is not None), None)
        if kind is not None:
            yield SecretSpan(f"{kind}, in base64", match.start(), match.end())
    for escape, how in ((_PERCENT, "percent-encoded"), (_ESCAPE, "in JSON escapes")):
        if escape.search(text):
            view = _View(escape, text)
            for found in find(view.text, known, depth=depth):
                start, stop = view.offset(found.start), view.offset(found.stop)
                yield SecretSpan(f"{found.kind}, {how}", start, stop)


def _in_bytes(data: bytes, known: Known, depth: int) -> str | None:
    try:
        data.decode()
    except UnicodeDecodeError:
        # An image, or a wrong start of base64: neither has text encoded inside.
        depth = 0
    return next((f.kind for f in find(data.decode("latin-1"), known, depth=depth)), None)


class _View:
    """A text without its escapes, and the original offset of each character."""

    def __init__(self, escape: re.Pattern[str], text: str) -> None:
        parts: list[str] = []
        self._ends, self._offsets = [0], [0]
        length = end = 0
        for match in escape.finditer(text):
            parts += [text[end : match.start()], _character(match)]
            length += match.start() - end + 1
            end = match.end()
            self._ends.append(length)
            self._offsets.append(end)
        self.text = "".join((*parts, text[end:]))

    def offset(self, position: int) -> int:
        """Return the offset in the text with escapes."""
        nearest = bisect_right(self._ends, position) - 1
        return self._offsets[nearest] + position - self._ends[nearest]


def _character(match: re.Match[str]) -> str:
    if match[1] is None:
        plain: str = match[2]
        return " " if plain in "nrtbf" else plain
    # Secrets have single bytes only; anything above becomes one character, too.
    return chr(min(int(match[1], 16), 0xFF))


def _base64_readings(run: str) -> Iterator[bytes]:
    """Yield what a run of base64 may decode to; the code may begin within the run."""
    digits = run.translate(_URL_SAFE)
    for start in range(4):
        part = digits[start:]
        if len(part) % 4 == 1:
            part = part[:-1]
        yield inflate(base64.b64decode(part + "=" * (-len(part) % 4)))


_URL_SAFE = str.maketrans("-_", "+/")


def _encodings(value: str) -> Iterator[str]:
    raw = value.encode()
    plain = raw.decode("latin-1")
    yield plain
    yield json.dumps(value)[1:-1]
    yield json.dumps(value)[1:-1].replace("/", "\\/")
    for quoted in (quote(value, safe=""), quote_plus(value), quote(value)):
        yield quoted
        yield re.sub("%..", lambda m: m.group().lower(), quoted)
    yield raw.hex()
    yield raw.hex().upper()
    for codec in ("utf-16-le", "utf-16-be"):
        yield value.encode(codec).decode("latin-1")
