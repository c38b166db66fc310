"""Programs for OpenAI's Python SDK, as short as a report of a bug needs them."""

from __future__ import annotations

from mockserver.vocabulary.model import JsonObject

#: Fields that are left out, since the server answers without them. Tools are long.
_LEFT_OUT = frozenset({"tools", "tool_choice", "stream_options", "metadata", "user"})
#: Characters of an argument; a longer one becomes a short one.
_LONG = 200


def program(
    method: str, base_url: str, body: JsonObject, *, asked: str, known: frozenset[str], retries: int
) -> str:
    """Return a program that calls ``method`` of the client and prints what it gives out.

    ``asked`` is the field of the messages, ``known`` are the fields that the method has.
    """
    fields = {"model": "any", asked: _SHORT} | {
        k: v for k, v in body.items() if k in known and k not in _LEFT_OUT
    }
    if len(repr(fields[asked])) > _LONG:
        fields[asked] = _SHORT
    arguments = ", ".join(
        f"{name}={value!r}" for name, value in fields.items() if len(repr(value)) <= _LONG
    )
    read = "for item in answer:\n    print(item)" if body.get("stream") else "print(answer)"
    return (
        "from openai import OpenAI\n"
        f'client = OpenAI(base_url="{base_url}", api_key="any", max_retries={retries})\n'
        f"answer = client.{method}({arguments})\n"
        f"{read}"
    )


_SHORT = [{"role": "user", "content": "any"}]
