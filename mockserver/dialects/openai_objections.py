"""How OpenAI's APIs put it that a field of a request is wrong. Pure.

Each function returns one objection; ``param`` is the field as OpenAI names it, such as
``messages[0].role``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.refusals import Sent
from mockserver.vocabulary.model import Json, JsonObject

_OWN = re.compile(r"(?:ft:)?(?:gpt-|chatgpt-|codex-|o\d)[^/]*")
#: Those that think before they answer.
_THINKS = re.compile(r"(?:ft:)?(?:o[134]|gpt-5)(?:$|[-.])(?!chat)")
#: Those of them that have no choice of a temperature.
_FIXED = re.compile(r"o[134](?:-.*)?|gpt-5(?:-mini|-nano)?(?:-\d{4}-.*)?")
_NO_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using "
    "your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not "
    "valid JSON. If you have trouble figuring out how to fix this, please contact us through our "
    "help center at help.openai.com.)"
)
_GITHUB = "https://github.com/"
#: Has the values that each field may have.
REFERENCE = "https://platform.openai.com/docs/api-reference/chat/create"


def is_own(model: str) -> bool:
    """Return whether a model is OpenAI's own: other servers that speak its APIs allow more."""
    return _OWN.fullmatch(model) is not None


def thinks(model: str) -> bool:
    """Return whether a model of OpenAI thinks before it answers."""
    return is_own(model) and _THINKS.match(model) is not None


def has_fixed_temperature(model: str) -> bool:
    """Return whether a model of OpenAI takes no temperature but 1."""
    return _FIXED.fullmatch(model) is not None


def wrong(
    check: str,
    message: str,
    source: str,
    *,
    param: str | None = None,
    code: str | None = None,
    proves: bool = False,
) -> Objection:
    """Return an objection of status 400; ``source`` is a URL or a path of GitHub."""
    url = source if source.startswith("https:") else _GITHUB + source
    return objection(check, message, url, proves=proves, param=param, code=code)


def no_object(sent: Sent) -> Objection | None:
    """Return what is said to a body that is no object."""
    if sent.problem is None:
        return None
    return wrong("body", _NO_JSON, "ChatGPTNextWeb/NextChat/issues/4064")


def missing(param: str) -> Objection:
    """Return what is said if a field is not there."""
    message = f"Missing required parameter: '{param}'."
    source = "SilasMarvin/lsp-ai/issues/108"
    return wrong("missing", message, source, param=param, code="missing_required_parameter")


def invalid_type(param: str, expected: str, value: Json) -> Objection:
    """Return what is said to a value of a wrong type; ``expected`` is like ``an object``."""
    return wrong(
        "type",
        f"Invalid type for '{param}': expected {expected}, but got {kind_of(value)} instead.",
        "pydantic/pydantic-ai/issues/2653",
        param=param,
        code="invalid_type",
    )


def empty_array(param: str) -> Objection:
    """Return what is said to a list that has nothing in it."""
    return wrong(
        "empty",
        f"Invalid '{param}': empty array. Expected an array with minimum length 1, but got an "
        "empty array instead.",
        "CopilotKit/CopilotKit/issues/529",
        param=param,
        code="empty_array",
    )


def invalid_value(param: str, value: str, known: Collection[str]) -> Objection:
    """Return what is said to a word that is none of those that are known."""
    *words, last = (f"'{word}'" for word in known)
    listed = f"{', '.join(words)}, and {last}"
    return wrong(
        "value",
        f"Invalid value: '{value}'. Supported values are: {listed}.",
        REFERENCE,
        param=param,
        code="invalid_value",
    )


def bad_name(param: str, length: int | None = None) -> Objection:
    """Return what is said to the name of a tool that has a wrong character, or is too long."""
    if length is not None:
        return wrong(
            "tool_name",
            f"Invalid '{param}': string too long. Expected a string with maximum length 64, but "
            f"got a string with length {length} instead.",
            "ravitemer/mcphub.nvim/pull/243",
            param=param,
            code="string_above_max_length",
        )
    return wrong(
        "tool_name",
        f"Invalid '{param}': string does not match pattern. Expected a string that matches the "
        "pattern '^[a-zA-Z0-9_-]+$'.",
        "brekkylab/ailoy/issues/109",
        param=param,
        code="invalid_value",
    )


def unknown(body: JsonObject, known: Collection[str]) -> Iterator[Objection]:
    """Yield what is said to fields that the API does not have."""
    for name in body:
        if name in known:
            continue
        free = [word for word in known if word not in body]
        close = get_close_matches(name[:64], free, n=1, cutoff=0.8)
        yield wrong(
            "unknown_field",
            f"Unknown parameter: '{name}'." + (f" Did you mean '{close[0]}'?" if close else ""),
            "64bit/async-openai/issues/386",
            param=name,
            code="unknown_parameter",
        )


@dataclass(frozen=True, slots=True)
class Range:
    """Which numbers a field may have. ``whole``: no fraction."""

    least: float
    most: float | None = None
    whole: bool = False

    def check(self, param: str, value: Json) -> Iterator[Objection]:
        """Yield what is said to a value."""
        word = "integer" if self.whole else "decimal"
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            yield invalid_type(param, f"an {word}" if self.whole else "a decimal", value)
        elif value < self.least:
            yield _beyond(param, value, f"{word} below minimum value", f">= {self.least:g}")
        elif self.most is not None and value > self.most:
            yield _beyond(param, value, f"{word} above maximum value", f"<= {self.most:g}")


def numbers(body: JsonObject, ranges: Mapping[str, Range]) -> Iterator[Objection]:
    """Yield what is said to the numbers of a request."""
    for name, range_ in ranges.items():
        if body.get(name) is not None:
            yield from range_.check(name, body[name])


def booleans(body: JsonObject, names: Collection[str]) -> Iterator[Objection]:
    """Yield what is said to fields that are no truth values."""
    for name in names:
        value = body.get(name)
        if value is not None and not isinstance(value, bool):
            yield invalid_type(name, "a boolean", value)


def _beyond(param: str, value: float, problem: str, allowed: str) -> Objection:
    number = str(value)[:40]
    return wrong(
        "range",
        f"Invalid '{param}': {problem}. Expected a value {allowed}, but got {number} instead.",
        REFERENCE,
        param=param,
        code=problem.replace("imum value", "_value").replace(" ", "_"),
    )


def kind_of(value: Json) -> str:
    """Return the type of a JSON value in OpenAI's words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
