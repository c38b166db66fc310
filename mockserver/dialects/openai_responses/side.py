"""What the Responses API serves beside answers: stored responses, jobs, and counting. Pure.

A job is queued when it is created, in progress when it is asked for the first time, and ended from
the second time on. Sources: https://platform.openai.com/docs/api-reference/responses,
https://platform.openai.com/docs/guides/background, and the types of the SDK ``openai``.
"""

from __future__ import annotations

from mockserver.cassettes.cassette import Response
from mockserver.dialects.openai_objections import missing
from mockserver.dialects.openai_responses import conversations
from mockserver.dialects.openai_responses.answer import (
    Manner,
    events,
    job_headers,
    response_of,
)
from mockserver.dialects.openai_responses.items import items_of, kept, page
from mockserver.dialects.openai_responses.stored import (
    Compacted,
    Stored,
    find_response,
    read_asked,
    whole,
)
from mockserver.dialects.openai_writing import CREATED, headers_of, request_headers
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.side import ObjectionError, Side, SideRoute, refused
from mockserver.dialects.writing import compact, digest, streamed
from mockserver.dialects.writing import whole as answer_of
from mockserver.vocabulary.model import JsonObject

#: How often a job is polled before it has ended.
_POLLS = 2
_JOB = Manner(queued=True)


def _retrieve(side: Side) -> Response:
    stored = find_response(side.named[0], side.desk.memory)
    if side.query.get("stream") == "true":
        return _stream(side, stored)
    stored.polls += 1
    headers = headers_of(stored.turn)
    status = _status(stored)
    if status == "in_progress":
        headers = job_headers(stored.turn)
    return answer_of(response_of(stored.turn, stored.body, status), headers=headers)


def _status(stored: Stored) -> str | None:
    """Return the status of a response that says nothing; ``None`` for one that has ended."""
    if stored.cancelled:
        return "cancelled"
    waits = stored.is_job and not stored.body.get("stream") and stored.polls < _POLLS
    return "in_progress" if waits else None


def _stream(side: Side, stored: Stored) -> Response:
    """Return the events behind the one that the query names, or all."""
    if stored.cancelled:
        raise refused("tapecheck: a response that was cancelled is not streamed; poll it")
    stored.polls = _POLLS
    first = side.number("starting_after", -1) + 1
    manner = _JOB if stored.is_job else Manner()
    pieces = list(events(stored.turn, stored.body, side.desk.pace, manner))[first:]
    return streamed(pieces, side.desk.pace, headers=headers_of(stored.turn))


def _cancel(side: Side) -> Response:
    """Cancel a job; one that has ended stays as it is."""
    stored = find_response(side.named[0], side.desk.memory)
    if not stored.is_job:
        raise refused("Cannot cancel a synchronous response.")
    stored.cancelled = stored.cancelled or stored.polls < _POLLS
    response = response_of(stored.turn, stored.body, _status(stored))
    return answer_of(response, headers=headers_of(stored.turn))


def _delete(side: Side) -> Response:
    id_ = side.named[0]
    find_response(id_, side.desk.memory)
    side.desk.memory.forget(id_)
    return _answer(side, {"id": id_, "object": "response", "deleted": True})


def _input_items(side: Side) -> Response:
    stored = find_response(side.named[0], side.desk.memory)
    return _answer(side, page(side, stored.items))


def _count(side: Side) -> Response:
    count = side.desk.input_tokens(read_asked(side.request, side.desk.memory))
    return _answer(side, {"object": "response.input_tokens", "input_tokens": count})


def _compact(side: Side) -> Response:
    """Return the messages of the user, and one item that stands for the rest."""
    memory = side.desk.memory
    body = whole(body_of(side.request), memory)
    if not body.get("model"):
        raise ObjectionError(missing("model"))
    seed = digest(body, length=48)
    items = [kept(item, seed, number) for number, item in enumerate(items_of(body.get("input")))]
    given = side.desk.input_tokens(read_asked(side.request, memory))
    rest = tuple(item for item in items if item.get("role") != "user")
    sealed = "gAAAAAB" + digest("compacted", seed, length=120)
    memory.keep(sealed, Compacted(rest), sum(len(compact(item)) for item in rest))
    item = {"type": "compaction", "id": f"cmp_{seed}", "encrypted_content": sealed}
    made = len(side.desk.tokens(sealed))
    return _answer(
        side,
        {
            "id": f"resp_{seed}",
            "object": "response.compaction",
            "created_at": CREATED,
            "output": [*(one for one in items if one.get("role") == "user"), item],
            "usage": {
                "input_tokens": given,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": made,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": given + made,
            },
        },
    )


def _answer(side: Side, value: JsonObject) -> Response:
    request = side.request
    headers = request_headers(request.uri, request.body.decode(errors="replace"))
    return answer_of(value, headers=headers)


ROUTES = (
    SideRoute("POST", "/responses/compact", _compact),
    SideRoute("POST", "/responses/input_tokens", _count),
    SideRoute("GET", "/responses/{response}", _retrieve),
    SideRoute("DELETE", "/responses/{response}", _delete),
    SideRoute("POST", "/responses/{response}/cancel", _cancel),
    SideRoute("GET", "/responses/{response}/input_items", _input_items),
    *conversations.ROUTES,
)
