"""What a client's requests prove about it: failures, notes, and what they do not show.

The checks are imported when somebody judges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.lazy import lazy_face

if TYPE_CHECKING:
    from mockserver.backend.verdict.finding import Finding, Level, Statements, Verdict
    from mockserver.backend.verdict.judging import CHECKS, joined, judge

__all__ = ["CHECKS", "Finding", "Level", "Statements", "Verdict", "joined", "judge"]

_HOMES = {
    "finding": ("Finding", "Level", "Statements", "Verdict"),
    "judging": ("CHECKS", "joined", "judge"),
}

__getattr__ = lazy_face(__name__, _HOMES)
