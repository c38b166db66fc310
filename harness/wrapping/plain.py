"""Objects of an SDK as plain JSON, and token counts read from them."""

from __future__ import annotations

from typing import cast

from harness.adapters.common.usage import read_usage
from harness.adapters.third_party.shims.tapecheck_client import dumped
from mockserver.vocabulary import Json, Usage


def as_json(value: object) -> Json:
    """Return an object of an SDK as dicts and lists, its undocumented fields included.

    An attribute that is ``None`` is left out: SDKs have it for what the wire does not. Bytes become
    Base64, as they are on the wire.
    """
    return cast("Json", dumped(value))


def usage_from(usage: object) -> Usage | None:
    """Return the token counts of a usage object or dict, in the names of any API.

    ``None`` if there is no count. A count that is absent, or whose details are, is ``None``, not 0.
    """
    counts = read_usage(as_json(usage))
    return None if counts == Usage() else counts
