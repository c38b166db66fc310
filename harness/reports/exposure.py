"""What clients give of what the wires state, over the case records of a run. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from harness.judge.terms import EXPOSABLE
from mockserver.vocabulary import JsonObject


@dataclass(slots=True)
class Exposure:
    """The exposable fields by adapter: in how many cases stated, and which were given there."""

    stated: Counter[tuple[str, str]] = field(default_factory=Counter)
    given: set[tuple[str, str]] = field(default_factory=set)

    def add(self, record: JsonObject) -> None:
        """Count one case."""
        stated = {*record.get("judged", ()), *record.get("unexposed", ())} & EXPOSABLE.keys()
        adapter = record["adapter"]
        self.stated.update((adapter, word) for word in stated)
        self.given.update((adapter, word) for word in stated.intersection(record.get("given", ())))

    def found(self, adapter: str) -> frozenset[str]:
        """Return the fields that an adapter gave in at least one case that states them."""
        return frozenset(word for name, word in self.given if name == adapter)

    def vanished(self, listed: Mapping[str, Iterable[str]]) -> Iterator[str]:
        """Yield a problem for each field that is listed for an adapter and was never given.

        ``listed`` are the fields by the name of the adapter. Only a whole run can tell.
        """
        for name, words in listed.items():
            for word in sorted(set(words) - self.found(name)):
                if count := self.stated[name, word]:
                    yield (
                        f"{name} gave {word} before and does not any more: {count} cases "
                        "have it on the wire, and none got it (fix the client, or remove the "
                        "word from its 'exposes')"
                    )
