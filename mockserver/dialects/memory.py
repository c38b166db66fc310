"""What a server remembers between the requests of one session: values by id, bounded. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TypeVar

_T = TypeVar("_T")

#: How many bytes one session remembers.
BYTES = 16 * 1024 * 1024
#: What each value costs besides its own bytes, so that empty ones are bounded too.
_EACH = 512


class Memory:
    """Values by id. When they are too large together, those not used for longest are forgotten.

    A provider forgets too, after days: what is unknown is answered in its words.
    """

    def __init__(self, limit: int = BYTES) -> None:
        self._limit = limit
        self._used = 0
        #: How many values were ever kept, for ids that are used once.
        self.count = 0
        #: How often it was asked, or changed: what did neither does not depend on it.
        self.uses = 0
        self._values: OrderedDict[str, tuple[object, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def keep(self, id_: str, value: object, size: int) -> None:
        """Remember a value of ``size`` bytes, in place of another of that id."""
        self.uses += 1
        self.forget(id_)
        self._values[id_] = (value, size + _EACH)
        self._used += size + _EACH
        self.count += 1
        while self._used > self._limit and self._values:
            self.forget(next(iter(self._values)))

    def find(self, id_: str, kind: type[_T]) -> _T | None:
        """Return the value of an id if it is of that kind."""
        self.uses += 1
        value, _ = self._values.get(id_, (None, 0))
        if not isinstance(value, kind):
            return None
        self._values.move_to_end(id_)
        return value

    def every(self, kind: type[_T]) -> Iterator[_T]:
        """Yield all values of a kind, the last used first."""
        self.uses += 1
        values = (value for value, _ in reversed(self._values.values()))
        yield from (value for value in values if isinstance(value, kind))

    def forget(self, id_: str) -> None:
        """Forget a value, if there is one."""
        self.uses += 1
        _, size = self._values.pop(id_, (None, 0))
        self._used -= size
