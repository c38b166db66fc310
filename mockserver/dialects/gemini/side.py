"""What Gemini serves besides answers: models, embeddings, counting tokens. Pure.

Those of AI Studio and of Vertex AI, which embeds by ``:predict`` too. Sources:
https://ai.google.dev/api/models, https://ai.google.dev/api/embeddings,
https://ai.google.dev/api/tokens, and ``models.py`` of google-genai 3.6.1.
"""

from __future__ import annotations

import re
from dataclasses import replace

from mockserver.cassettes.cassette import Request, Response, header_value
from mockserver.dialects.embedding import rounded, size_of
from mockserver.dialects.gemini.call import read_call
from mockserver.dialects.gemini.errors import pretty
from mockserver.dialects.gemini.spelling import folded
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.side import Side, SideRoute, refused
from mockserver.dialects.writing import compact
from mockserver.vocabulary.model import Json, JsonObject

_EXAMPLES = ("gemini-3.8-flash", "gemini-2.5-flash", "gemini-embedding-001")
#: Numbers of an embedding.
_SIZE = 3072
#: A key in the query.
_KEY = re.compile("(?:^|&)key=")
_VERTEX = "publishers/google/models/"
_METHODS = ["generateContent", "streamGenerateContent", "countTokens"]
_EMBEDDING_METHODS = ["embedContent", "batchEmbedContents", "countTokens"]


def knows(request: Request) -> bool:
    """Return whether it has a key as Google takes one, or a version that only Google has."""
    url = request.url
    if "/openai/" in url.path:
        return False
    keyed = header_value(request.headers, "x-goog-api-key") or _KEY.search(url.query)
    return bool(keyed) or "/v1beta/" in url.path or "/v1alpha/" in url.path


def _models(side: Side) -> Response:
    names = side.desk.models or _EXAMPLES
    start, size = side.number("pageToken", 0), side.number("pageSize", 50) or 50
    page: JsonObject = {"models": [_model(name) for name in names[start : start + size]]}
    if start + size < len(names):
        page["nextPageToken"] = str(start + size)
    return pretty(page)


def _one_model(side: Side) -> Response:
    return pretty(_model(side.named[0]))


def _model(name: str) -> JsonObject:
    embeds = "embedding" in name
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "description": "A model that tapecheck plays.",
        "inputTokenLimit": 2048 if embeds else 1_048_576,
        "outputTokenLimit": 1 if embeds else 65_536,
        "supportedGenerationMethods": _EMBEDDING_METHODS if embeds else _METHODS,
    }


def _vertex_models(side: Side) -> Response:
    names = side.desk.models or _EXAMPLES
    return pretty({"publisherModels": [_vertex_model(name) for name in names]})


def _one_vertex_model(side: Side) -> Response:
    return pretty(_vertex_model(side.named[0]))


def _vertex_model(name: str) -> JsonObject:
    return {"name": f"{_VERTEX}{name}", "versionId": "001", "launchStage": "GA"}


def _count(side: Side) -> Response:
    """Count the contents, or all of a request that is given as a whole."""
    body: JsonObject = folded(body_of(side.request))
    inner = body.get("generateContentRequest")
    asked = inner if isinstance(inner, dict) else body
    url = side.request.url
    path = url.path.rpartition(":")[0] + ":generateContent"
    request = replace(
        side.request, uri=url._replace(path=path).geturl(), body=compact(asked).encode()
    )
    count = side.desk.input_tokens(read_call(request))
    details = [{"modality": "TEXT", "tokenCount": count}]
    return pretty({"totalTokens": count, "promptTokensDetails": details})


def _embed(side: Side) -> Response:
    text, size = _asked(folded(body_of(side.request)))
    count = len(side.desk.tokens(text))
    return pretty(
        {
            "embedding": {"values": rounded(side.desk.vector(text, size))},
            "usageMetadata": {"promptTokenCount": count, "totalTokenCount": count},
        }
    )


def _embed_batch(side: Side) -> Response:
    body: JsonObject = folded(body_of(side.request))
    requests = body.get("requests")
    if not isinstance(requests, list) or not requests:
        raise refused("requests: a list of at least one request is required")
    found, count = [], 0
    for request in requests:
        text, size = _asked(request)
        count += len(side.desk.tokens(text))
        found.append({"values": rounded(side.desk.vector(text, size))})
    usage = {"promptTokenCount": count, "totalTokenCount": count}
    return pretty({"embeddings": found, "usageMetadata": usage})


def _asked(request: Json) -> tuple[str, int]:
    """Return the text to embed and how many numbers it shall have."""
    if not isinstance(request, dict):
        raise refused("requests: each is an object")
    config = request.get("embedContentConfig")
    size = request.get("outputDimensionality")
    if size is None and isinstance(config, dict):
        size = config.get("outputDimensionality")
    text = _text(request.get("content"))
    return text, size_of(size, _SIZE, "outputDimensionality")


def _text(content: Json) -> str:
    """Return the text of a content; what is no text, such as an image, counts as its JSON."""
    parts = content.get("parts") if isinstance(content, dict) else content
    found = parts if isinstance(parts, list) else [parts]
    texts = [part["text"] if _is_text(part) else compact(part) for part in found if part]
    if not any(texts):
        raise refused("content: a content with parts is required")
    return "\n".join(texts)


def _is_text(part: Json) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str)


def _predict(side: Side) -> Response:
    """Embed as the older models of Vertex AI do; other predictions are not served."""
    body = body_of(side.request)
    instances = body.get("instances")
    if not isinstance(instances, list) or not instances:
        raise refused("instances: a list of at least one instance is required")
    parameters = body.get("parameters")
    asked = parameters.get("outputDimensionality") if isinstance(parameters, dict) else None
    size = size_of(asked, _SIZE, "outputDimensionality")
    predictions = []
    for instance in instances:
        text = instance.get("content") if isinstance(instance, dict) else None
        if not isinstance(text, str):
            raise refused(
                "tapecheck: predictions are served for embeddings only, of instances with content",
                status=404,
            )
        count = len(side.desk.tokens(text))
        values = rounded(side.desk.vector(text, size))
        statistics = {"token_count": count, "truncated": False}
        predictions.append({"embeddings": {"values": values, "statistics": statistics}})
    return pretty({"predictions": predictions})


ROUTES = (
    SideRoute("GET", "/publishers/google/models", _vertex_models, lambda _: True),
    SideRoute("GET", "/publishers/google/models/{model}", _one_vertex_model, lambda _: True),
    SideRoute("GET", "/models", _models, knows),
    SideRoute("GET", "/models/{model}", _one_model, knows),
    SideRoute("POST", "/models/{model}:countTokens", _count),
    SideRoute("POST", "/models/{model}:embedContent", _embed),
    SideRoute("POST", "/models/{model}:batchEmbedContents", _embed_batch),
    SideRoute("POST", "/models/{model}:predict", _predict),
)
