"""The former name of the judge."""

from harness.judge import CHECKS, judge

__all__ = ["CHECKS", "judge"]
