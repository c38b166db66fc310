"""Compare what an answer says with what it should say, channel by channel.

Each difference has a kind, which gives its level, the field, and a message with both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.judge import sources
from harness.judge.channels import Channels
from harness.judge.terms import Terms, families
from harness.judge.visible import both, how_it_differs, shown
from mockserver.vocabulary import FinishReason, Json, JsonObject

#: The totals among the counts; the others are details.
TOTALS = ("input_tokens", "output_tokens", "total_tokens")
_PLAIN_FIELDS = ("response_id", "model")
#: Fields of an error beyond its class, with what must be exposed for them.
_ERROR_FIELDS = {
    "retryable": "retryable",
    "status": "error_status",
    "code": "error_code",
    "request_id": "request_id",
    "retry_after": "retry_after",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: its kind, the field, a message, and both sides as JSON."""

    kind: str
    field: str
    message: str
    expected: Json = None
    observed: Json = None


def compare(
    wanted: Channels,
    seen: Channels,
    terms: Terms,
    reasons: Mapping[str, FinishReason],
    *,
    whole: bool = False,
    by_name: bool = False,
) -> Iterator[Difference]:
    """Yield where ``seen`` differs from what ``wanted`` states, as far as the client exposes it.

    ``reasons`` are the finish words of the dialect that have one plain meaning. ``whole``: what
    ``wanted`` does not state is not there. ``by_name``: results go back by the names of calls.
    """
    if (ended := ending(wanted, seen)) is not None:
        # What else differs follows from it.
        yield ended
        for name in ("text", "refusal"):
            if name in wanted and seen.get(name) and not wanted[name].startswith(seen[name]):
                yield from text(name, wanted[name], seen[name])
        return
    failed = wanted.get("status") == "failed" or wanted.get("error") is not None
    for name in ("text", "refusal", "reasoning"):
        if name in wanted and (name != "reasoning" or _is_due(name, seen.get(name), terms)):
            yield from text(name, wanted[name], seen.get(name) or "")
    if "tool_calls" in wanted and (terms.assembles or not seen.get("streamed")):
        yield from _calls(
            wanted["tool_calls"], seen.get("tool_calls") or [], terms, failed, by_name=by_name
        )
    for name, kind in (("signatures", "signature"), ("citations", "citation"), ("images", "image")):
        # What a client keeps in a field to be sent back is not lost.
        kept = [one for one in wanted.get(name) or () if one in seen.get("kept", ())]
        if name in wanted and _is_due(name, given := seen.get(name) or kept, terms):
            as_given = name != "citations" or terms.granularity == "exact"
            stated = wanted[name] if as_given else sources.as_far(wanted[name], given)
            yield from _items(kind, name, stated, given)
    for name, kind in (("hosted_tools", "hosted-tool"), ("warnings", "warning")):
        given = seen.get(name) or []
        if name in wanted and wanted[name] != given and _is_due(name, given, terms):
            message = f"{name}: {both(wanted[name], given)}"
            yield Difference(kind, name, message, wanted[name], given)
    for name in _PLAIN_FIELDS:
        if name in wanted:
            yield from _field(name, wanted[name], seen.get(name), terms)
    if "usage" in wanted:
        yield from usage(wanted["usage"] or {}, seen.get("usage") or {}, terms)
        if whole:
            yield from extra_usage(wanted["usage"] or {}, seen.get("usage") or {}, terms)
    if not failed:
        finish = list(_finish(wanted, seen, terms, reasons))
        yield from finish
        # The status follows from the reason.
        differs = any(one.field == "finish_reason" for one in finish)
        if "cut" in wanted and wanted["cut"] != seen.get("cut", False) and not differs:
            names = ("completed", "incomplete")
            said = [names[bool(one.get("cut"))] for one in (wanted, seen)]
            message = f"status {said[0]} expected, {said[1]} given"
            plain = wanted.get("finish_reason") in ("length", "content_filter")
            kind = "finish-reason" if plain else "finish-mapping"
            yield Difference(kind, "status", message, *said)
    elif isinstance(error := wanted.get("error"), Mapping):
        yield from error_differences(error, seen.get("error") or {}, terms)


def ending(wanted: Channels, seen: Channels) -> Difference | None:
    """Return the difference between success and failure, if there is one."""
    if wanted.get("status") is None and wanted.get("error") is None:
        return None
    fails = wanted.get("status") == "failed" or wanted.get("error") is not None
    error = seen.get("error")
    failed = error is not None or seen.get("status") == "failed"
    if fails and not failed:
        said = seen.get("finish_reason") or seen.get("status")
        said = "without a finish reason" if said == "unknown" else said
        kind = _class(wanted.get("error")) or "a failure"
        return Difference(
            "false-success", "ending", f"{kind} expected, success given ({said})", kind, said
        )
    if failed and not fails:
        said = _class(error) or "failed"
        text = error.get("message") if isinstance(error, Mapping) else None
        detail = f": {shown(text)}" if text else ""
        return Difference(
            "false-failure",
            "ending",
            f"a complete answer expected, {said} given{detail}",
            wanted.get("finish_reason") or "completed",
            said,
        )
    return None


def _is_due(name: str, given: Json, terms: Terms) -> bool:
    """Return whether the field is compared, and must be given if it is not."""
    return terms.compares(name, given) and (given not in (None, "", [], {}) or terms.misses(name))


def text(name: str, wanted: str, seen: str) -> Iterator[Difference]:
    """Yield the difference of two texts, if there is one."""
    if wanted != seen:
        yield Difference(name, name, f"{name} {how_it_differs(wanted, seen)}", wanted, seen)


def _calls(
    wanted: Sequence[JsonObject],
    seen: Sequence[JsonObject],
    terms: Terms,
    failed: bool,
    *,
    by_name: bool,
) -> Iterator[Difference]:
    if len(wanted) != len(seen):
        if failed and len(seen) < len(wanted):
            return  # a failed turn need not have what was not finished
        names = [[c.get("name") for c in calls] for calls in (wanted, seen)]
        yield Difference(
            "tool-call",
            "tool_calls",
            f"{_count(names[0])} expected, {_count(names[1])} given",
            *names,
        )
        return
    for number, (one, other) in enumerate(zip(wanted, seen, strict=True)):
        yield from _call(f"tool_calls.{number}", one, other, terms, by_name=by_name)


def _count(names: Sequence[Any]) -> str:
    text = f" ({', '.join(map(str, names))})" if names else ""
    return f"{len(names)} tool call{'' if len(names) == 1 else 's'}{text}"


def _call(
    at: str, wanted: JsonObject, seen: JsonObject, terms: Terms, *, by_name: bool
) -> Iterator[Difference]:
    name = wanted.get("name", seen.get("name"))
    for key in ("name", "arguments"):
        if key in wanted and not same(wanted[key], seen.get(key)):
            yield Difference(
                "tool-call",
                f"tool_calls.{key}",
                f"{key} of {at} ({name}): {both(wanted[key], seen.get(key))}",
                wanted[key],
                seen.get(key),
            )
    if wanted.get("id") is not None and wanted["id"] != seen.get("id"):
        # A client may note in it what has to go back with the call.
        made_up = wanted.get("id_synthesized") or str(seen.get("id")).startswith(wanted["id"])
        missing = by_name or seen.get("id_synthesized") or not seen.get("id")
        kind = "made-up" if made_up else "call-id-missing" if missing else "call-id"
        yield Difference(
            kind,
            "tool_calls.id",
            f"id of {at} ({name}): {both(wanted['id'], seen.get('id'))}",
            wanted["id"],
            seen.get("id"),
        )
    raw = wanted.get("arguments_raw")
    exposed = terms.misses("arguments_raw") or seen.get("arguments") is None
    if raw is not None and raw != seen.get("arguments_raw") and exposed:
        yield Difference(
            "arguments-text",
            "tool_calls.arguments_raw",
            f"argument text of {at} ({name}) is spelled otherwise",
            raw,
            seen.get("arguments_raw"),
        )
    signature, proof = wanted.get("thought_signature"), seen.get("thought_signature")
    if signature is not None and signature != proof and _is_due("signatures", proof, terms):
        yield Difference(
            "signature",
            "tool_calls.thought_signature",
            f"signature of {at} ({name}) {'changed' if proof else 'lost'}",
            signature,
            proof,
        )


def _items(
    kind: str, name: str, wanted: Sequence[Any], seen: Sequence[Any]
) -> Iterator[Difference]:
    if len(wanted) != len(seen) or not all(
        same_keys(w, s) for w, s in zip(wanted, seen, strict=True)
    ):
        message = f"{name}: {len(wanted)} expected, {len(seen)} given"
        if len(wanted) == len(seen):
            pairs = zip(wanted, seen, strict=True)
            one, other = next(pair for pair in pairs if not same_keys(*pair))
            message = f"{name}: {both(one, other)}"
        yield Difference(kind, name, message, list(wanted), list(seen))


def _field(name: str, wanted: Json, seen: Json, terms: Terms) -> Iterator[Difference]:
    if wanted == seen or not _is_due(name, seen, terms):
        return
    kind = "made-up" if wanted is None else "field-missing" if seen is None else "field"
    yield Difference(kind, name, f"{name} {both(wanted, seen)}", wanted, seen)


def usage(wanted: JsonObject, seen: JsonObject, terms: Terms) -> Iterator[Difference]:
    """Yield where token counts differ from the wanted ones."""
    for name, value in wanted.items():
        exposed = "usage" if name in TOTALS or name == "estimated" else "usage_details"
        given = seen.get(name)
        if value is None or same(value, given) or not _is_due(exposed, given, terms):
            continue
        # Zero for a detail is what many types say where they know no such detail.
        is_unknown = exposed == "usage_details" and given == 0 and not terms.misses(exposed)
        is_absent = given is None or is_unknown
        yield Difference(
            "usage-missing" if is_absent else "usage",
            f"usage.{name}",
            f"{name} {value} expected, {'none' if given is None else given} given",
            value,
            given,
        )


def extra_usage(wanted: JsonObject, seen: JsonObject, terms: Terms) -> Iterator[Difference]:
    """Yield the token counts that are given although there is none."""
    extra = {
        k: v
        for k, v in seen.items()
        if wanted.get(k) is None and k != "estimated" and v is not None
    }
    if not extra or seen.get("estimated") or not terms.compares("usage", extra):
        return
    counts = [seen.get(name) for name in TOTALS[:2]]
    if extra == {"total_tokens": sum(c for c in counts if isinstance(c, int))}:
        return  # the sum is right, whoever adds it
    for kind, named in (
        ("usage-invented", {k: v for k, v in extra.items() if v}),
        ("zero-for-absent", {k: v for k, v in extra.items() if not v}),
    ):
        if named:
            counts_given = ", ".join(f"{name} {value}" for name, value in named.items())
            yield Difference(kind, "usage", f"{counts_given} given, none on the wire", None, named)


def _finish(
    wanted: Channels, seen: Channels, terms: Terms, reasons: Mapping[str, FinishReason]
) -> Iterator[Difference]:
    raw = wanted.get("raw_finish_reason", seen.get("raw_finish_reason"))
    if "finish_reason" in wanted and terms.compares("finish_reason", seen.get("finish_reason")):
        yield from finish_reason(
            wanted["finish_reason"], seen.get("finish_reason"), reasons.get(str(raw))
        )
    if "raw_finish_reason" not in wanted:
        return
    word, given = wanted["raw_finish_reason"], seen.get("raw_finish_reason")
    if word != given and _is_due("raw_finish_reason", given, terms):
        yield Difference(
            "finish-word",
            "raw_finish_reason",
            f"raw_finish_reason {both(word, given)}",
            word,
            given,
        )


#: What a client says that has the words of Chat Completions only.
_NEAREST = (("refusal", "content_filter"), ("pause", "length"))


def finish_reason(wanted: Json, seen: Json, plain: FinishReason | None) -> Iterator[Difference]:
    """Yield the difference of a finish reason; ``plain`` is what the wire's word means."""
    if wanted == seen:
        return
    if (wanted, seen) in (("tool_calls", "stop"), ("stop", "tool_calls")):
        kind = "stop-with-call"
    elif plain is None or plain != wanted or (wanted, seen) in _NEAREST:
        kind = "finish-mapping"
    elif seen in (None, "unknown"):
        kind = "field-missing"
    else:
        kind = "finish-reason"
    yield Difference(
        kind,
        "finish_reason",
        f"finish_reason {wanted} expected, {'none' if seen is None else seen} given",
        wanted,
        seen,
    )


def error_differences(
    wanted: Mapping[str, Any], seen: Mapping[str, Any], terms: Terms
) -> Iterator[Difference]:
    """Yield where an error differs from the wanted one, by the keys that are wanted."""
    name, given = _class(wanted), _class(seen)
    if terms.errors != "none" and name and name != given:
        same_family = not families(name).isdisjoint(families(given or ""))
        if not same_family or terms.errors == "class":
            yield Difference(
                "error-detail" if same_family else "error-family",
                "error.class",
                f"{name} expected, {given} given",
                dict(wanted),
                dict(seen),
            )
    text = wanted.get("message_contains", "")
    message = str(seen.get("message", ""))
    if text.lower() not in message.lower() and terms.compares("error_message", message):
        yield Difference(
            "error-message",
            "error.message",
            f"{name}: the provider's message {shown(text)} is not in {shown(message)}",
            text,
            message,
        )
    for key, exposed in _ERROR_FIELDS.items():
        value = seen.get(key)
        if key not in wanted or wanted[key] == value or not _is_due(exposed, value, terms):
            continue
        yield Difference(
            "error-detail",
            f"error.{key}",
            f"{name}: {key} {both(wanted[key], value)}",
            wanted[key],
            value,
        )


def _class(error: Any) -> str | None:
    return error.get("class") if isinstance(error, Mapping) else None


def same(wanted: Any, seen: Any) -> bool:
    """Return whether two JSON values are equal; true is not 1."""
    match wanted:
        case Mapping():
            return (
                isinstance(seen, Mapping)
                and wanted.keys() == seen.keys()
                and all(same(value, seen[key]) for key, value in wanted.items())
            )
        case list() | tuple():
            return (
                isinstance(seen, list | tuple)
                and len(wanted) == len(seen)
                and all(map(same, wanted, seen))
            )
    return bool(wanted == seen) and isinstance(wanted, bool) is isinstance(seen, bool)


def same_keys(wanted: Any, seen: Any) -> bool:
    """Return whether ``seen`` is as ``wanted``: mappings by the keys given, lists by item."""
    match wanted:
        case Mapping():
            return isinstance(seen, Mapping) and all(
                same_keys(v, seen.get(k)) for k, v in wanted.items()
            )
        case list() | tuple():
            return (
                isinstance(seen, Sequence)
                and not isinstance(seen, str)
                and len(seen) == len(wanted)
                and all(same_keys(w, s) for w, s in zip(wanted, seen, strict=True))
            )
    return same(wanted, seen)


def first_difference(wanted: Any, seen: Any, *, exact: bool = False) -> tuple[str, Any, Any]:
    """Return the path of the first thing that differs, and both sides of it.

    Keys that only ``seen`` has count if the comparison is ``exact``.
    """
    steps: list[tuple[str, Any, Any]] = []
    if isinstance(wanted, Mapping) and isinstance(seen, Mapping):
        extra = [k for k in seen if k not in wanted] if exact else []
        steps = [(str(k), wanted.get(k), seen.get(k)) for k in (*wanted, *extra)]
    elif isinstance(wanted, list | tuple) and isinstance(seen, list | tuple):
        pairs = zip(wanted, seen, strict=True) if len(wanted) == len(seen) else ()
        steps = [(str(n), one, other) for n, (one, other) in enumerate(pairs)]
    for step, one, other in steps:
        if one != other if exact else not same_keys(one, other):
            path, one, other = first_difference(one, other, exact=exact)
            return f"{step}.{path}".rstrip("."), one, other
    return "", wanted, seen
