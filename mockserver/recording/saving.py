"""Cassettes of a session whose answers were made: what was said once can be played again.

They say ``origin: authored``, and that they are made up. Credentials of the clients are replaced,
as in recordings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from mockserver.backend import ANSWER_HEADER, Given
from mockserver.cassettes.cassette import (
    Cassette,
    Chunk,
    End,
    Interaction,
    Origin,
    Request,
    Response,
    Wire,
)
from mockserver.dialects import UnwritableError, written_request
from mockserver.dialects.addresses import DUMMY_KEY
from mockserver.errors import RecordingError
from mockserver.recording import writer
from mockserver.secrets import learned
from mockserver.secrets.scrub import Scrubber, SplitSecretError
from mockserver.serving.journal import Record
from mockserver.vocabulary.call import NeutralCall
from mockserver.wire.schedule import Coding, Ending, Schedule

#: The name of the cassette of all requests without a session.
_PLAIN = "answers"
_ENDS = {
    Ending.FINISH: End.EOF,
    Ending.TRUNCATE: End.TRUNCATED,
    Ending.RESET: End.RESET,
    Ending.STALL: End.TIMEOUT,
}
_HELLO = NeutralCall(model="any", messages=({"role": "user", "content": "Hello"},))


def save_answers(records: Iterable[Record], directory: Path) -> list[Path]:
    """Write the answers that were made, a cassette for each session, and return the files.

    Raises :class:`RecordingError` for a cassette that cannot be written; those before it are.
    """
    sessions: defaultdict[str, list[Interaction]] = defaultdict(list)
    for record in records:
        if isinstance(record.found, Given):
            entry = record.entry
            uri = _origin(record.found) + entry.path + (f"?{entry.query}" if entry.query else "")
            request = Request(method=entry.method, uri=uri, headers=entry.headers, body=entry.body)
            response = _response(record.found.exchange.schedule)
            sessions[entry.session or _PLAIN].append(Interaction(request, response))
    return [
        _save(directory / f"{name}.yaml", interactions) for name, interactions in sessions.items()
    ]


def _save(path: Path, interactions: Sequence[Interaction]) -> Path:
    known = {value for one in interactions for value in _credentials(one)}
    scrubber = Scrubber(known)
    try:
        scrubbed = tuple(scrubber.interaction(one) for one in interactions)
    except SplitSecretError as exc:
        raise RecordingError(path, [str(exc)]) from None
    writer.save(Cassette(path, scrubbed), known, ends=[*End])
    return path


def _credentials(one: Interaction) -> Iterator[str]:
    """Yield the values whose names mark them as secrets; the dummy key is none."""
    found = learned.of_exchange(one.request, one.response.headers, one.response.body)
    yield from (value for value in found if DUMMY_KEY not in value)


def _origin(given: Given) -> str:
    """Return the provider's own origin, as in a recording."""
    if given.asked is not None:
        try:
            url = urlsplit(written_request(given.asked.dialect, _HELLO).uri)
            return f"{url.scheme}://{url.netloc}"
        except UnwritableError:
            pass
    return "https://provider.example"


def _response(schedule: Schedule) -> Response:
    ends = [send.at_ms for send in schedule.sends]
    chunks = tuple(Chunk(send.at_ms, len(send.data)) for send in schedule.sends)
    is_whole = schedule.coding is Coding.LENGTH
    headers = tuple((n, v) for n, v in schedule.headers if n.lower() != ANSWER_HEADER)
    return Response(
        status=schedule.status,
        reason=schedule.reason,
        headers=headers,
        body=schedule.body,
        wire=Wire(
            headers_ms=schedule.headers_ms,
            chunks=None if is_whole else chunks,
            end_ms=ends[-1] if ends else schedule.headers_ms,
            end=_ENDS[schedule.ending],
            origin=Origin.AUTHORED,
        ),
    )
