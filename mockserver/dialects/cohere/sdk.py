"""Programs for Cohere's Python SDK, as short as a report of a bug needs them."""

from __future__ import annotations

from mockserver.vocabulary.model import JsonObject

#: Fields of a request that decide how it is answered; the server answers without the others.
_KEPT = ("model", "messages", "response_format", "thinking")
#: Characters of an argument; a longer one becomes a short one, or is left out.
_LONG = 200
_SHORT = [{"role": "user", "content": "any"}]


def program(base_url: str, body: JsonObject, retries: int) -> str:
    """Return a program that makes a request of version 2 and prints what the SDK gives out."""
    fields = {"model": "any", "messages": _SHORT} | {k: body[k] for k in _KEPT if k in body}
    if len(repr(fields["messages"])) > _LONG:
        fields["messages"] = _SHORT
    arguments = "".join(
        f"{name}={value!r}, " for name, value in fields.items() if len(repr(value)) <= _LONG
    )
    stream = bool(body.get("stream"))
    method = "chat_stream" if stream else "chat"
    read = "for event in answer:\n    print(event)" if stream else "print(answer)"
    return (
        "import cohere\n"
        f'client = cohere.ClientV2(base_url="{base_url}", api_key="any")\n'
        f'answer = client.{method}({arguments}request_options={{"max_retries": {retries}}})\n'
        f"{read}"
    )
