"""A request of Chat Completions, for the SDK of OpenAI and those like it. Pure."""

from __future__ import annotations

from typing import Any

from harness.clients.interface import Call
from mockserver.dialects.openai_chat import outgoing_message


def chat_request(call: Call) -> dict[str, Any]:
    """Return the arguments for ``chat.completions.create`` of the OpenAI SDK.

    Options go into ``extra_body``, since the SDK does not know all of them. The messages have the
    signatures that some providers want back.
    """
    messages = [outgoing_message(m) for m in call.messages]
    request: dict[str, Any] = {"model": call.model, "messages": messages}
    if call.tools:
        request["tools"] = list(call.tools)
    if call.options:
        request["extra_body"] = dict(call.options)
    return request
