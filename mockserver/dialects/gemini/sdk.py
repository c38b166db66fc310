"""Programs for Google's Python SDK, as short as a report of a bug needs them."""

from __future__ import annotations

from mockserver.dialects.gemini.call import asked_in
from mockserver.vocabulary.model import JsonObject

#: Characters of the contents; longer ones become short ones.
_LONG = 200
_SHORT = [{"role": "user", "parts": [{"text": "any"}]}]


def program(base_url: str, body: JsonObject, retries: int, path: str) -> str:
    """Return a program that asks as a request did and prints what comes.

    The ``path`` of the request has the model and the method; without one, any model is asked for a
    stream.
    """
    contents = body.get("contents", _SHORT)
    contents = contents if len(repr(contents)) <= _LONG else _SHORT
    model, streamed = asked_in(path) or ("any", True)
    attempts = f', "retry_options": {{"attempts": {retries + 1}}}' if retries else ""
    arguments = f"model={model!r}, contents={contents!r}"
    asking = (
        f"for chunk in client.models.generate_content_stream({arguments}):\n    print(chunk)"
        if streamed
        else f"print(client.models.generate_content({arguments}))"
    )
    return (
        "from google import genai\n"
        f'options = {{"base_url": {base_url!r}{attempts}}}\n'
        'client = genai.Client(api_key="any", http_options=options)\n'
        f"{asking}"
    )
