"""What Bedrock serves besides Converse: embeddings by InvokeModel, token counts, models. Pure.

Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/ (CountTokens,
ListFoundationModels, GetFoundationModel),
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html and
.../model-parameters-embed.html.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote
from uuid import UUID

from mockserver.cassettes.cassette import Request, Response, header_value
from mockserver.dialects.bedrock.call import read_call
from mockserver.dialects.embedding import rounded, size_of, texts_of
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.side import Side, SideRoute, refused
from mockserver.dialects.writing import compact, digest, whole
from mockserver.vocabulary.model import Json, JsonObject

_EXAMPLES = (
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "amazon.nova-lite-v1:0",
    "amazon.titan-embed-text-v2:0",
    "cohere.embed-english-v3",
)
#: What the names of models contain that make embeddings.
_TITAN, _COHERE = "titan-embed", "cohere.embed"
_SIZE, _FIRST_TITAN = 1024, 1536
_ARN = "arn:aws:bedrock:us-east-1::foundation-model/"


def knows(request: Request) -> bool:
    """Return whether it is signed for AWS, or names a model as Bedrock does."""
    key = header_value(request.headers, "authorization") or ""
    return key.startswith("AWS4-") or "/model/" in request.url.path


def _embeds(request: Request) -> bool:
    path = unquote(request.url.path)
    return _TITAN in path or _COHERE in path


def _invoke(side: Side) -> Response:
    body = body_of(side.request)
    model = side.named[0]
    return _titan(side, body, model) if _TITAN in model else _cohere(side, body)


def _titan(side: Side, body: JsonObject, model: str) -> Response:
    text = body.get("inputText")
    if not isinstance(text, str) or not text:
        raise refused("Malformed input request: expected minLength: 1 for inputText")
    first = "-v1" in model or model.endswith(f"{_TITAN}-text")
    size = size_of(body.get("dimensions"), _FIRST_TITAN if first else _SIZE, "dimensions")
    vector = rounded(side.desk.vector(text, size))
    answer: JsonObject = {"embedding": vector, "inputTextTokenCount": len(side.desk.tokens(text))}
    if not first:
        answer["embeddingsByType"] = {"float": vector}
    return _answer(side, answer)


def _cohere(side: Side, body: JsonObject) -> Response:
    texts = texts_of(body.get("texts"), "texts")
    size = size_of(body.get("output_dimension"), _SIZE, "output_dimension")
    vectors = [rounded(side.desk.vector(text, size)) for text in texts]
    by_type = body.get("embedding_types") is not None
    return _answer(
        side,
        {
            "id": _id(side),
            "response_type": "embeddings_by_type" if by_type else "embeddings_floats",
            "embeddings": {"float": vectors} if by_type else vectors,
            "texts": texts,
        },
    )


def _count(side: Side) -> Response:
    given = body_of(side.request).get("input")
    asked = given.get("converse") if isinstance(given, dict) else None
    if not isinstance(asked, dict):
        raise refused("tapecheck: tokens are counted for the input of Converse only")
    url = side.request.url
    path = url.path.removesuffix("count-tokens") + "converse"
    request = replace(
        side.request, uri=url._replace(path=path).geturl(), body=compact(asked).encode()
    )
    return _answer(side, {"inputTokens": side.desk.input_tokens(read_call(request))})


def _models(side: Side) -> Response:
    names = side.desk.models or _EXAMPLES
    return _answer(side, {"modelSummaries": [_model(name) for name in names]})


def _one_model(side: Side) -> Response:
    return _answer(side, {"modelDetails": _model(side.named[0])})


def _model(name: str) -> JsonObject:
    embeds = _TITAN in name or _COHERE in name
    return {
        "modelArn": _ARN + name,
        "modelId": name,
        "modelName": name,
        "providerName": name.partition(".")[0].capitalize(),
        "inputModalities": ["TEXT"] if embeds else ["TEXT", "IMAGE"],
        "outputModalities": ["EMBEDDING" if embeds else "TEXT"],
        "responseStreamingSupported": not embeds,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _id(side: Side) -> str:
    request = side.request
    found = digest(request.uri, request.body.decode(errors="replace"), length=32)
    return str(UUID(hex=found, version=4))


def _answer(side: Side, value: Json) -> Response:
    return whole(value, headers=(("x-amzn-requestid", _id(side)),))


ROUTES = (
    SideRoute("POST", "/model/{model}/invoke", _invoke, _embeds),
    SideRoute("POST", "/model/{model}/count-tokens", _count),
    SideRoute("GET", "/foundation-models", _models),
    SideRoute("GET", "/foundation-models/{model}", _one_model),
)
