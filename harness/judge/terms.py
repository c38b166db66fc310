"""What a client declares about itself that its judging depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.judge.kinds import Level
from mockserver.vocabulary import ErrorClass

#: What a client may expose beyond text, refusals, tool calls and endings, which all are judged on.
EXPOSABLE: Mapping[str, str] = {
    "response_id": "the provider's id of the response",
    "model": "the model that answered",
    "finish_reason": "why the model stopped",
    "raw_finish_reason": "the provider's own word for it",
    "usage": "input, output and total tokens",
    "usage_details": "cached and reasoning tokens",
    "reasoning": "the text of the reasoning",
    "signatures": "signatures and encrypted items that must go back",
    "citations": "sources of the text",
    "images": "images in the answer",
    "assembly": "tool calls put together from their pieces; without it, only whole answers are "
    "judged on calls",
    "tool_deltas": "tool arguments piece by piece",
    "arguments_raw": "the argument text as the provider spelled it",
    "error_code": "the provider's code of an error",
    "error_message": "the provider's text of an error",
    "error_status": "the HTTP status of an error",
    "request_id": "the provider's id of a failed request",
    "retry_after": "the wait that the provider asks for",
    "retryable": "whether a retry may help",
    "hosted_tools": "tools that the provider ran itself",
    "warnings": "what was odd on the wire, without being an error",
}
#: Judged unless a declaration leaves it out.
USUAL = frozenset({"usage", "finish_reason", "error_message"})
#: What the declared features expose, by the features that together name it.
_BY_FEATURES = {
    "reasoning": frozenset({"reasoning"}),
    "citations": frozenset({"citations"}),
    "hosted_tools": frozenset({"hosted_tools"}),
    # A provider that signs what a model thinks refuses the next turn without the signatures.
    "signatures": frozenset({"reasoning", "multi_turn"}),
}
#: Presets of what kinds of clients expose.
PROFILES: Mapping[str, frozenset[str]] = {
    # Hands on parsed chunks of the wire and assembles nothing.
    "chunks": frozenset({"usage", "finish_reason", "raw_finish_reason", "error_message"}),
    # Assembles the provider's own message.
    "accumulator": USUAL
    | {"assembly", "response_id", "model", "raw_finish_reason", "usage_details"},
    # An agent framework with a message type of its own.
    "framework": USUAL | {"assembly"},
    # Gives out all that the wire says.
    "everything": frozenset(EXPOSABLE),
    # Turns one API into another.
    "translator": USUAL | {"assembly", "response_id", "model"},
}
ERRORS = ("class", "family", "none")
GRANULARITIES = ("any", "exact")

_FAMILIES: Mapping[str, frozenset[ErrorClass]] = {
    "auth": frozenset({ErrorClass.AUTHENTICATION, ErrorClass.PERMISSION}),
    "request": frozenset(
        {
            ErrorClass.INVALID_REQUEST,
            ErrorClass.MODEL_NOT_FOUND,
            ErrorClass.PERMISSION,
            ErrorClass.CONTEXT_LENGTH,
            ErrorClass.PAYLOAD_TOO_LARGE,
            ErrorClass.CONTENT_FILTERED,
            ErrorClass.QUOTA_EXHAUSTED,
        }
    ),
    "rate": frozenset({ErrorClass.RATE_LIMIT, ErrorClass.QUOTA_EXHAUSTED, ErrorClass.OVERLOADED}),
    "server": frozenset(
        {
            ErrorClass.SERVER_ERROR,
            ErrorClass.OVERLOADED,
            ErrorClass.STREAM_ERROR,
            ErrorClass.TIMEOUT,
            ErrorClass.EMPTY_RESPONSE,
        }
    ),
    "transport": frozenset(
        {
            ErrorClass.TIMEOUT,
            ErrorClass.CONNECTION_LOST,
            ErrorClass.TRUNCATED_STREAM,
            ErrorClass.STREAM_ERROR,
            ErrorClass.CANCELLED,
            ErrorClass.EMPTY_RESPONSE,
        }
    ),
    "protocol": frozenset(
        {
            ErrorClass.PROTOCOL,
            ErrorClass.TRUNCATED_STREAM,
            ErrorClass.EMPTY_RESPONSE,
            ErrorClass.STREAM_ERROR,
            ErrorClass.INVALID_TOOL_ARGUMENTS,
        }
    ),
}


def families(error: str) -> frozenset[str]:
    """Return the families of an error class; several where callers could treat it either way."""
    return frozenset(name for name, members in _FAMILIES.items() if error in members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a client declares about itself.

    ``exposes`` is ``None`` where nothing was declared: then a value that the client gives is
    compared, and none is missed. ``errors``: compare the class, the family or nothing of an error.
    ``granularity`` is ``exact`` for a client whose events must be the expected ones, one by one.
    ``level`` is the level of findings that fail it.
    """

    features: frozenset[str] = frozenset()
    exposes: frozenset[str] | None = None
    errors: str = "family"
    granularity: str = "any"
    level: Level = Level.MUST

    def compares(self, field: str, given: object = None) -> bool:
        """Return whether a wrong value of the field is a finding; ``given`` is the client's."""
        if self.exposes is not None:
            return field in self.exposes or self._by_feature(field)
        return field in USUAL or given not in (None, "", [], {}) or self._by_feature(field)

    def misses(self, field: str) -> bool:
        """Return whether the field must be given where the wire has it."""
        if self.exposes is not None:
            return field in self.exposes or self._by_feature(field)
        return field in USUAL or self._by_feature(field)

    @property
    def assembles(self) -> bool:
        """Whether the client puts tool calls together from their pieces."""
        return self.exposes is None or "assembly" in self.exposes

    def _by_feature(self, field: str) -> bool:
        named = _BY_FEATURES.get(field)
        return named is not None and named <= self.features
