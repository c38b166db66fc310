"""What Cohere serves besides chat: models, embeddings, reranking, tokens. Pure.

Sources: https://docs.cohere.com/reference (models, embed, rerank, tokenize), and the types of the
SDK ``cohere``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence

from mockserver.cassettes.cassette import Request, Response, header_value
from mockserver.dialects.cohere.answer import trace_of
from mockserver.dialects.embedding import packed, product, rounded, size_of, texts_of
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.side import Side, SideRoute, refused
from mockserver.dialects.writing import compact, digest, whole
from mockserver.vocabulary.model import Json, JsonObject

_EXAMPLES = ("command-a-03-2025", "command-r7b-12-2024", "embed-v4.0", "rerank-v3.5")
#: Numbers of an embedding, by a part of the model's name.
_SIZES = {"v4": 1536, "light": 384}
_SIZE = 1024
_VOCABULARY = 255_000


def knows(request: Request) -> bool:
    """Return whether Cohere's SDK sends it."""
    agent = header_value(request.headers, "user-agent") or ""
    name = header_value(request.headers, "x-fern-sdk-name") or ""
    return agent.startswith("cohere") or name.startswith("cohere")


def _models(side: Side) -> Response:
    return _answer(side, {"models": [_model(name) for name in side.desk.models or _EXAMPLES]})


def _one_model(side: Side) -> Response:
    return _answer(side, _model(side.named[0]))


def _model(name: str) -> JsonObject:
    kind = name.partition("-")[0]
    endpoint = kind if kind in ("embed", "rerank") else "chat"
    return {
        "name": name,
        "is_deprecated": False,
        "endpoints": [endpoint],
        "finetuned": False,
        "context_length": 128_000,
        "default_endpoints": [],
    }


def _embed(side: Side) -> Response:
    body = body_of(side.request)
    texts, given = _inputs(body)
    model = str(body.get("model") or "")
    default = next((size for part, size in _SIZES.items() if part in model), _SIZE)
    size = size_of(body.get("output_dimension"), default, "output_dimension")
    vectors = [side.desk.vector(text, size) for text in texts]
    kinds = body.get("embedding_types")
    older = kinds is None and _version(side) == "1"
    if older:
        said: Json = [rounded(vector) for vector in vectors]
    else:
        said = {kind: [_AS[kind](v) for v in vectors] for kind in _kinds(kinds)}
    count = sum(len(side.desk.tokens(text)) for text in texts)
    return _answer(
        side,
        {
            "id": _id(side),
            "response_type": "embeddings_floats" if older else "embeddings_by_type",
            "embeddings": said,
            "texts": given,
            "meta": _meta(side, input_tokens=count),
        },
    )


def _inputs(body: JsonObject) -> tuple[list[str], list[str]]:
    """Return what to embed, and those of it that are plain texts. An image is its address."""
    if body.get("texts"):
        texts = texts_of(body["texts"], "texts")
        return texts, texts
    if body.get("images"):
        return texts_of(body["images"], "images"), []
    inputs = body.get("inputs")
    if isinstance(inputs, list) and inputs:
        return [_content(given) for given in inputs], []
    raise refused("invalid request: exactly one of texts, images and inputs must be provided")


def _content(given: Json) -> str:
    """Return the texts of a mixed input; what is no text counts as its JSON."""
    content = given.get("content") if isinstance(given, dict) else None
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise refused("invalid request: each of inputs has a list of content")
    texts = [part.get("text") for part in content]
    pairs = zip(texts, content, strict=True)
    return "\n".join(text if isinstance(text, str) else compact(part) for text, part in pairs)


def _kinds(kinds: Json) -> list[str]:
    if kinds is None:
        return ["float"]
    if isinstance(kinds, list) and all(isinstance(k, str) and k in _AS for k in kinds):
        return kinds
    raise refused(f"invalid request: embedding_types are some of {', '.join(_AS)}")


def _bytes(vector: Sequence[float]) -> list[int]:
    return [round(number * 127) for number in vector]


def _bits(vector: Sequence[float]) -> list[int]:
    """Return eight signs to a byte, the first in its highest bit."""
    signs = [number > 0 for number in vector]
    eights = (signs[at : at + 8] for at in range(0, len(signs), 8))
    return [sum(sign << (7 - place) for place, sign in enumerate(eight)) for eight in eights]


_AS: Mapping[str, Callable[[Sequence[float]], Json]] = {
    "float": rounded,
    "int8": _bytes,
    "uint8": lambda vector: [number + 128 for number in _bytes(vector)],
    "binary": lambda vector: [byte - 128 for byte in _bits(vector)],
    "ubinary": _bits,
    "base64": packed,
}


def _rerank(side: Side) -> Response:
    body = body_of(side.request)
    query, documents = body.get("query"), body.get("documents")
    if not isinstance(query, str) or not query:
        raise refused("invalid request: query must not be empty")
    if not isinstance(documents, list) or not documents:
        raise refused("invalid request: list of documents must not be empty")
    texts = [_document(document) for document in documents]
    asked = side.desk.vector(query, _SIZE)
    scores = [product(asked, side.desk.vector(text, _SIZE)) for text in texts]
    order = sorted(range(len(texts)), key=lambda number: -scores[number])
    most = size_of(body.get("top_n"), len(order), "top_n")
    results: list[JsonObject] = []
    for number in order[:most]:
        score = round(min(max(scores[number], 0.0), 1.0), 7)
        result: JsonObject = {"index": number, "relevance_score": score}
        if body.get("return_documents") is True:
            result["document"] = {"text": texts[number]}
        results.append(result)
    return _answer(side, {"id": _id(side), "results": results, "meta": _meta(side, search_units=1)})


def _document(document: Json) -> str:
    match document:
        case str():
            return document
        case {"text": str(text)}:
            return text
        case dict():
            return compact(document)
    raise refused("invalid request: a document is a text or an object")


def _tokenize(side: Side) -> Response:
    text = body_of(side.request).get("text")
    if not isinstance(text, str) or not text:
        raise refused("invalid request: text must be at least 1 character long")
    found = side.desk.tokens(text)
    numbers = [zlib.crc32(token.encode(errors="replace")) % _VOCABULARY for token in found]
    meta = _meta(side)
    return _answer(side, {"tokens": numbers, "token_strings": found, "meta": meta})


def _check_key(side: Side) -> Response:
    return _answer(side, {"valid": True})


def _meta(side: Side, **billed: int) -> JsonObject:
    units = {"billed_units": billed} if billed else {}
    return {"api_version": {"version": _version(side)}, **units}


def _version(side: Side) -> str:
    return "1" if "/v1/" in side.request.url.path else "2"


def _id(side: Side) -> str:
    found = digest(side.request.uri, side.request.body.decode(errors="replace"), length=32)
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


def _answer(side: Side, value: Json) -> Response:
    return whole(value, headers=trace_of(_id(side)))


ROUTES = (
    SideRoute("GET", "/models", _models, knows),
    SideRoute("GET", "/models/{model}", _one_model, knows),
    SideRoute("POST", "/v1/embed", _embed),
    SideRoute("POST", "/v2/embed", _embed),
    SideRoute("POST", "/rerank", _rerank),
    SideRoute("POST", "/tokenize", _tokenize),
    SideRoute("POST", "/check-api-key", _check_key),
)
