"""Programs for the official SDK, as short as a report of a bug needs them."""

from __future__ import annotations

from mockserver.vocabulary.model import JsonObject

#: Fields of the body that the method of the SDK takes and an answer may depend on.
_KNOWN = ("model", "max_tokens", "messages", "thinking", "stream")
#: Characters of an argument; a longer one becomes a short one.
_LONG = 200
_SHORT: JsonObject = {
    "model": "any",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "any"}],
}
#: Fields that the method of the SDK has. Others go into the body as ``extra_body``.
_ARGUMENTS = frozenset(
    {"model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking"}
    | {"stop_sequences", "metadata", "service_tier", "container", "output_config"}
)


def arguments(body: JsonObject) -> JsonObject:
    """Return the arguments of ``messages.create`` for a body without ``stream``."""
    given = {name: value for name, value in body.items() if name in _ARGUMENTS}
    more = {name: value for name, value in body.items() if name not in _ARGUMENTS}
    return {**given, "extra_body": more} if more else given


def program(base_url: str, body: JsonObject, max_retries: int) -> str:
    """Return a program that sends a request like ``body`` and prints what the SDK gives out."""
    fields = _SHORT | {
        name: body[name] for name in _KNOWN if name in body and len(repr(body[name])) <= _LONG
    }
    arguments = ", ".join(f"{name}={value!r}" for name, value in fields.items())
    read = "for item in answer:\n    print(item)" if body.get("stream") else "print(answer)"
    return (
        "from anthropic import Anthropic\n"
        f'client = Anthropic(base_url="{base_url}", api_key="any", max_retries={max_retries})\n'
        f"answer = client.messages.create({arguments})\n"
        f"{read}"
    )
