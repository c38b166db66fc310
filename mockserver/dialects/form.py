"""The form of a dialect's data: names that generic code must know, and no behaviour.

Recordings are scrubbed and compared by the forms of all dialects as one, because gateways answer
in one dialect with fields and headers of another.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Form:
    """Names of fields in JSON bodies, of headers, and of environment variables.

    Header names are in lower case. Where a mapping is given, its value is the kind of placeholder
    that a recording gets (``user`` gives ``user_REDACTED_1``).
    """

    #: Fields that only the provider can read: encrypted reasoning, signatures.
    opaque_fields: Mapping[str, str] = field(default_factory=dict)
    #: Fields below which the model or the user wrote names of their own, such as tool arguments.
    foreign_fields: frozenset[str] = frozenset()
    #: Top-level fields of a request that name the end user.
    user_fields: Mapping[str, str] = field(default_factory=dict)
    #: Top-level fields of a request whose members are the user's own.
    user_trees: Mapping[str, str] = field(default_factory=dict)
    #: Top-level fields of an answer that repeat the request below them.
    request_echoes: frozenset[str] = frozenset()
    #: Fields that differ in every answer: times, fingerprints, what a server had in its cache.
    volatile_fields: frozenset[str] = frozenset()
    #: Patterns of response headers that differ in every answer.
    volatile_headers: tuple[str, ...] = ()
    #: Fields that carry an id, besides all that are called ``id``, ``…_id`` or ``…Id``.
    id_fields: frozenset[str] = frozenset()
    #: Fields that number the things to which deltas belong.
    delta_numbers: frozenset[str] = frozenset()
    #: Beginnings of event types that open, continue or close one numbered thing.
    delta_openers: tuple[str, ...] = ()
    #: Request headers that a recording keeps, and those of which it keeps a placeholder.
    kept_request_headers: frozenset[str] = frozenset()
    replaced_request_headers: Mapping[str, str] = field(default_factory=dict)
    #: Patterns of response headers that a recording keeps, and names that get a placeholder.
    kept_response_headers: tuple[str, ...] = ()
    replaced_response_headers: Mapping[str, str] = field(default_factory=dict)
    #: Environment variables from which clients of this dialect read their base URL.
    base_url_variables: tuple[str, ...] = ()
    #: Those that name the server alone: clients add the rest of the path.
    server_variables: tuple[str, ...] = ()
    #: Environment variables from which clients read their key.
    key_variables: tuple[str, ...] = ()
    #: What clients need besides, with a value for a server that does not mind.
    other_variables: Mapping[str, str] = field(default_factory=dict)
    #: Environment variables with which clients refuse a server of this machine.
    hidden_variables: tuple[str, ...] = ()

    def is_volatile_header(self, name: str) -> bool:
        """Return whether a response header of that name (lower case) differs in every answer."""
        return _any_of(self.volatile_headers).fullmatch(name) is not None

    def is_kept_response_header(self, name: str) -> bool:
        """Return whether a recording keeps a response header of that name (lower case)."""
        return _any_of(self.kept_response_headers).fullmatch(name) is not None


#: What applies to every dialect.
COMMON = Form(
    foreign_fields=frozenset({"parameters", "properties"}),
    volatile_headers=(".*ratelimit.*", "retry-after.*"),
    delta_numbers=frozenset({"index"}),
    kept_request_headers=frozenset({"accept", "content-encoding", "content-type"}),
    kept_response_headers=(
        "content-type",
        "content-encoding",
        "location",
        "retry-after.*",
        "x-should-retry",
        ".*ratelimit.*",
        "www-authenticate",
    ),
    replaced_response_headers={"x-request-id": "req"},
)


def merged(forms: Iterable[Form]) -> Form:
    """Return one form with all that the given ones have."""
    total: dict[str, Any] = {}
    for form in forms:
        for part in dataclasses.fields(Form):
            value = getattr(form, part.name)
            if part.name not in total:
                total[part.name] = value
            elif isinstance(value, tuple):
                total[part.name] = tuple(dict.fromkeys((*total[part.name], *value)))
            else:
                total[part.name] = total[part.name] | value
    return Form(**total)


@cache
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(patterns) if patterns else r"(?!)")
