"""What a wire says beyond doubt, read independently of any adapter.

The invariants compare a client's turn with these facts, so that they hold for any recording,
with or without a spec. A fact that cannot be read plainly is ``None`` and is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mockserver.dialects.facts_model import Facts
from mockserver.dialects.openai_chat import facts as facts_chat
from mockserver.dialects.openai_responses import facts as facts_responses
from mockserver.wire.schedule import Schedule

__all__ = ["Facts", "facts_of"]


def facts_of(dialect: str, *answers: Schedule) -> Facts | None:
    """Read the facts of one turn, or ``None`` for a dialect without a reader.

    ``answers`` are those to all requests of the turn, in order, at least one. The last counts;
    of a background job all do, for they tell it together.
    """
    reader = _READERS.get(dialect)
    return None if reader is None else reader(answers)


def _last(read: Callable[[Schedule], Facts]) -> Callable[[Sequence[Schedule]], Facts]:
    def of(answers: Sequence[Schedule]) -> Facts:
        answer = answers[-1]
        if answer.status >= 400:
            return Facts(error=True, text=None, refusal=None, calls=None)
        return read(answer.decoded())

    return of


_READERS: Mapping[str, Callable[[Sequence[Schedule]], Facts]] = {
    "openai-chat": _last(facts_chat.read),
    "openai-responses": _last(facts_responses.read),
    "codex": _last(facts_responses.read),
    "background": facts_responses.read_job,
}
