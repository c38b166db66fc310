"""The kinds of findings and their levels: one table for checks, reports, baselines and documents.

A level says what is at stake for the user of a client, not which check found it. Only ``must``
fails a run by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding weighs; a run fails for its own level and those above."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"

    def includes(self, other: Level) -> bool:
        """Return whether a run at this level fails for a finding of ``other``."""
        order = list(Level)
        return order.index(other) <= order.index(self)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of difference: its level, what was seen, and why it has this level."""

    level: Level
    what: str
    reason: str


_MUST, _SHOULD, _MAY = Level

KINDS: Mapping[str, Kind] = {
    # What the user of the client loses, or gets wrong.
    "process": Kind(
        _MUST, "the client ended its process", "the caller's program ends in the middle"
    ),
    "hang": Kind(_MUST, "a call that does not return", "the caller waits for ever"),
    "crash": Kind(
        _MUST,
        "an exception that the client does not document",
        "no caller is prepared to catch it",
    ),
    "secret": Kind(_MUST, "an API key in an output or a log", "a credential is given away"),
    "false-success": Kind(
        _MUST, "a failure reported as success", "the caller uses half an answer as a whole one"
    ),
    "false-failure": Kind(
        _MUST, "a complete answer reported as failure", "the caller loses what was paid for"
    ),
    "text": Kind(_MUST, "text lost, invented, doubled or changed", "the answer is wrong"),
    "refusal": Kind(_MUST, "a refusal lost, invented or changed", "the answer is wrong"),
    "reasoning": Kind(_MUST, "reasoning lost, invented or changed", "the answer is wrong"),
    "tool-call": Kind(
        _MUST,
        "a tool call lost, invented, merged, or with another name or arguments",
        "the wrong tool runs, or none",
    ),
    "call-id": Kind(
        _MUST, "the id of a tool call changed", "the provider refuses results for another id"
    ),
    "citation": Kind(_MUST, "a citation lost, invented or changed", "the answer is wrong"),
    "image": Kind(_MUST, "an image lost, invented or changed", "the answer is wrong"),
    "signature": Kind(
        _MUST,
        "a signature or encrypted item lost or changed",
        "it must go back with the next request",
    ),
    "not-sent-back": Kind(
        _MUST,
        "an id, result, signature or encrypted item missing in the next request",
        "the provider refuses the request, or the model forgets",
    ),
    "no-ending": Kind(
        _MUST, "a stream without an ending", "the caller cannot tell success from failure"
    ),
    "two-endings": Kind(
        _MUST, "more than one ending", "the caller gets success and failure at once"
    ),
    "no-answer": Kind(_MUST, "no event and no turn", "the caller gets nothing"),
    "no-request": Kind(_MUST, "an answer without a request", "it cannot be the provider's"),
    "wrong-request": Kind(
        _MUST,
        "a request for something else, without a part of the prompt, or one less than it needs",
        "no provider answers it as meant",
    ),
    "field": Kind(
        _MUST, "a wrong value of a field that the client exposes", "the caller relies on it"
    ),
    "finish-reason": Kind(
        _MUST,
        "another finish reason than the wire's plain one",
        "the caller takes a cut or filtered answer for a whole one",
    ),
    "usage": Kind(
        _MUST, "usage other than the wire's last value", "the caller is billed or budgets wrongly"
    ),
    "buffered": Kind(
        _MUST, "an event kept back that could have been handed on", "streaming has no use"
    ),
    "cancel": Kind(
        _MUST,
        "a call that was given up goes on, or the client cannot be used after it",
        "connections and money are lost",
    ),
    "mixed-up": Kind(
        _MUST, "a piece of one call in another", "one user's answer goes to another user"
    ),
    "malformed": Kind(
        _MUST, "an event or a turn that violates its schema", "nobody can rely on its fields"
    ),
    "turn": Kind(
        _MUST,
        "a turn that contradicts the events of the same call",
        "two readers of one call get two answers",
    ),
    "native-content": Kind(
        _MUST,
        "native events that lose or change what the wire or the turn has",
        "readers of the native events get another answer",
    ),
    # What a careful client does.
    "error-family": Kind(
        _SHOULD, "a failure reported as one of another family", "the caller retries in vain"
    ),
    "error-message": Kind(
        _SHOULD, "the provider's error message lost", "nobody can tell what was wrong"
    ),
    "usage-missing": Kind(
        _SHOULD, "usage on the wire that the client does not give", "the caller cannot count"
    ),
    "usage-invented": Kind(
        _SHOULD,
        "counts that the wire does not have, not marked as estimated",
        "the caller takes a guess for the bill",
    ),
    "finish-word": Kind(
        _SHOULD, "the provider's finish word lost or changed", "new words mean something"
    ),
    "field-missing": Kind(
        _SHOULD,
        "an exposed field that is not given although the wire has it",
        "the caller expects it",
    ),
    "call-id-missing": Kind(
        _SHOULD, "a made-up id for a call that has one", "logs of the provider name the other"
    ),
    "connection-open": Kind(
        _SHOULD, "a connection still open after the call", "a pool runs out of connections"
    ),
    "extra-request": Kind(_SHOULD, "one request too many", "each one costs money"),
    "after-ending": Kind(
        _SHOULD, "events after the ending", "readers that stop at the ending miss them"
    ),
    "native-form": Kind(
        _SHOULD, "a native event that violates its schema", "typed readers refuse it"
    ),
    "native-order": Kind(
        _SHOULD,
        "native events whose order, indexes or done events contradict the deltas",
        "readers that follow the documented order go wrong",
    ),
    # Conventions of this suite.
    "stop-with-call": Kind(
        _MAY, "stop in place of tool_calls for a turn with calls", "the calls say it themselves"
    ),
    "finish-mapping": Kind(
        _MAY, "another finish reason for a vendor's own word", "the vendor's word is not defined"
    ),
    "error-detail": Kind(
        _MAY,
        "another class within the family, code, status, request id, retry hint or wait",
        "they are taken from prose or headers that differ by vendor",
    ),
    "warning": Kind(_MAY, "another warning", "warnings are a convention of this suite"),
    "zero-for-absent": Kind(_MAY, "0 for a count that the wire does not have", "many types say 0"),
    "made-up": Kind(_MAY, "an id or name of the client's own", "the wire has none"),
    "surrogates": Kind(
        _MAY,
        "half a character that the wire split, handed on as it came",
        "joining the pieces gives the whole one",
    ),
    "empty-event": Kind(_MAY, "a delta without text", "readers add nothing to nothing"),
    "no-retry": Kind(
        _SHOULD,
        "a failure reported that a retry would have passed over",
        "the caller has to retry by itself",
    ),
    "arguments-text": Kind(_MAY, "arguments spelled otherwise", "their value is the same"),
    "hosted-tool": Kind(
        _MAY, "a tool run by the provider reported otherwise", "nothing is to be done"
    ),
    "parts": Kind(
        _MAY, "the same content in other parts or another order", "the wire does not fix it"
    ),
    "event-sequence": Kind(
        _MAY, "the same content in other events", "deltas may be split in many ways"
    ),
    "strict": Kind(
        _MAY,
        "a failure for a stream that broke or was odd behind its finish reason",
        "strictness loses little, and usage may be missing",
    ),
    "request-form": Kind(
        _MAY, "headers or fields that the provider does not require", "it answers all the same"
    ),
    # Not about a client.
    "stale": Kind(_MUST, "a baseline entry that does not hold any more", "the list is not true"),
    "setup": Kind(_MUST, "the suite, a cassette or the machine is in the way", "nothing is proven"),
}
