"""Objects of an SDK as plain JSON, and token counts read from them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from enum import Enum

from harness.adapters.common.usage import read_usage
from mockserver.vocabulary import Json, Usage


def as_json(value: object) -> Json:
    """Return an object of an SDK as dicts and lists, its undocumented fields included.

    An attribute that is ``None`` is left out: SDKs have it for what the wire does not. Reads
    mappings, pydantic models, dataclasses and plain objects by their attributes, under the names
    that these have on the wire: pydantic's own export warns about values of a wrong type, which
    are common on the wire. Bytes become Base64, as they are on the wire.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if value is None or isinstance(value, str | int | float) or not hasattr(value, "__dict__"):
        return value
    fields = {**vars(value), **(getattr(value, "model_extra", None) or {})}
    known = getattr(type(value), "model_fields", {})
    return {
        getattr(known.get(name), "alias", None) or name: as_json(item)
        for name, item in fields.items()
        if not name.startswith("_") and item is not None
    }


def usage_from(usage: object) -> Usage | None:
    """Return the token counts of a usage object or dict, in the names of any API.

    ``None`` if there is no count. A count that is absent, or whose details are, is ``None``, not 0.
    """
    counts = read_usage(as_json(usage))
    return None if counts == Usage() else counts
