import json

import pytest

from harness.adapters.common.failures import from_http
from mockserver.vocabulary.model import ErrorClass as E

OPENAI = {"message": "m", "type": "invalid_request_error", "param": None, "code": None}


def openai(message: str, **more: object) -> dict[str, object]:
    return {"error": {**OPENAI, "message": message, **more}}


def read(status, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return from_http(status, {}, data, now=0.0)


CONTEXT_LENGTH = {
    "openai": (400, openai("Too long.", code="context_length_exceeded")),
    "openai-text": (400, openai("Your input exceeds the context window of this model.")),
    "azure": (
        400,
        {
            "error": {
                "code": "context_length_exceeded",
                "message": "This model's maximum context length is 8192 tokens.",
            }
        },
    ),
    "anthropic": (
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "prompt is too long: 210000 tokens > 200000 maximum",
            },
            "request_id": "req_1",
        },
    ),
    "gemini": (
        400,
        {
            "error": {
                "code": 400,
                "message": "The input token count (1100000) exceeds the maximum number of tokens "
                "allowed (1048576).",
                "status": "INVALID_ARGUMENT",
            }
        },
    ),
    "gemini-compat-list": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "The input token count (9) exceeds the maximum number of tokens "
                    "allowed (8).",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
    ),
    "ollama": (500, {"error": "prompt too long; exceeded max context length by 12 tokens"}),
    "vllm-new": (
        400,
        {
            "error": {
                "message": "This model's maximum context length is 4096 tokens. However, you "
                "requested 500 output tokens and your prompt contains at least 4000 input tokens.",
                "type": "BadRequestError",
                "param": None,
                "code": 400,
            }
        },
    ),
    "vllm-flat": (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    ),
    "llamacpp-typed": (
        400,
        {
            "error": {
                "code": 400,
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 4390,
                "n_ctx": 4096,
            }
        },
    ),
    "llamacpp-500": (
        500,
        {
            "error": {
                "code": 500,
                "message": "Context size has been exceeded.",
                "type": "server_error",
            }
        },
    ),
    "lmstudio": (
        400,
        {
            "error": "The number of tokens to keep from the initial prompt is greater than the "
            "context length."
        },
    ),
    "openrouter": (
        400,
        {
            "error": {
                "code": 400,
                "message": "This endpoint's maximum context length is 131072 tokens.",
            },
            "user_id": "u",
        },
    ),
    "openrouter-raw": (
        502,
        {
            "error": {
                "code": 502,
                "message": "Provider returned error",
                "metadata": {
                    "provider_name": "X",
                    "raw": '{"error":{"message":"prompt is too long: 9 tokens > 8 maximum"}}',
                },
            }
        },
    ),
    "groq": (
        400,
        {
            "error": {
                "message": "Please reduce the length of the messages or completion.",
                "type": "invalid_request_error",
            }
        },
    ),
    "mistral": (
        400,
        {
            "object": "error",
            "message": "Prompt contains 40000 tokens, too large for model with 32768 maximum "
            "context length",
            "type": "invalid_request_error",
            "param": None,
            "code": "3051",
        },
    ),
    "xai": (
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "This model's maximum prompt length is 131072 but the request contains "
            "200000 tokens.",
        },
    ),
    "together": (
        422,
        openai("The input (9000 tokens) is longer than the model's context length (8192 tokens)."),
    ),
    "bedrock": (400, {"message": "Input is too long for requested model."}),
    "cohere": (400, {"id": "x", "message": "too many tokens: size limit exceeded by 9 tokens"}),
    "litellm": (
        400,
        {
            "error": {
                "message": "litellm.BadRequestError: the prompt exceeds the model's maximum "
                "context length of 8192 tokens",
                "type": "None",
                "param": None,
                "code": "400",
            }
        },
    ),
    "cerebras-400": (400, b""),
}


@pytest.mark.parametrize(("status", "body"), CONTEXT_LENGTH.values(), ids=CONTEXT_LENGTH)
def test_input_too_long_by_provider(status, body):
    error = read(status, body)
    assert error.error_class is E.CONTEXT_LENGTH
    assert not error.retryable
    assert error.status == status


OTHERS = {
    "openai-key": (401, openai("No.", code="invalid_api_key"), E.AUTHENTICATION),
    "together-key": (
        401,
        {"id": "o", **openai("Invalid API key provided.", code="invalid_api_key")},
        E.AUTHENTICATION,
    ),
    "gemini-key": (
        400,
        {
            "error": {
                "code": 400,
                "message": "API key not valid.",
                "status": "INVALID_ARGUMENT",
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": "API_KEY_INVALID",
                    }
                ],
            }
        },
        E.AUTHENTICATION,
    ),
    "anthropic-key": (
        401,
        {"type": "error", "error": {"type": "authentication_error", "message": "invalid"}},
        E.AUTHENTICATION,
    ),
    "openai-model": (404, openai("?", code="model_not_found"), E.MODEL_NOT_FOUND),
    "responses-model": (
        400,
        openai("?", code="model_not_found", param="model"),
        E.MODEL_NOT_FOUND,
    ),
    "azure-deployment": (
        404,
        {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}},
        E.MODEL_NOT_FOUND,
    ),
    "anthropic-model": (
        404,
        {"type": "error", "error": {"type": "not_found_error", "message": "model: x"}},
        E.MODEL_NOT_FOUND,
    ),
    "gemini-model": (
        404,
        {"error": {"code": 404, "message": "models/x is not found", "status": "NOT_FOUND"}},
        E.MODEL_NOT_FOUND,
    ),
    "ollama-model": (404, {"error": "model 'x' not found"}, E.MODEL_NOT_FOUND),
    "ollama-v1-model": (
        404,
        openai("model 'x' not found", type="not_found_error"),
        E.MODEL_NOT_FOUND,
    ),
    "bedrock-model": (
        400,
        {"message": "The provided model identifier is invalid."},
        E.MODEL_NOT_FOUND,
    ),
    "mistral-model": (
        400,
        {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"},
        E.MODEL_NOT_FOUND,
    ),
    "cohere-model": (404, {"id": "r", "message": "model 'x' not found"}, E.MODEL_NOT_FOUND),
    "wrong-path": (404, openai("Invalid URL (POST /v1/nope)"), E.INVALID_REQUEST),
    "wrong-path-text": (404, b"404 page not found", E.INVALID_REQUEST),
    "quota": (
        429,
        openai("You exceeded your quota.", type="insufficient_quota", code="insufficient_quota"),
        E.QUOTA_EXHAUSTED,
    ),
    "codex-not-included": (429, {"error": {"type": "usage_not_included"}}, E.QUOTA_EXHAUSTED),
    "deepseek-balance": (402, openai("Insufficient Balance"), E.QUOTA_EXHAUSTED),
    "openrouter-credits": (
        402,
        {"error": {"code": 402, "message": "Add credits"}},
        E.QUOTA_EXHAUSTED,
    ),
    "anthropic-billing": (
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "Your credit balance is too low to access the Anthropic API.",
            },
        },
        E.QUOTA_EXHAUSTED,
    ),
    "rate": (429, openai("Slow.", type="tokens", code="rate_limit_exceeded"), E.RATE_LIMIT),
    "anthropic-rate": (
        429,
        {"type": "error", "error": {"type": "rate_limit_error", "message": "m"}},
        E.RATE_LIMIT,
    ),
    "gemini-rate": (
        429,
        {
            "error": {
                "code": 429,
                "message": "You exceeded your current quota, please check your plan and billing.",
                "status": "RESOURCE_EXHAUSTED",
            }
        },
        E.RATE_LIMIT,
    ),
    "mistral-rate": (429, {"message": "Requests rate limit exceeded"}, E.RATE_LIMIT),
    "bedrock-throttled": (
        429,
        {"message": "Too many tokens, please wait before trying again."},
        E.RATE_LIMIT,
    ),
    "bedrock-throttled-400": (
        400,
        {"message": "Too many tokens, please wait before trying again."},
        E.RATE_LIMIT,
    ),
    "throttled-about-tokens": (
        400,
        openai("Rate limit reached: tokens per min. Reduce the length of the messages."),
        E.RATE_LIMIT,
    ),
    "groq-request-too-large": (
        413,
        {"error": {"message": "TPM", "type": "tokens", "code": "rate_limit_exceeded"}},
        E.PAYLOAD_TOO_LARGE,
    ),
    "anthropic-413": (
        413,
        {"type": "error", "error": {"type": "request_too_large", "message": "big"}},
        E.PAYLOAD_TOO_LARGE,
    ),
    "cerebras-413": (413, b"", E.PAYLOAD_TOO_LARGE),
    "nginx-413": (
        413,
        b"<html><title>413 Request Entity Too Large</title></html>",
        E.PAYLOAD_TOO_LARGE,
    ),
    "anthropic-529": (
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        E.OVERLOADED,
    ),
    "codex-503": (503, {"error": {"code": "server_is_overloaded"}}, E.OVERLOADED),
    "gemini-503": (
        503,
        {"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}},
        E.OVERLOADED,
    ),
    "llamacpp-loading": (
        503,
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        E.OVERLOADED,
    ),
    "groq-498": (498, {"error": {"message": "flex", "type": "m"}}, E.OVERLOADED),
    "groq-tool": (
        400,
        {
            "error": {
                "message": "Failed",
                "type": "invalid_request_error",
                "code": "tool_use_failed",
                "failed_generation": "<f>",
            }
        },
        E.INVALID_TOOL_ARGUMENTS,
    ),
    "openrouter-moderation": (
        403,
        {"error": {"code": 403, "message": "m", "metadata": {"flagged_input": "x"}}},
        E.CONTENT_FILTERED,
    ),
    "dashscope": (400, {"code": "DataInspectionFailed", "message": "m"}, E.CONTENT_FILTERED),
    "dashscope-openai": (400, openai("m", code="data_inspection_failed"), E.CONTENT_FILTERED),
    "dashscope-words": (
        400,
        openai("Output data may contain inappropriate content."),
        E.CONTENT_FILTERED,
    ),
    "ark": (400, openai("m", code="OutputTextSensitiveContentDetected"), E.CONTENT_FILTERED),
    "ark-two-parts": (
        400,
        openai("m", code="SensitiveContentDetected.Violence"),
        E.CONTENT_FILTERED,
    ),
    "ark-risk": (400, openai("m", code="InputTextRiskDetection"), E.CONTENT_FILTERED),
    "mistral-tier": (
        403,
        {"object": "error", "message": "m", "type": "tier_not_allowed", "code": "1910"},
        E.PERMISSION,
    ),
    "cloudflare": (403, b"<!DOCTYPE html><title>Just a moment...</title>", E.PERMISSION),
    "anthropic-403": (
        403,
        {"type": "error", "error": {"type": "permission_error", "message": "m"}},
        E.PERMISSION,
    ),
    "codex-detail": (
        400,
        {"detail": "Unsupported parameter: max_output_tokens"},
        E.INVALID_REQUEST,
    ),
    "deepseek-422": (422, openai("bad"), E.INVALID_REQUEST),
    "not-about-context": (400, openai("Invalid token in tools"), E.INVALID_REQUEST),
    "litellm-500": (
        500,
        {"error": {"message": "litellm.X: y", "type": "None", "code": "500"}},
        E.SERVER_ERROR,
    ),
    "nginx-502": (
        502,
        b"<html><head><title>502 Bad Gateway</title></head></html>",
        E.SERVER_ERROR,
    ),
    "empty-500": (500, b"", E.SERVER_ERROR),
    "anthropic-504": (
        504,
        {"type": "error", "error": {"type": "timeout_error", "message": "m"}},
        E.TIMEOUT,
    ),
    "cloudflare-522": (522, b"<html><title>x | 522: Connection timed out</title>", E.TIMEOUT),
    "cloudflare-524": (524, b"<html><title>x | 524: A timeout occurred</title>", E.TIMEOUT),
    "request-timeout": (408, b"", E.TIMEOUT),
    "moved": (301, b"", E.PROTOCOL),
}


@pytest.mark.parametrize(("status", "body", "error_class"), OTHERS.values(), ids=OTHERS)
def test_other_errors_by_provider(status, body, error_class):
    error = read(status, body)
    assert error.error_class is error_class
    assert error.retryable is error_class.retryable


@pytest.mark.parametrize(
    ("status", "body", "error_class"),
    [
        (403, openai("Forbidden", code="forbidden"), E.PERMISSION),
        (403, openai("m", type="api_error"), E.PERMISSION),
        (403, openai("m", code="model_not_found"), E.MODEL_NOT_FOUND),
        (403, openai("Insufficient balance."), E.QUOTA_EXHAUSTED),
        (413, openai("m"), E.PAYLOAD_TOO_LARGE),
        (422, openai("m"), E.INVALID_REQUEST),
        (500, openai("m"), E.INVALID_REQUEST),
    ],
)
def test_a_clear_status_wins_over_a_vague_code(status, body, error_class):
    assert read(status, body).error_class == error_class
