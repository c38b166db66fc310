"""Arguments for boto3's ``converse`` and ``converse_stream``. Pure.

They are the fields of the body, with the model, and with bytes where the body has Base64. Source:
https://boto3.amazonaws.com/v1/documentation/api/latest/reference/services/bedrock-runtime.html.
"""

from __future__ import annotations

from mockserver.dialects.base64_text import decoded
from mockserver.vocabulary.model import Json, JsonObject


def sdk_arguments(model: str, body: JsonObject) -> JsonObject:
    """Return the arguments of a call. Raises :class:`UnwritableError`."""
    messages = [{**m, "content": [_block(b) for b in m["content"]]} for m in body["messages"]]
    return {"modelId": model, **body, "messages": messages}


def _block(block: Json) -> Json:
    match block:
        case {"reasoningContent": {"redactedContent": data}}:
            return {"reasoningContent": {"redactedContent": decoded(data)}}
        case {"toolResult": {"content": [*content]} as result}:
            return {"toolResult": {**result, "content": [_block(inner) for inner in content]}}
        case {"image": {"source": {"bytes": data}} as media}:
            return {"image": {**media, "source": {"bytes": decoded(data)}}}
        case {"document": {"source": {"bytes": data}} as media}:
            return {"document": {**media, "source": {"bytes": decoded(data)}}}
        case {"audio": {"source": {"bytes": data}} as media}:
            return {"audio": {**media, "source": {"bytes": decoded(data)}}}
    return block
