"""Programs for boto3, as short as a report of a bug needs them."""

from __future__ import annotations

from urllib.parse import unquote

from mockserver.vocabulary.model import JsonObject

#: Fields of a request that decide how it is answered; the server answers without the others.
_KEPT = ("inferenceConfig", "outputConfig", "additionalModelRequestFields")
#: Characters of an argument; a longer one becomes a short one, or is left out.
_LONG = 200
_SHORT = [{"role": "user", "content": [{"text": "any"}]}]


def program(base_url: str, body: JsonObject, retries: int, path: str) -> str | None:
    """Return a program that makes a request to ``path`` and prints what the SDK gives out.

    The server finds the answer by the path, which has the model. ``None`` for other operations.
    """
    model, _, operation = path.rpartition("/model/")[2].rpartition("/")
    method = {"converse": "converse", "converse-stream": "converse_stream"}.get(operation)
    if method is None:
        return None
    messages = body.get("messages", _SHORT)
    # The SDK takes bytes where the body has base64.
    is_plain = len(repr(messages)) <= _LONG and "'bytes'" not in repr(messages)
    fields = {
        "modelId": unquote(model),
        "messages": messages if is_plain else _SHORT,
        **{name: body[name] for name in _KEPT if name in body},
    }
    arguments = ", ".join(
        f"{name}={value!r}"
        for name, value in fields.items()
        if name == "modelId" or len(repr(value)) <= _LONG
    )
    stream = method == "converse_stream"
    read = 'for event in answer["stream"]:\n    print(event)' if stream else "print(answer)"
    return (
        "import boto3\n"
        "from botocore.config import Config\n"
        'key = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}\n'
        f'once = Config(retries={{"total_max_attempts": {retries + 1}}})\n'
        'client = boto3.client("bedrock-runtime", region_name="us-east-1", config=once, **key,\n'
        f'                      endpoint_url="{base_url}")\n'
        f"answer = client.{method}({arguments})\n"
        f"{read}"
    )
