"""What an error on the wire says: its status, codes, message and defensible families. Pure.

The families are broad, so that no careful client is blamed: a code, a status or a word of the
message may each be what it goes by. They are those of ``harness.judge.terms``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mockserver.errors import CodingError
from mockserver.vocabulary.model import Json
from mockserver.wire.schedule import Schedule

#: Families by HTTP status. Other statuses: by their first digit.
_BY_STATUS: Mapping[int, str] = {
    400: "request",
    401: "auth",
    402: "request rate",
    403: "auth request",
    404: "request",
    408: "server transport",
    409: "request server rate",
    413: "request",
    422: "request",
    429: "rate",
    498: "rate server",
    499: "request transport",
    503: "server rate transport",
    529: "server rate",
}
_BY_DIGIT = {4: "request", 5: "server transport"}
#: Statuses that say it all: the message adds nothing, but a code may.
_CLEAR = frozenset({401, 402, 429})
#: Families by words of codes and messages.
_BY_WORD: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (family, re.compile(pattern, re.I | re.S))
    for family, pattern in {
        "auth": r"api.?key|authenti|authoriz|credential|signature|permission|forbidden|denied"
        r"|token_expired|expired.?token|not.?allowed|unsupported_country",
        "request": r"invalid|bad.?request|context|not.?found|not.?exist|unsupported|unknown_param"
        r"|moderat|filter|policy|polic|flagged|inspection|inappropriate|sensitive|quota|balance"
        r"|billing|credit|payment|arrear|too.?(long|large)|length|missing|validation|permission"
        r"|usage_|tool_use_failed|out_of_range|precondition|tokens? (count.*)?exceed",
        "rate": r"rate.?limit|too.?many|throttl|quota|overload|capacity|busy|limit.?reached"
        r"|usage_limit|exhausted|unavailable|slow_down|balance|billing|credit|arrear"
        r"|insufficient|tokens per|requests per|not_?ready|usage_",
        "server": r"server|internal|unavailable|overload|time.?out|timed.?out|deadline|upstream"
        r"|temporar|api_error|system_?error|stream|capacity|busy|insufficient_system|not_?ready",
        "transport": r"time.?out|timed.?out|deadline|connection|disconnect|upstream|stream"
        r"|cancel",
        "protocol": r"tool_use_failed|stream",
    }.items()
)
#: MiniMax's numbers, which mean other things elsewhere.
_MINIMAX: Mapping[str, str] = {
    "1000": "server",
    "1001": "server transport",
    "1002": "rate",
    "1004": "auth",
    "1008": "request rate",
    "1026": "request",
    "1027": "request",
    "1039": "rate",
    "1041": "rate",
    "1042": "request",
    "2013": "request",
    "2045": "rate",
    "2049": "auth",
    "2056": "request rate",
}
_CODES = ("code", "status", "status_code", "type", "__type", "error_type", "reason")
_MESSAGES = ("message", "Message", "error_message", "msg", "status_msg")
_NESTED = ("error", "innererror", "detail", "errors", "base_resp", "metadata", "details", "raw")
_NO_CODE = re.compile("|ok|success|none|null|error", re.I)
#: How deep an error is read, and how many characters of it are searched for words.
_DEEPEST = 20
_SEARCHED = 20_000
_STATUS = re.compile(r"[1-5]\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error on the wire.

    ``codes`` are all values that a client may give as the provider's code. ``message`` is the
    provider's own text, if there is exactly one. ``families`` are those that a client may choose;
    empty if the wire does not say.
    """

    status: int | None = None
    codes: frozenset[str] = frozenset()
    message: str | None = None
    families: frozenset[str] = frozenset()


def failure_of(answer: Schedule) -> Failure:
    """Read an answer with an error status."""
    try:
        value = json.loads(answer.plain.data)
    except (ValueError, RecursionError, CodingError):
        value = None
    if answer.header("x-error-json") or answer.header("x-amzn-errortype"):
        # A second description, which may say more than the body.
        return Failure(status=answer.status)
    return read_failure(value, status=answer.status)


def read_failure(value: Json, *, status: int | None = None) -> Failure:
    """Read an error object of any of the known shapes; ``status`` is that of HTTP."""
    found = _Found()
    found.walk(value)
    codes = " ".join(found.codes)
    message = found.messages[0] if len(found.messages) == 1 else None
    families: set[str] = set()
    number = status or next((int(c) for c in found.codes if _STATUS.fullmatch(c)), None)
    if number is not None:
        families |= set(_BY_STATUS.get(number, _BY_DIGIT.get(number // 100, "")).split())
        if not families:
            return Failure(status=status, codes=frozenset(found.codes), message=message)
    families |= found.families
    words = codes if number in _CLEAR else f"{codes} {' '.join(found.messages)}"[:_SEARCHED]
    families |= {family for family, pattern in _BY_WORD if pattern.search(words)}
    return Failure(
        status=status,
        codes=frozenset(found.codes),
        message=message,
        families=frozenset(families),
    )


@dataclass(slots=True)
class _Found:
    depth: int = 0
    codes: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    families: set[str] = field(default_factory=set)

    def walk(self, value: Json) -> None:
        if self.depth > _DEEPEST:
            return
        self.depth += 1
        self._take(value)
        self.depth -= 1

    def _take(self, value: Json) -> None:
        match value:
            case str() if value.strip():
                self._message(value.strip())
            case list():
                for item in value:
                    self.walk(item)
            case dict():
                self.codes += _codes(value)
                if (number := str(value.get("status_code"))) in _MINIMAX:
                    self.families |= set(_MINIMAX[number].split())
                for key in _MESSAGES:
                    if isinstance(value.get(key), str):
                        self.walk(value[key])
                if isinstance(reports := value.get("metadata"), dict):
                    # OpenRouter: what was flagged is a code for some clients.
                    self.codes += [name for name, report in reports.items() if report]
                for key in _NESTED:
                    self.walk(value.get(key))

    def _message(self, text: str) -> None:
        if text.startswith(("{", "[")):
            try:
                return self.walk(json.loads(text))
            except (ValueError, RecursionError):
                pass
        if text not in self.messages:
            self.messages.append(text)
        return None


def _codes(value: Mapping[str, Json]) -> Iterator[str]:
    for key in _CODES:
        code = value.get(key)
        is_code = isinstance(code, int | str) and not isinstance(code, bool)
        if is_code and not _NO_CODE.fullmatch(word := str(code).strip()):
            yield word
