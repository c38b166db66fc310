"""Addresses of requests, where a recording has only a part of one, or none.

What is missing is not invented: the host becomes one that cannot exist, and the path comes from the
answer, or the interaction is left out.
"""

from __future__ import annotations

import json
import re
from typing import Any

#: What stands for a host where a file has none.
NO_HOST = "http://recorded.invalid"
#: What recorders put in place of a base URL: <BASE>, {{base}}, ${BASE}, %{base}.
_PLACEHOLDER = re.compile(r"(?:<|\{\{|\$\{|%\{)\s*([\w .-]+?)\s*(?:>|\}\}|\})(?=[/?#]|$)")
_DATA = re.compile(rb"^data: ?(\{.*)$", re.MULTILINE)
#: The paths of answers that name themselves, by ``object`` or ``type``: OpenAI's and Anthropic's.
_PATHS = {
    "chat.completion": "/v1/chat/completions",
    "chat.completion.chunk": "/v1/chat/completions",
    "response": "/v1/responses",
    "response.created": "/v1/responses",
    "message": "/v1/messages",
    "message_start": "/v1/messages",
}


def real_uri(uri: Any) -> Any:
    """Return a URI with a host that is none in place of a placeholder, or of nothing."""
    if not isinstance(uri, str):
        return uri
    if match := _PLACEHOLDER.match(uri):
        host = re.sub(r"[^a-z0-9]+", "-", match[1].lower()).strip("-")
        return f"http://{host or 'recorded'}.invalid{uri[match.end() :] or '/'}"
    return NO_HOST + uri if uri.startswith("/") else uri


def is_removed(uri: Any) -> bool:
    """Return whether a word such as ``**REDACTED**`` stands in place of a whole URI."""
    return isinstance(uri, str) and bool(uri) and not re.search(r"[:/]", uri)


def told_by(answer: str | bytes) -> str:
    """Return the address that gave an answer, by the kind that the answer names.

    Raises ``ValueError`` for an answer that names none.
    """
    text = answer.encode() if isinstance(answer, str) else answer
    found = _DATA.search(text)
    try:
        data = json.loads(found[1] if found and not text.startswith(b"{") else text)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict):
        for name in (data.get("object"), data.get("type")):
            if isinstance(name, str) and name in _PATHS:
                return NO_HOST + _PATHS[name]
        match data:
            case {"object": "list", "data": [{"object": "embedding"}, *_]}:
                return f"{NO_HOST}/v1/embeddings"
    raise ValueError("has no address, and its answer does not show which API gave it")
