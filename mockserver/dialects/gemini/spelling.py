"""The two spellings of names in a request: ``generationConfig`` and ``generation_config``.

Both are right (https://protobuf.dev/programming-guides/json/), and the official SDKs mix them.
Names that the user or the model made are left as they are.
"""

from __future__ import annotations

import re

from mockserver.vocabulary.model import Json

#: Fields below which names are the user's own, in the first spelling.
_FOREIGN = frozenset(
    {
        "args",
        "labels",
        "parameters",
        "parametersJsonSchema",
        "responseJsonSchema",
        "responseSchema",
    }
)
_JOINT = re.compile(r"_([a-z0-9])")


def folded(value: Json, *, depth: int = 12) -> Json:
    """Return a JSON value with all names in camel case, to that depth."""
    match value:
        case dict() if depth:
            found = {}
            for name, item in value.items():
                camel = _camel(name)
                # The response of a function is foreign, that of a schema is under its own name.
                foreign = camel in _FOREIGN or camel == "response"
                found[camel] = item if foreign else folded(item, depth=depth - 1)
            return found
        case list() if depth:
            return [folded(item, depth=depth - 1) for item in value]
    return value


def _camel(name: str) -> str:
    return _JOINT.sub(lambda match: match[1].upper(), name)
