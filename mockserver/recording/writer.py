"""Turn captured exchanges into a file: merge with the old one, scan, verify, replace.

Everything happens in memory until the last step. Any doubt stops it before.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from mockserver import files
from mockserver.cassettes import writer
from mockserver.cassettes.cassette import Cassette, End, Interaction, Request, Response
from mockserver.errors import RecordingError, UnwritableError
from mockserver.library import library, similarity
from mockserver.library.rule import EXACT, Rule
from mockserver.secrets.allowed import FILE as ALLOWED_FILE
from mockserver.secrets.scan import scan_cassette
from mockserver.serving.verify import verify_cassette

#: Checks a cassette before it is written, and raises if it must not be.
Check = Callable[[Cassette], None]

#: What is said of a recording without a request.
NO_REQUEST = "no request came in; check the client's base URL"
#: Endings that need no permission.
WHOLE = frozenset({End.EOF})


def save(
    cassette: Cassette,
    known: Iterable[str],
    *,
    ends: Collection[End] = WHOLE,
    check: Check | None = None,
    allowed: Iterable[str] = (),
    if_empty: str = NO_REQUEST,
) -> None:
    """Write a scrubbed cassette as a whole, or not at all.

    ``if_empty`` is said of a recording without a request. Raises :class:`RecordingError`
    that says where a secret is left, an answer is incomplete, or the recording is not replayed
    byte-exactly.
    """
    reasons = [
        f"interaction {number}: the answer ended with {end}; if that is intended, "
        f"allow it with --allow-end {end} (in pytest: ends=['{end}'])"
        for number, interaction in enumerate(cassette.interactions)
        if (end := interaction.response.wire.end) not in WHOLE | frozenset(ends)
    ]
    if not cassette.interactions:
        reasons.append(if_empty)
    # Searching costs most, so it comes last.
    reasons = reasons or leaks(cassette, known, allowed)
    text = b""
    if not reasons:
        # The dump was read back, and is equal.
        text = _comment(cassette.path) + writer.dump(cassette)
        reasons = [f"interaction {p.interaction}: {p.message}" for p in verify_cassette(cassette)]
    if reasons:
        raise RecordingError(cassette.path, reasons)
    if check is not None:
        check(cassette)
    files.remove_leftovers(cassette.path)
    library.replace(cassette.path, text)


def leaks(cassette: Cassette, known: Iterable[str], allowed: Iterable[str] = ()) -> list[str]:
    """Return where secrets are left in a scrubbed cassette, and how to allow what is none."""
    hits = scan_cassette(cassette, known, allowed)
    return [
        *(f"interaction {h.interaction}: {h.place}: {h.kind}" for h in hits),
        *how_to_allow(h.mark for h in hits),
    ]


def how_to_allow(marks: Iterable[str]) -> Iterator[str]:
    """Yield what to do about texts that are refused, if there are any, by their marks."""
    options = " ".join(f"--allow {mark}" for mark in dict.fromkeys(marks) if mark)
    if options:
        yield (
            f"if that is no secret, add {options}, or a line of {ALLOWED_FILE} for each; "
            "else let the client not send it, or the server not answer it"
        )


def merge(
    old: Cassette, new: Sequence[Interaction], rule: Rule = EXACT
) -> tuple[tuple[Interaction, ...], int]:
    """Return the interactions of a new recording, with old ones where nothing has changed.

    An old answer keeps its bytes, times and ids, and is marked as confirmed at the time of the
    new one. An old request stays as it is where the rule sees no difference. New text gets the old
    ids. If all interactions are unchanged, their old order stays. Also return how many are
    unchanged.
    """
    ids = similarity.Renaming()
    matched: dict[int, int] = {}
    same_requests: set[int] = set()
    same_responses: set[int] = set()
    for before, after in similarity.pairs(old.interactions, new, rule):
        if before is None or after is None:
            continue
        matched[after] = before
        ours, theirs = old.interactions[before], new[after]
        trial = ids.copy()
        if similarity.same_request(ours.request, theirs.request, trial, rule):
            ids = trial
            same_requests.add(after)
        trial = ids.copy()
        if similarity.same_response(ours.response, theirs.response, trial):
            ids = trial
            same_responses.add(after)
    kept: list[Request | Response] = []
    for number, other in matched.items():
        if number in same_requests:
            kept.append(old.interactions[other].request)
            ids.pair(kept[-1], new[number].request)
        if number in same_responses:
            kept.append(old.interactions[other].response)
            ids.pair(kept[-1], new[number].response)
    ids.keep_apart(new, kept)
    out = []
    for number, interaction in enumerate(new):
        renamed = ids.restore(interaction)
        known = old.interactions[matched[number]] if number in matched else renamed
        out.append(
            Interaction(
                known.request if number in same_requests else renamed.request,
                _mark_confirmed(known.response, interaction)
                if number in same_responses
                else renamed.response,
            )
        )
    unchanged = same_requests & same_responses
    if len(unchanged) == len(new) == len(old.interactions):
        out = [out[number] for number in sorted(unchanged, key=lambda n: matched[n])]
    return tuple(out), len(unchanged)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a cassette for one recorder. Raises :class:`RecordingError` if another has it.

    Raises :class:`UnwritableError` if it cannot be locked.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(files.lock(path))
        except files.LockedError:
            raise RecordingError(
                path, ["another process is recording into it; wait until that ends"]
            ) from None
        except OSError as exc:
            raise UnwritableError(path, f"cannot be locked: {exc.strerror}") from None
        yield


def _mark_confirmed(old: Response, new: Interaction) -> Response:
    recorded = {**old.wire.recorded, "confirmed": new.response.wire.recorded["at"]}
    return replace(old, wire=replace(old.wire, recorded=recorded))


def _comment(path: Path) -> bytes:
    """Return the comment lines at the head of the old file, which were written by hand."""
    lines: list[bytes] = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    comments = list(itertools.takewhile(lambda line: line.startswith(b"#"), lines))
    return b"".join(comments)
