"""What providers' error codes, statuses and words mean.

Collected from the providers' documentation, recorded errors and issue reports; the tests
check one body of each provider against these tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mockserver.vocabulary import ErrorClass


def normalized(code: str) -> str:
    """Give ``RateLimitExceeded``, ``rate_limit_exceeded`` and ``ns#RateLimitExceeded`` one form."""
    return re.sub(r"[^a-z0-9]", "", code.rpartition("#")[2].lower())


def _table(rows: Mapping[ErrorClass, str]) -> dict[str, ErrorClass]:
    return {
        f"{status}{' ' if status else ''}{normalized(code)}": error_class
        for error_class, words in rows.items()
        for status, _, code in (word.rpartition("/") for word in words.split())
    }


# Codes that name one cause. "413/code" applies with that status only. MiniMax has numbers, which
# mean other things elsewhere.
CODES = _table(
    {
        ErrorClass.AUTHENTICATION: """invalid_api_key api_key_invalid authentication_error
            unauthenticated token_expired ExpiredTokenException UnrecognizedClientException
            InvalidSignatureException minimax_1004 minimax_2049""",
        ErrorClass.PERMISSION: """permission_error permission_denied AccessDeniedException
            tier_not_allowed unsupported_country_region_territory AccessDenied
            Model.AccessDenied Workspace.AccessDenied""",
        ErrorClass.MODEL_NOT_FOUND: "model_not_found DeploymentNotFound invalid_model",
        ErrorClass.CONTEXT_LENGTH: """context_length_exceeded exceed_context_size_error
            model_context_window_exceeded context_window_exceeded""",
        # Groq: one request over the limit of tokens per minute, which no waiting makes smaller.
        ErrorClass.PAYLOAD_TOO_LARGE: "request_too_large 413/rate_limit_exceeded",
        ErrorClass.CONTENT_FILTERED: """content_filter content_policy_violation
            ResponsibleAIPolicyViolation flagged_input DataInspectionFailed
            data_inspection_failed minimax_1026 minimax_1027""",
        ErrorClass.QUOTA_EXHAUSTED: """insufficient_quota usage_limit_reached usage_not_included
            billing_error billing_hard_limit_reached billing_not_active insufficient_balance
            insufficient_credits Arrearage ServiceQuotaExceededException minimax_1008
            minimax_2056""",
        ErrorClass.RATE_LIMIT: """rate_limit_exceeded rate_limit_error resource_exhausted
            ThrottlingException TooManyRequestsException too_many_requests rate_limited
            RateLimitReached Throttling Throttling.RateQuota Throttling.AllocationQuota
            Throttling.BurstRate minimax_1002 minimax_1039 minimax_1041 minimax_2045""",
        ErrorClass.OVERLOADED: """overloaded_error server_is_overloaded slow_down unavailable
            unavailable_error service_unavailable ServiceUnavailableException
            engine_overloaded_error capacity_exceeded insufficient_system_resource
            ModelNotReadyException""",
        ErrorClass.TIMEOUT: """timeout_error deadline_exceeded ModelTimeoutException
            InternalError.Timeout RequestTimeOut minimax_1001""",
        ErrorClass.STREAM_ERROR: "ModelStreamErrorException",
        ErrorClass.INVALID_TOOL_ARGUMENTS: "tool_use_failed",
    }
)

# Codes that several causes share: the message may say more.
VAGUE_CODES = _table(
    {
        ErrorClass.MODEL_NOT_FOUND: "not_found_error not_found ResourceNotFoundException",
        ErrorClass.INVALID_REQUEST: """invalid_request_error invalid_argument bad_request
            BadRequestError ValidationException invalid_value invalid_type
            unsupported_parameter unsupported_value unknown_parameter invalid_prompt
            missing_required_parameter failed_precondition out_of_range InvalidParameter
            invalid_parameter_error minimax_1042 minimax_2013""",
        ErrorClass.SERVER_ERROR: """server_error api_error internal internal_error
            internal_server_error InternalServerException InternalError.Algo SystemError
            minimax_1000 minimax_1013 minimax_1024 minimax_1033""",
        ErrorClass.CANCELLED: "cancelled",
    }
)

# Statuses that name one cause (498: Groq's flex tier is full; 529: Anthropic is overloaded).
STATUSES: Mapping[int, ErrorClass] = {
    401: ErrorClass.AUTHENTICATION,
    402: ErrorClass.QUOTA_EXHAUSTED,
    408: ErrorClass.TIMEOUT,
    429: ErrorClass.RATE_LIMIT,
    498: ErrorClass.OVERLOADED,
    503: ErrorClass.OVERLOADED,
    504: ErrorClass.TIMEOUT,
    522: ErrorClass.TIMEOUT,  # Cloudflare: no connection to the provider in time
    524: ErrorClass.TIMEOUT,  # Cloudflare: no answer of the provider in time
    529: ErrorClass.OVERLOADED,
}

# Statuses that say more than a vague code: the type is ``invalid_request_error`` for nearly all.
CLEAR_STATUSES: Mapping[int, ErrorClass] = {
    403: ErrorClass.PERMISSION,
    413: ErrorClass.PAYLOAD_TOO_LARGE,
}

# All other statuses: by their first digit.
VAGUE_STATUSES: Mapping[int, ErrorClass] = {
    3: ErrorClass.PROTOCOL,
    4: ErrorClass.INVALID_REQUEST,
    5: ErrorClass.SERVER_ERROR,
}

# Cerebras sends an empty body when the input is too long (its empty 413 needs no entry).
EMPTY_BODIES: Mapping[int, ErrorClass] = {400: ErrorClass.CONTEXT_LENGTH}

# Statuses that are retried although their class is not: 409 is a lock that times out.
RETRYABLE_STATUSES = frozenset({409})

MEANINGLESS_CODES = frozenset({"", "error", "None", "null"})

# Keys whose presence is a code of its own (OpenRouter's moderation report).
CODE_KEYS = ("flagged_input",)

# Fields that are appended to the message.
EXTRA_FIELDS = (
    "failed_generation",
    "n_prompt_tokens",
    "n_ctx",
    "plan_type",
    "resets_at",
    "content_filter_result",
    "originalMessage",
    "originalStatusCode",
    "resourceName",
)

REQUEST_ID_HEADERS = (
    "x-request-id",
    "request-id",
    "x-oai-request-id",
    "mistral-correlation-id",
    "apim-request-id",
    "x-amzn-requestid",
    "x-debug-trace-id",
    "cf-ray",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A pattern of messages that have one cause, limited to one ``status`` if it is given."""

    error_class: ErrorClass
    pattern: re.Pattern[str]
    status: int | None = None

    def matches(self, words: str, status: int | None) -> bool:
        """Return whether this row applies to an error with these words and HTTP status."""
        return self.status in (None, status) and self.pattern.search(words) is not None


def _row(error_class: ErrorClass, *patterns: str, status: int | None = None) -> Row:
    return Row(error_class, re.compile("|".join(patterns), re.I | re.S), status)


# Throttling comes first: its messages mention tokens too, and are not about the context.
TEXTS = (
    _row(
        ErrorClass.RATE_LIMIT,
        r"\brate.?limit",
        r"too many requests",
        r"too many tokens, please wait",
        r"throttl",
        r"\b(tokens|requests) per (min|minute|hour|day)\b",
    ),
    _row(
        ErrorClass.CONTEXT_LENGTH,
        r"maximum context length",
        r"maximum (prompt|input) length is \d",
        r"context[ _](window|length|size)[ _](has been )?exceeded",
        r"exceed\w* (the |this |your |available |max(imum)? |model'?s? |configured )*"
        r"context[ _](window|length|size)",
        r"context window exceeds limit",
        r"prompt (is )?too long",
        r"input is too long for (the )?requested model",
        r"input token count.{0,40} exceeds the maximum",
        r"input tokens exceed the configured limit",
        r"(longer|greater|larger) than the (model'?s )?(maximum )?(context|model) length",
        r"reduce the length of the (messages|prompt|input)",
        r"exceeded model token limit",
        r"range of input length should be",
        r"`inputs` tokens \+ `max_new_tokens` must be",
        r"too many tokens",
    ),
    _row(
        ErrorClass.CONTENT_FILTERED,
        r"content (management |filtering )?policy",
        r"\bflagged (as|by|for)\b",
        r"requires moderation",
        r"data may contain inappropriate content",
        # Volcengine Ark's codes, with what was seen before or after them.
        r"SensitiveContentDetected",
        r"TextRiskDetection",
    ),
    _row(
        ErrorClass.QUOTA_EXHAUSTED,
        r"insufficient (balance|credits?|funds|quota)",
        r"credit balance is too low",
    ),
    _row(ErrorClass.AUTHENTICATION, r"(invalid|incorrect|missing) api.?key", r"api key not valid"),
    _row(
        ErrorClass.MODEL_NOT_FOUND,
        r"\bmodel\b.{0,120}\b(not found|(does )?not exist)",
        r"model identifier is invalid",
        r"is not a valid model id",
        r"invalid model\b",
    ),
    _row(ErrorClass.MODEL_NOT_FOUND, r"\bmodels?\b|\bdeployment\b", status=404),
    _row(ErrorClass.OVERLOADED, r"\boverloaded\b"),
)
