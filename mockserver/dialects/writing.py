"""What the writers of answers share: cutting a text into deltas, and sending events. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from http import HTTPStatus
from itertools import cycle

from mockserver.cassettes.cassette import Chunk, Headers, Origin, Response, Wire
from mockserver.vocabulary.codec import to_json
from mockserver.vocabulary.model import AssistantTurn, Json

#: What the placeholders of :func:`made_id` stand for.
_ID_ALPHABETS: Mapping[str, str] = {
    "*": string.ascii_letters + string.digits,
    "#": "0123456789abcdef",
}
#: Answers to equal requests have ids that differ in so many characters at the end alone.
OWN = 4
_OWN = re.compile(f"[0-9a-f]{{{OWN}}}")
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
#: Stands for the value in which the events of a :func:`sse_form` differ.
HOLE = "\0hole"
_HOLE = json.dumps(HOLE).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a written answer is cut, and when its pieces are sent.

    ``size`` is the number of characters of a delta; 0 sends each text in one. With ``words`` a
    delta is so many characters of one word, with the white space before it. The headers and the
    first piece are due ``first_ms`` after the request, each later piece ``each_ms`` after the one
    before. With ``jitter``, a share of 0 to 1, each of these waits is up to that much shorter or
    longer; which, ``seed`` decides. ``sizes`` take the place of ``size``: the numbers of characters
    of the deltas, in turn, of which 0 is an empty delta; one of them at least is above 0.
    """

    size: int = 8
    words: bool = False
    first_ms: float = 0.0
    each_ms: float = 0.0
    jitter: float = 0.0
    seed: int = 0
    sizes: tuple[int, ...] = ()

    def times(self, count: int) -> list[float]:
        """Return when each of so many pieces is due, in milliseconds; the headers with the first.

        There is at least one time, as there are headers.
        """
        at, found = self.first_ms * self._swayed(0), []
        for number in range(max(count, 1)):
            at += self.each_ms * self._swayed(number) if number else 0.0
            found.append(at)
        return found

    def _swayed(self, number: int) -> float:
        if not self.jitter:
            return 1.0
        drawn = int(digest("jitter", self.seed, number, length=8), 16) / 2**32
        return 1.0 + self.jitter * (2 * drawn - 1)


def deltas(text: str, pace: Pace) -> list[str]:
    """Cut a text between its code points; an empty text has no deltas."""
    if pace.sizes:
        return list(_in_turn(text, pace.sizes))
    size = pace.size or max(len(text), 1)
    if pace.words:
        return _words(size).findall(text)
    return [text[start : start + size] for start in range(0, len(text), size)]


def _in_turn(text: str, sizes: Sequence[int]) -> Iterator[str]:
    start = 0
    for size in cycle(sizes):
        if start >= len(text):
            return
        yield text[start : start + size]
        start += size


@cache
def _words(size: int) -> re.Pattern[str]:
    return re.compile(rf"\s*\S{{1,{size}}}|\s+")


def compact(value: Json) -> str:
    """Return JSON text as providers send it: no spaces, characters as they are.

    A lone surrogate, which UTF-8 cannot carry, is escaped.
    """
    text = _ENCODER.encode(value)
    if text.isascii():
        return text
    return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text)


def digest(*things: object, length: int) -> str:
    """Return ``length`` hex digits that depend on the things alone, for ids that a turn lacks.

    Things are JSON values, or objects of the vocabulary.
    """
    text = compact([to_json(thing) for thing in things])
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def made_id(form: str, *things: object, of: str = "") -> str:
    """Return an id of a form that depends on the things alone.

    In the form, of 64 characters at most, ``*`` stands for a letter or a digit and ``#`` for a hex
    digit; everything else is itself. ``of`` is another id that it goes with: the :data:`OWN`
    characters at its end, if they are hex digits, are those of the new one too, which depends on
    nothing else of them.
    """
    own = of[-OWN:]
    if not of:
        return _filled(form, *things)
    if not _OWN.fullmatch(own) or not set(form[-OWN:]) <= _ID_ALPHABETS.keys():
        return _filled(form, *things, of)
    return _filled(form[:-OWN], *things, of[:-OWN]) + own


def id_beside(form: str, turn: AssistantTurn, *things: object) -> str:
    """Return an id of a form for the answer that says a turn, beside the id of the turn itself."""
    if turn.response_id:
        return made_id(form, *things, of=turn.response_id)
    return made_id(form, *things, turn)


def _filled(form: str, *things: object) -> str:
    text = compact([to_json(thing) for thing in things])
    numbers = hashlib.sha512(text.encode()).digest()
    made = []
    for character, number in zip(form, numbers, strict=False):
        alphabet = _ID_ALPHABETS.get(character)
        made.append(alphabet[number % len(alphabet)] if alphabet else character)
    return "".join(made)


def made_seal(prefix: str, *things: object) -> str:
    """Return a proof of reasoning that depends on the things alone: base64 behind a prefix.

    It has letters and digits alone, because some SDKs read it as bytes and write it in the other
    alphabet of base64.
    """
    # A multiple of three, so that there is no padding.
    digits = digest("proof", *things, length=63) + digest("more", *things, length=63)
    return prefix + base64.b64encode(digits.encode()).decode()


def sse_event(data: Json, event: str | None = None) -> bytes:
    """Return one event of an event stream. A ``str`` is sent as it is, anything else as JSON."""
    text = data if isinstance(data, str) else compact(data)
    name = "" if event is None else f"event: {event}\n"
    return f"{name}data: {text}\n\n".encode()


def sse_form(data: Json, event: str | None = None) -> Callable[[Json], bytes]:
    """Return what makes events that have a value in the place of the last :data:`HOLE` of ``data``.

    They are those of :func:`sse_event`, in a fraction of the time.
    """
    before, _, after = sse_event(data, event).rpartition(_HOLE)
    return lambda value: before + compact(value).encode() + after


def streamed(
    pieces: Iterable[bytes],
    pace: Pace,
    *,
    content_type: str = "text/event-stream; charset=utf-8",
    headers: Headers = (),
) -> Response:
    """Make a streamed answer: each piece is one chunk."""
    sent = [piece for piece in pieces if piece]
    times = pace.times(len(sent))
    chunks = tuple(Chunk(at, len(piece)) for at, piece in zip(times, sent, strict=False))
    return Response(
        status=200,
        reason="OK",
        headers=(("content-type", content_type), *headers),
        body=b"".join(sent),
        wire=Wire(
            headers_ms=times[0],
            chunks=chunks,
            end_ms=times[-1],
            origin=Origin.AUTHORED,
        ),
    )


def whole(
    value: Json,
    *,
    status: int = 200,
    headers: Headers = (),
    pace: Pace | None = None,
) -> Response:
    """Make an answer of one JSON value. With ``pace`` it is due after ``first_ms``."""
    first = pace.times(1)[0] if pace else 0.0
    return Response(
        status=status,
        reason=_reason(status),
        headers=(("content-type", "application/json"), *headers),
        body=compact(value).encode(),
        wire=Wire(headers_ms=first, end_ms=first, origin=Origin.AUTHORED),
    )


def with_status(response: Response, status: int) -> Response:
    """Return an answer with another status."""
    if response.status == status:
        return response
    return replace(response, status=status, reason=_reason(status))


def retry_after(seconds: float | None) -> Headers:
    """Return the header that names a wait; none for ``None``."""
    return () if seconds is None else (("retry-after", f"{seconds:g}"),)


def text_of(content: Json) -> str:
    """Return the text of a message's content: a string, or parts of which texts count."""
    if isinstance(content, str):
        return content
    parts = [p for p in content if isinstance(p, dict)] if isinstance(content, list) else []
    return "".join(p["text"] for p in parts if isinstance(p.get("text"), str))


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
