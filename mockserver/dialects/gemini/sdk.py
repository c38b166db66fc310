"""Programs for Google's Python SDK, as short as a report of a bug needs them."""

from __future__ import annotations

from mockserver.vocabulary.model import JsonObject

#: Characters of the contents; longer ones become short ones.
_LONG = 200
_SHORT = [{"role": "user", "parts": [{"text": "any"}]}]


def program(base_url: str, body: JsonObject, retries: int) -> str:
    """Return a program that asks for a stream and prints its chunks.

    The model is no part of the body, and any will do.
    """
    contents = body.get("contents", _SHORT)
    contents = contents if len(repr(contents)) <= _LONG else _SHORT
    options = {"base_url": base_url}
    attempts = f', "retry_options": {{"attempts": {retries + 1}}}' if retries else ""
    return (
        "from google import genai\n"
        f'options = {{"base_url": {options["base_url"]!r}{attempts}}}\n'
        'client = genai.Client(api_key="any", http_options=options)\n'
        f'for chunk in client.models.generate_content_stream(model="any", contents={contents!r}):\n'
        "    print(chunk)"
    )
