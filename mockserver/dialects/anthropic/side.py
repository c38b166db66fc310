"""What Anthropic serves besides messages: models, and counting tokens. Pure.

Sources: https://platform.claude.com/docs/en/api/models/list and .../messages/count_tokens, and the
types of the SDK ``anthropic``.
"""

from __future__ import annotations

from mockserver.cassettes.cassette import Request, Response, header_value
from mockserver.dialects.anthropic.call import read_call
from mockserver.dialects.side import Side, SideRoute
from mockserver.dialects.writing import digest, whole
from mockserver.vocabulary.model import Json, JsonObject

_EXAMPLES = ("claude-opus-5", "claude-sonnet-5", "claude-haiku-4-5")
_CREATED = "2025-11-21T08:00:00Z"
#: How many models a page has, if nothing is asked.
_PAGE = 20


def knows(request: Request) -> bool:
    """Return whether it has a header that only this API has, or names the company."""
    headers = request.headers
    named = any(header_value(headers, name) for name in ("anthropic-version", "x-api-key"))
    return named or "/anthropic/" in request.url.path


def _models(side: Side) -> Response:
    names = list(side.desk.models or _EXAMPLES)
    after, before = side.query.get("after_id"), side.query.get("before_id")
    if after in names:
        names = names[names.index(after) + 1 :]
    if before in names:
        names = names[: names.index(before)]
    limit = side.number("limit", _PAGE)
    page = names[:limit]
    return _answer(
        side,
        {
            "data": [_model(name) for name in page],
            "has_more": len(names) > len(page),
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
        },
    )


def _one_model(side: Side) -> Response:
    return _answer(side, _model(side.named[0]))


def _model(name: str) -> JsonObject:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": _CREATED,
        "lifecycle": "active",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
    }


def _count(side: Side) -> Response:
    return _answer(side, {"input_tokens": side.desk.input_tokens(read_call(side.request))})


def _answer(side: Side, value: Json) -> Response:
    request = side.request
    id_ = "req_011C" + digest(request.uri, request.body.decode(errors="replace"), length=20)
    return whole(value, headers=(("request-id", id_),))


ROUTES = (
    SideRoute("GET", "/models", _models, knows),
    SideRoute("GET", "/models/{model}", _one_model, knows),
    SideRoute("POST", "/messages/count_tokens", _count),
    # Vertex AI has no other place for it: the model is in the body then.
    SideRoute("POST", "/models/count-tokens:rawPredict", _count),
)
