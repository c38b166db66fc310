"""Programs for Ollama's Python SDK, as short as a report of a bug needs them."""

from __future__ import annotations

from mockserver.vocabulary.model import Json, JsonObject

#: Fields that the methods have and the server needs. Tools are long.
_KNOWN = frozenset(
    {"model", "messages", "prompt", "system", "stream", "format", "think", "options"}
)
#: Characters of an argument; a longer one becomes a short one or is left out.
_LONG = 200


def program(base_url: str, body: JsonObject) -> str:
    """Return a program that sends the request and prints what the SDK gives out.

    The SDK has no retries, and streams only if it is asked to.
    """
    method, asked = ("generate", "prompt") if "prompt" in body else ("chat", "messages")
    short: Json = "any" if method == "generate" else [{"role": "user", "content": "any"}]
    fields = {"model": "any", asked: short} | {k: v for k, v in body.items() if k in _KNOWN}
    fields["stream"] = body.get("stream") is not False
    if len(repr(fields[asked])) > _LONG:
        fields[asked] = short
    arguments = ", ".join(
        f"{name}={value!r}" for name, value in fields.items() if len(repr(value)) <= _LONG
    )
    read = "for item in answer:\n    print(item)" if fields["stream"] else "print(answer)"
    return (
        "from ollama import Client\n"
        f'answer = Client(host="{base_url}").{method}({arguments})\n'
        f"{read}"
    )
