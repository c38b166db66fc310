"""What the facts of a wire say, by channel, so that a turn can be compared with them.

Where a careful client may read the wire in several ways, the client's own reading stands if it is
one of them. A channel that is in doubt has no key.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from harness.judge import sources
from harness.judge.channels import Channels
from harness.judge.terms import families
from mockserver.dialects import CallFacts, Facts, Failure
from mockserver.vocabulary import ErrorClass, FinishReason, JsonObject

#: An error class for each family, for messages.
_TYPICAL: Mapping[str, ErrorClass] = {
    "auth": ErrorClass.AUTHENTICATION,
    "request": ErrorClass.INVALID_REQUEST,
    "rate": ErrorClass.RATE_LIMIT,
    "server": ErrorClass.SERVER_ERROR,
    "transport": ErrorClass.CONNECTION_LOST,
    "protocol": ErrorClass.PROTOCOL,
}
#: An answer that ended too early, or is not what the API defines.
_CUT_SHORT = Failure(families=frozenset({"transport", "protocol", "server"}))
#: How many characters of a provider's message a client must keep.
_KEPT = 100
#: Where a client may have redacted a message.
_SECRET = re.compile(r"\bsk-|\bkey\W*:|\*{3}|bearer|\[redacted", re.I)
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})|\\[nrt]", re.I)


def of_facts(facts: Facts, seen: Channels, reasons: Mapping[str, FinishReason]) -> Channels:
    """Return the channels of the wire; ``seen`` are those of the turn.

    ``opaque`` in ``seen`` has all strings of the turn: what must go back may be in any place.
    ``reasons`` are the finish words of the dialect that have one plain meaning.
    """
    found: Channels = {
        name: value
        for name in ("text", "refusal", "response_id", "model")
        if (value := getattr(facts, name)) is not None
    }
    if facts.reasoning is not None:
        # Clients put something between the parts of reasoning, or trim them.
        given = seen.get("reasoning") or ""
        same = given.split() == facts.reasoning.split()
        found["reasoning"] = given if same else facts.reasoning
    if facts.calls is not None:
        given_calls, opaque = seen.get("tool_calls") or [], seen.get("opaque", frozenset())
        found["tool_calls"] = [
            _call(call, given_calls[n] if n < len(given_calls) else {}, opaque)
            for n, call in enumerate(facts.calls)
        ]
    found["usage"] = chosen_usage(
        {k: v for k, v in facts.usage.items() if v is not None}, seen, facts
    )
    _add_opaque(found, facts, seen)
    _add_ending(found, facts, seen, reasons)
    return found


def chosen_usage(wanted: JsonObject, seen: Channels, facts: Facts) -> JsonObject:
    """Return the counts to compare with, where the wire leaves a choice those that are given."""
    given = seen.get("usage") or {}
    return {k: facts.chosen_usage(k, v, given.get(k)) for k, v in wanted.items()}


def _call(call: CallFacts, given: JsonObject, opaque: Collection[str]) -> JsonObject:
    known: JsonObject = {
        name: value
        for name, value in (("name", call.name), ("id", call.id), ("arguments_raw", call.raw))
        if value is not None
    }
    if call.signature is not None:
        kept = call.signature in opaque
        known["thought_signature"] = given.get("thought_signature") if kept else call.signature
    if call.arguments is not None:
        mine = given.get("arguments")
        first = call.arguments[0] if call.arguments else None
        known["arguments"] = mine if mine in call.arguments else first
    return known


def _add_opaque(found: Channels, facts: Facts, seen: Channels) -> None:
    """Add what may be given in another form or place: signatures, citations, images."""
    if facts.signatures is not None:
        given = seen.get("signatures") or []
        kept = seen.get("opaque", frozenset()) >= set(facts.signatures)
        found["signatures"] = given if kept else list(facts.signatures)
    if facts.citations is not None:
        given = seen.get("citations") or []
        found["citations"] = (
            given
            if sources.same(facts.citations, given)
            else [sources.plain(c) for c in facts.citations]
        )
    if facts.images is not None:
        given = seen.get("images") or []
        values = {v for image in given for v in image.values() if isinstance(v, str)}
        same = len(given) == len(facts.images) and all(
            any(url == v or url.endswith(f",{v}") or v.endswith(f",{url}") for v in values)
            for url in facts.images
        )
        found["images"] = given if same else [{"url": url} for url in facts.images]


def _add_ending(
    found: Channels, facts: Facts, seen: Channels, reasons: Mapping[str, FinishReason]
) -> None:
    failed = seen.get("status") == "failed"
    if facts.error is not None or facts.broken or not facts.terminal_seen:
        found["status"] = "failed"
        found["error"] = _error(facts.error or _CUT_SHORT, seen.get("error") or {})
        return
    if failed:
        if facts.terminal in reasons and not facts.may_fail:
            found["status"] = "completed"
        return
    if facts.terminal is None:
        return
    found["status"] = "completed"
    words = (facts.terminal, *facts.other_terminals)
    word = seen.get("raw_finish_reason")
    found["raw_finish_reason"] = word if word in words else facts.terminal
    meanings = [_meaning(reasons.get(word), facts) for word in words]
    if None not in meanings:
        given = seen.get("finish_reason")
        found["finish_reason"] = given if given in meanings else str(meanings[0])


def _meaning(plain: FinishReason | None, facts: Facts) -> FinishReason | None:
    """Return what a finish word means beside the calls; ``None`` if it can be said otherwise."""
    if plain is FinishReason.TOOL_CALLS and not facts.calls:
        return None
    if plain is FinishReason.STOP and facts.calls is None:
        return None
    has_call = any(call.arguments != () for call in facts.calls or ())
    return FinishReason.TOOL_CALLS if plain is FinishReason.STOP and has_call else plain


def _error(failure: Failure, given: JsonObject) -> JsonObject:
    """Return the error that the wire states, in the client's words where these are right."""
    found: JsonObject = {}
    if failure.families:
        name = given.get("class")
        if not isinstance(name, str) or families(name).isdisjoint(failure.families):
            name = next(str(c) for f, c in _TYPICAL.items() if f in failure.families)
        found["class"] = name
    if failure.status is not None:
        found["status"] = failure.status
    if failure.codes:
        code = given.get("code")
        found["code"] = code if code in failure.codes else min(failure.codes)
    if failure.message is not None and not keeps_message(failure.message, given.get("message")):
        found["message_contains"] = failure.message[:_KEPT]
    return found


def keeps_message(message: str, given: object) -> bool:
    """Return whether ``given`` has the provider's message, or 100 characters of its beginning.

    Case, spaces, punctuation and the escapes of a printed object do not count, and neither does
    what follows something like a key, which may be redacted.
    """
    secret = _SECRET.search(message)
    public = message[: secret.start()] if secret else message
    return _letters(public)[:_KEPT] in _letters(str(given))


def _letters(text: str) -> str:
    text = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else " ", text)
    return "".join(c for c in text.casefold() if c.isalnum())
