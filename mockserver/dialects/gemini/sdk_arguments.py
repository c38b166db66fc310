"""Arguments for the ``generate_content`` methods of google-genai. Pure.

The SDK has one ``config`` for all but the contents, and takes bytes where the body has Base64.
Source: ``types.GenerateContentConfig`` and ``types.Part`` of google-genai 3.6.1.
"""

from __future__ import annotations

from mockserver.dialects.base64_text import decoded
from mockserver.vocabulary.model import Json, JsonObject


def sdk_arguments(model: str, body: JsonObject) -> JsonObject:
    """Return the arguments of a call. Raises :class:`UnwritableError`."""
    rest = {n: v for n, v in body.items() if n not in ("contents", "generationConfig")}
    config = {**body.get("generationConfig", {}), **rest}
    contents = [{**c, "parts": [_part(p) for p in c["parts"]]} for c in body["contents"]]
    return {"model": model, "contents": contents, **({"config": config} if config else {})}


def _part(part: Json) -> Json:
    match part:
        case {"thoughtSignature": data, **rest}:
            return {**_part(rest), "thoughtSignature": decoded(data)}
        case {"inlineData": {"data": data} as inline, **rest}:
            return {**rest, "inlineData": {**inline, "data": decoded(data)}}
    return part
