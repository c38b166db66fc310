"""What OpenAI serves besides answers: models, embeddings, moderations. Pure.

Sources: https://platform.openai.com/docs/api-reference (models, embeddings, moderations), and the
types of the SDK ``openai``.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from mockserver.cassettes.cassette import Request, Response, header_value
from mockserver.dialects.embedding import packed, rounded, size_of
from mockserver.dialects.openai_writing import CREATED, request_headers
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.side import Side, SideRoute, refused
from mockserver.dialects.writing import digest, whole
from mockserver.vocabulary.model import Json, JsonObject

_EXAMPLES = (
    "gpt-5.5",
    "gpt-5.4-mini",
    "gpt-4o-mini",
    "text-embedding-3-large",
    "text-embedding-3-small",
    "omni-moderation-latest",
)
#: Numbers of an embedding, by model.
_SIZES = {"text-embedding-3-large": 3072}
_SIZE = 1536
#: The most inputs of one request.
_INPUTS = 2048
_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
#: What the moderation says of everything: nothing is wrong with it.
_SCORE = 0.00001
_DEPLOYMENT = re.compile("/deployments/([^/]+)/")


def knows(request: Request) -> bool:
    """Return whether a request looks like one to OpenAI: the most common form of all."""
    key = header_value(request.headers, "authorization") or ""
    path = request.url.path
    return "/v1/" in path or "/openai/" in path or key.startswith("Bearer ")


def deployment(request: Request) -> str:
    """Return the deployment that a path of Azure names, which is the model there; else nothing."""
    found = _DEPLOYMENT.search(request.url.path)
    return unquote(found[1]) if found else ""


def _models(side: Side) -> Response:
    names = side.desk.models or _EXAMPLES
    return _answer(side, {"object": "list", "data": [_model(name) for name in names]})


def _one_model(side: Side) -> Response:
    return _answer(side, _model(side.named[0]))


def _model(name: str) -> JsonObject:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "tapecheck"}


def _embeddings(side: Side) -> Response:
    body = body_of(side.request)
    model = body.get("model") or deployment(side.request)
    if not isinstance(model, str) or not model:
        raise refused("you must provide a model parameter")
    size = size_of(body.get("dimensions"), _SIZES.get(model, _SIZE), "dimensions")
    form = body.get("encoding_format") or "float"
    if form not in ("float", "base64"):
        raise refused(f"encoding_format is float or base64, not {form!r:.80}")
    texts, used = _inputs(side, body.get("input"))
    data = []
    for index, text in enumerate(texts):
        vector = side.desk.vector(text, size)
        said: Json = packed(vector) if form == "base64" else rounded(vector)
        data.append({"object": "embedding", "index": index, "embedding": said})
    usage = {"prompt_tokens": used, "total_tokens": used}
    return _answer(side, {"object": "list", "data": data, "model": model, "usage": usage})


def _inputs(side: Side, given: Json) -> tuple[list[str], int]:
    """Return the texts to embed and their tokens. A list of numbers is a text in tokens."""
    inputs = given if isinstance(given, list) else [given]
    if inputs and all(_is_number(number) for number in inputs):
        inputs = [inputs]
    texts, used = [], 0
    for one in inputs:
        if isinstance(one, str) and one:
            texts.append(one)
            used += len(side.desk.tokens(one))
        elif isinstance(one, list) and one and all(_is_number(number) for number in one):
            texts.append(" ".join(map(str, one)))
            used += len(one)
        else:
            texts.clear()
            break
    if not texts or len(texts) > _INPUTS:
        raise refused("'$.input' is invalid. Please check the API reference.")
    return texts, used


def _is_number(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _moderations(side: Side) -> Response:
    body = body_of(side.request)
    given = body.get("input")
    if isinstance(given, list) and given and all(isinstance(one, str) for one in given):
        count = len(given)
    elif (isinstance(given, str) and given) or (isinstance(given, list) and given):
        # Parts of one message, texts and images.
        count = 1
    else:
        raise refused("'$.input' is invalid. Please check the API reference.")
    result = {
        "flagged": False,
        "categories": dict.fromkeys(_CATEGORIES, False),
        "category_scores": dict.fromkeys(_CATEGORIES, _SCORE),
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }
    id_ = "modr-" + digest(side.request.body.decode(errors="replace"), length=32)
    model = str(body.get("model") or "omni-moderation-latest")
    return _answer(side, {"id": id_, "model": model, "results": [result] * count})


def _answer(side: Side, value: Json) -> Response:
    request = side.request
    return whole(value, headers=request_headers(request.uri, request.body.decode(errors="replace")))


ROUTES = (
    SideRoute("GET", "/models", _models),
    SideRoute("GET", "/models/{model*}", _one_model),
    SideRoute("POST", "/embeddings", _embeddings),
    SideRoute("POST", "/moderations", _moderations),
)
