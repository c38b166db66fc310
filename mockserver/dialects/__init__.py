"""Wire formats, a folder each, behind one protocol.

Generic code asks a dialect and never branches on its name.
"""

from mockserver.dialects.dialect import Dialect, Difference, Grammar, UnreadableRequestError
from mockserver.dialects.facts import CallFacts, Facts, of_last, repaired, texts_in
from mockserver.dialects.failures import Failure
from mockserver.dialects.form import Form
from mockserver.dialects.registry import (
    base_path,
    continues,
    dialects,
    facts_of,
    find_dialect,
    grammars,
    is_pending,
    of_request,
    recorded_call,
)

__all__ = [
    "CallFacts",
    "Dialect",
    "Difference",
    "Facts",
    "Failure",
    "Form",
    "Grammar",
    "UnreadableRequestError",
    "base_path",
    "continues",
    "dialects",
    "facts_of",
    "find_dialect",
    "grammars",
    "is_pending",
    "of_last",
    "of_request",
    "recorded_call",
    "repaired",
    "texts_in",
]
