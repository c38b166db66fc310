"""Explains why nothing recorded answers a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mockserver.cassettes.cassette import Request, header_value
from mockserver.library.matcher import Difference, differences, rank, signature
from mockserver.library.outcome import Outcome
from mockserver.library.refusal import RefusalError
from mockserver.library.rule import EXACT, Rule
from mockserver.library.session import Exchange
from mockserver.secrets import find, shown

#: How many differences and how many near recordings an explanation lists.
SHOWN = 8
NEAR = 3


@dataclass(frozen=True, slots=True)
class Near:
    """A recorded request that a request comes close to. ``number`` counts from 0."""

    cassette: str
    number: int
    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as the client gets it."""
        return {
            "cassette": self.cassette,
            "interaction": self.number,
            "differences": [
                {"at": d.at, "expected": d.expected, "got": d.got} for d in self.differences[:SHOWN]
            ],
            "more_differences": max(0, len(self.differences) - SHOWN),
        }


def explain(
    got: Request, near: Sequence[Near], *, where: str, hint: str, has_base_url: bool = True
) -> RefusalError:
    """Return the refusal of a request that is not recorded ``where`` it was searched.

    ``has_base_url``: the client has one that may be wrong.
    """
    message = f"nothing recorded for {got.method} {find.mask(got.url.path)} {where}"
    if near:
        nearest = near[0]
        message += f"; nearest is {nearest.cassette}, interaction {nearest.number}"
        if nearest.differences:
            shown = "; ".join(str(d) for d in nearest.differences[:3])
            rest = len(nearest.differences) - 3
            message += f", which differs: {shown}" + (f"; and {rest} more" if rest > 0 else "")
            if has_base_url:
                hint = _base_url_hint(nearest.differences) or hint
        else:
            message += ", which is equal but was already played"
    return RefusalError(
        404,
        "miss",
        f"{message}. {hint}",
        outcome=Outcome.MISSED,
        nearest=[n.to_json() for n in near],
        hint=hint,
    )


def among(
    got: Request, exchanges: Sequence[Exchange], cassette: str, rule: Rule = EXACT
) -> list[Near]:
    """Return the exchanges most similar by the rule, nearest first."""
    order = rank(signature(got, rule), [signature(e.request, rule) for e in exchanges])[:NEAR]
    return [near(cassette, n, exchanges[n].request, got, rule) for n in order]


def near(cassette: str, number: int, recorded: Request, got: Request, rule: Rule) -> Near:
    """Return how a request differs from a recorded one, without the credentials in it."""
    return Near(cassette, number, differences(_shown(recorded), _shown(got), rule))


def _shown(request: Request) -> Request:
    kind = header_value(request.headers, "content-type")
    return replace(request, uri=find.mask(request.uri), body=shown.body(request.body, kind))


def _base_url_hint(found: Sequence[Difference]) -> str | None:
    path = next((d for d in found if d.at == "path"), None)
    if path is None or not path.expected or not path.got:
        return None
    if path.expected.endswith(path.got):
        return f"Add {path.expected.removesuffix(path.got)!r} to the end of the base URL."
    if path.got.endswith(path.expected):
        return f"Remove {path.got.removesuffix(path.expected)!r} from the end of the base URL."
    return None
