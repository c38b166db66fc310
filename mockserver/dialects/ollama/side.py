"""What Ollama serves besides answers: models, embeddings, downloads, its version. Pure.

Nothing is downloaded: a pull says at once that it is done. Sources:
https://github.com/ollama/ollama/blob/main/docs/api.md, and the types of the SDK ``ollama``.
"""

from __future__ import annotations

from mockserver.cassettes.cassette import Origin, Request, Response, Wire
from mockserver.dialects.dialect import UnreadableRequestError
from mockserver.dialects.embedding import rounded, size_of, texts_of
from mockserver.dialects.ollama.answer import as_go_writes, go_json
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.side import Side, SideRoute, refused
from mockserver.dialects.writing import Pace, digest, streamed, whole
from mockserver.vocabulary.model import Json, JsonObject

_EXAMPLES = ("llama3.2:latest", "qwen3:latest", "nomic-embed-text:latest")
_VERSION = "0.13.0"
_MODIFIED = "2026-01-02T03:04:05.678901Z"
_EXPIRES = "2126-01-02T03:04:05.678901Z"
_BYTES = 2_019_393_189
_CONTEXT = 131_072
_FAMILY = "llama"
#: Numbers of an embedding.
_SIZE = 768
#: Nanoseconds that an embedding is said to take.
_TIMES = {"total_duration": 14_143_917, "load_duration": 1_019_500}
_RUNNING = b"Ollama is running"
_PULLED = ("verifying sha256 digest", "writing manifest", "success")


def _root(_side: Side) -> Response:
    return Response(
        status=200,
        reason="OK",
        headers=(("content-type", "text/plain; charset=utf-8"),),
        body=_RUNNING,
        wire=Wire(origin=Origin.AUTHORED),
    )


def _version(_side: Side) -> Response:
    return _answer({"version": _VERSION})


def _tags(side: Side) -> Response:
    return _answer({"models": [_model(name) for name in side.desk.models or _EXAMPLES]})


def _running(side: Side) -> Response:
    names = side.desk.models or _EXAMPLES[:1]
    loaded = {"expires_at": _EXPIRES, "size_vram": _BYTES, "context_length": 4096}
    models = [_model(name) | loaded for name in names]
    for model in models:
        del model["modified_at"]
    return _answer({"models": models})


def _show(side: Side) -> Response:
    name = _named(body_of(side.request))
    embeds = "embed" in name
    abilities = ["embedding"] if embeds else ["completion", "tools", "thinking", "vision"]
    return _answer(
        {
            "modelfile": f"FROM {name}\n",
            "parameters": "",
            "template": "{{ .Prompt }}",
            "details": _details(),
            "model_info": {
                "general.architecture": _FAMILY,
                "general.parameter_count": 3_212_749_888,
                f"{_FAMILY}.context_length": _CONTEXT,
                f"{_FAMILY}.embedding_length": _SIZE,
            },
            "capabilities": abilities,
            "modified_at": _MODIFIED,
        }
    )


def _model(name: str) -> JsonObject:
    return {
        "name": name,
        "model": name,
        "modified_at": _MODIFIED,
        "size": _BYTES,
        "digest": digest("model", name, length=64),
        "details": _details(),
    }


def _details() -> JsonObject:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": _FAMILY,
        "families": [_FAMILY],
        "parameter_size": "3.2B",
        "quantization_level": "Q4_K_M",
    }


def _pull(side: Side) -> Response:
    body = body_of(side.request)
    layer = digest("layer", _named(body), length=64)
    if body.get("stream") is False:
        return _answer({"status": "success"})
    progress = [
        {
            "status": f"pulling {layer[:12]}",
            "digest": f"sha256:{layer}",
            "total": _BYTES,
            "completed": done,
        }
        for done in (_BYTES // 2, _BYTES)
    ]
    lines: list[JsonObject] = [
        {"status": "pulling manifest"},
        *progress,
        *({"status": status} for status in _PULLED),
    ]
    return streamed(
        [go_json(line).encode() + b"\n" for line in lines],
        Pace(),
        content_type="application/x-ndjson",
    )


def _only_loads(request: Request) -> bool:
    """Return whether a request for an answer asks nothing: the model is loaded or unloaded."""
    try:
        body = body_of(request)
    except UnreadableRequestError:
        return False
    if request.url.path.endswith("/generate"):
        return not body.get("prompt") and not body.get("images")
    return not body.get("messages")


def _load(side: Side) -> Response:
    body = body_of(side.request)
    chats = side.request.url.path.endswith("/chat")
    said: JsonObject = {"message": {"role": "assistant", "content": ""}} if chats else {}
    return _answer(
        {
            "model": _named(body),
            "created_at": _MODIFIED,
            **(said or {"response": ""}),
            "done": True,
            "done_reason": "unload" if body.get("keep_alive") in (0, "0") else "load",
        }
    )


def _embed(side: Side) -> Response:
    body = body_of(side.request)
    model = _named(body)
    texts = [] if body.get("input") in (None, "", []) else texts_of(body["input"], "input")
    size = size_of(body.get("dimensions") or None, _SIZE, "dimensions")
    return _answer(
        {
            "model": model,
            "embeddings": [rounded(side.desk.vector(text, size)) for text in texts],
            **_TIMES,
            "prompt_eval_count": sum(len(side.desk.tokens(text)) for text in texts),
        }
    )


def _embedding(side: Side) -> Response:
    """Embed one prompt, as the older route does."""
    body = body_of(side.request)
    _named(body)
    prompt = body.get("prompt") or ""
    if not isinstance(prompt, str):
        raise refused("prompt is a text")
    vector = rounded(side.desk.vector(prompt, _SIZE)) if prompt else []
    return _answer({"embedding": vector})


def _named(body: JsonObject) -> str:
    """Return the model that a request names, in either of its names."""
    name = body.get("model") or body.get("name")
    if not isinstance(name, str):
        raise refused("model is required")
    return name


def _answer(value: Json) -> Response:
    return as_go_writes(whole(value))


ROUTES = (
    SideRoute("GET", "/api/version", _version),
    SideRoute("GET", "/api/tags", _tags),
    SideRoute("GET", "/api/ps", _running),
    SideRoute("POST", "/api/show", _show),
    SideRoute("POST", "/api/pull", _pull),
    SideRoute("POST", "/api/embed", _embed),
    SideRoute("POST", "/api/embeddings", _embedding),
    SideRoute("POST", "/api/chat", _load, _only_loads),
    SideRoute("POST", "/api/generate", _load, _only_loads),
    SideRoute("GET", "/", _root, lambda request: request.url.path == "/"),
)
