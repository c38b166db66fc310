"""What a wire says beyond doubt, read independently of any adapter.

The invariants compare a client's turn with these facts, so that they hold for any recording,
with or without a spec. A fact that cannot be read plainly is ``None`` and is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.checks import facts_chat, facts_responses
from harness.checks.facts_model import Facts
from mockserver.schedule import Schedule

__all__ = ["Facts", "facts_of"]


def facts_of(dialect: str, schedule: Schedule) -> Facts | None:
    """Read the facts of one answer, or ``None`` for a dialect without a reader."""
    reader = _READERS.get(dialect)
    if reader is None:
        return None
    plain = schedule.decoded()
    if schedule.status >= 400:
        return Facts(error=True, text=None, refusal=None, calls=None)
    return reader(plain)


_READERS: Mapping[str, Callable[[Schedule], Facts]] = {
    "openai-chat": facts_chat.read,
    "openai-responses": facts_responses.read,
    "codex": facts_responses.read,
}
