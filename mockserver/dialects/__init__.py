"""Wire formats, a folder each, behind one protocol.

Generic code asks a dialect and never branches on its name.
"""

from mockserver.dialects.addresses import base_urls, environment, hidden
from mockserver.dialects.capacity import Capacity, Fitted
from mockserver.dialects.dialect import (
    Dialect,
    Difference,
    Grammar,
    Ids,
    Reasoning,
    UnreadableRequestError,
    UnwritableError,
)
from mockserver.dialects.facts import CallFacts, Facts, of_last, repaired, texts_in
from mockserver.dialects.failures import Failure
from mockserver.dialects.form import Form
from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.refusals import Excess, Quota, QuotaKind, Refusals, Sent
from mockserver.dialects.registry import (
    asks_aside,
    base_path,
    continues,
    dialects,
    facts_of,
    find_dialect,
    fitted,
    grammars,
    is_pending,
    lane_of,
    of_request,
    other_path,
    plain_path,
    recorded_call,
    said,
    said_otherwise,
    sdk_arguments,
    written_answer,
    written_error,
    written_objection,
    written_request,
)
from mockserver.dialects.respelling import Spelling, StreamEvent, events_of, respelled
from mockserver.dialects.writing import Pace

__all__ = [
    "CallFacts",
    "Capacity",
    "Dialect",
    "Difference",
    "Excess",
    "Facts",
    "Failure",
    "Fitted",
    "Form",
    "Grammar",
    "Ids",
    "Objection",
    "Pace",
    "Quota",
    "QuotaKind",
    "Reasoning",
    "Refusals",
    "Sent",
    "Spelling",
    "StreamEvent",
    "UnreadableRequestError",
    "UnwritableError",
    "asks_aside",
    "base_path",
    "base_urls",
    "continues",
    "dialects",
    "environment",
    "events_of",
    "facts_of",
    "find_dialect",
    "fitted",
    "grammars",
    "hidden",
    "is_pending",
    "lane_of",
    "objection",
    "of_last",
    "of_request",
    "other_path",
    "plain_path",
    "recorded_call",
    "repaired",
    "respelled",
    "said",
    "said_otherwise",
    "sdk_arguments",
    "texts_in",
    "written_answer",
    "written_error",
    "written_objection",
    "written_request",
]
