"""What a client's requests prove about it: failures, notes, and what cannot be told."""

from mockserver.backend.verdict.finding import Finding, Level, Statements, Verdict
from mockserver.backend.verdict.judging import CHECKS, joined, judge

__all__ = ["CHECKS", "Finding", "Level", "Statements", "Verdict", "joined", "judge"]
