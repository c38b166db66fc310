"""What the Messages API refuses, in its words. Pure.

Sources: https://platform.claude.com/docs/en/api/errors, and the issues that quote each message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, NoReturn, TypeGuard

from mockserver.cassettes.cassette import Headers, Request, header_value
from mockserver.dialects.anthropic.refused_messages import of_messages
from mockserver.dialects.anthropic.said import wrong
from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.refusals import (
    Excess,
    Problem,
    Quota,
    QuotaKind,
    Refusals,
    Sent,
    whole_seconds,
)
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass
from mockserver.vocabulary.model import Json, JsonObject

#: The fields of a request, with those of beta versions and of other clouds.
_FIELDS = frozenset(
    [
        "model",
        "messages",
        "max_tokens",
        "cache_control",
        "container",
        "inference_geo",
        "metadata",
        "output_config",
        "service_tier",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
        "mcp_servers",
        "context_management",
        "output_format",
        "betas",
        "speed",
        "user_profile_id",
        "fallback_model",
        "anthropic_version",
        "anthropic_beta",
        "diagnostics",
        "workspace_id",
        "thread",
        "compaction",
        "fallbacks",
        "fallback_credit_token",
        "billing_policy",
    ]
)
_DOCS = "https://platform.claude.com/docs/en/api/"
_LIMITS_DOCS = "https://docs.claude.com/en/api/rate-limits"
_NAME = re.compile("[a-zA-Z0-9_-]{1,128}")
_FORCED = ("any", "tool")
_LEAST_THINKING = 1024
#: The API itself is spoken by other servers, which have other models.
_OWN = re.compile(r"(?:anthropic[./])?claude-.*", re.IGNORECASE)


class AnthropicRefusals(Refusals):
    """The words of the Messages API."""

    source = f"{_DOCS}errors"
    failures: ClassVar[Mapping[int, str]] = {
        400: "The request is invalid.",
        401: "invalid x-api-key",
        402: "Your credit balance is too low to access the API.",
        403: "Your API key does not have permission to use the specified resource.",
        404: "model: {model}",
        413: "Request exceeds the maximum size",
        429: f"This request would exceed your organization's rate limit. For details, refer to: "
        f"{_LIMITS_DOCS}.",
        500: "Internal server error",
        504: "Request timed out",
        529: "Overloaded",
        503: "Overloaded",
    }

    def objections(self, sent: Sent) -> Iterator[Objection]:
        """Yield what is wrong, in the order in which the API looks."""
        if sent.problem is not None:
            yield _no_object(sent)
            return
        body = sent.body
        yield from _model(body)
        yield from _tools(body)
        messages = body.get("messages")
        if messages is None:
            yield _missing("messages")
        elif not isinstance(messages, list):
            yield wrong("type", "messages: Input should be a valid array", _TYPES)
        elif not messages:
            yield wrong("empty", "messages: at least one message is required", _EMPTY)
        yield from _system(body)
        yield from _thinking(body)
        yield from _numbers(body)
        if _OWN.fullmatch(sent.model) and not header_value(sent.request.headers, "anthropic-beta"):
            yield from _unknown(body)
        if isinstance(messages, list):
            yield from of_messages(messages, thinks=_thinks(body), memory=sent.memory)

    def bad_key(self, _request: Request, *, given: bool) -> Objection:
        """Return what is said to a wrong key, or to none."""
        return objection(
            "key",
            "invalid x-api-key" if given else "x-api-key header is required",
            self.source,
            status=401,
            error_class=ErrorClass.AUTHENTICATION,
        )

    def over_limit(self, excess: Excess, call: NeutralCall) -> Objection:
        """Return what is said to one request too many, or one that is too large."""
        quota = excess.quota
        what = "input tokens" if quota.kind is QuotaKind.TOKENS else "requests"
        message = (
            f"This request would exceed your organization's rate limit of {quota.limit:,} {what} "
            f"per minute (model: {call.model}). For details, refer to: {_LIMITS_DOCS}. You can see "
            "the response headers for current usage. Please reduce the prompt length or the "
            "maximum tokens requested, or try again later. You may also contact sales at "
            "https://www.anthropic.com/contact-sales to discuss your options for a rate limit "
            "increase."
        )
        return objection(
            "rate_limit",
            message,
            _LIMITS_DOCS,
            status=429,
            error_class=ErrorClass.RATE_LIMIT,
            retry_after=whole_seconds(excess.wait),
        )

    def too_long(self, tokens: int, most: int, _call: NeutralCall) -> Objection:
        """Return what is said to a conversation that is too long."""
        return objection(
            "context_length",
            f"prompt is too long: {tokens} tokens > {most} maximum",
            f"{_DOCS}errors",
            error_class=ErrorClass.CONTEXT_LENGTH,
        )

    def limit_headers(self, quotas: Sequence[Quota], epoch: float) -> Headers:
        """Return what is left, and when all is there again."""
        found: list[tuple[str, str]] = []
        for quota in quotas:
            # Tokens of requests and of answers are of one quota here.
            tokens = ("input-tokens", "output-tokens", "tokens")
            names = ("requests",) if quota.kind is QuotaKind.REQUESTS else tokens
            full = datetime.fromtimestamp(round(epoch + quota.reset), UTC)
            for name in names:
                begin = f"anthropic-ratelimit-{name}"
                found += [
                    (f"{begin}-limit", str(quota.limit)),
                    (f"{begin}-remaining", str(quota.remaining)),
                    (f"{begin}-reset", full.strftime("%Y-%m-%dT%H:%M:%SZ")),
                ]
        return tuple(found)


def _no_object(sent: Sent) -> Objection:
    if sent.problem is Problem.NO_OBJECT:
        return wrong("body", "Input should be an object", _TYPES)
    text = sent.request.body.decode("utf-8", "replace")
    return wrong("body", f"The request body is not valid JSON: {_mistake(text)}", _NO_JSON)


def _mistake(text: str) -> str:
    """Say where a text ends to be JSON, as the API does."""
    if not text.strip():
        return "no input: line 1 column 1 (char 0)"
    try:
        json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as exc:
        kind = "unexpected end of data" if exc.pos >= len(text) else "unexpected character"
        return f"{kind}: line {exc.lineno} column {exc.colno} (char {exc.pos})"
    except (ValueError, RecursionError):
        pass
    return "unexpected character: line 1 column 1 (char 0)"


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _model(body: JsonObject) -> Iterator[Objection]:
    model = body.get("model")
    # Vertex and Bedrock have the model in the address, and this field in its place.
    if model is None and "anthropic_version" not in body:
        yield _missing("model")
    elif model is not None and not isinstance(model, str):
        yield wrong("type", "model: Input should be a valid string", _TYPES)
    elif model == "":
        yield wrong("model", "model: String should have at least 1 character", _TYPES)


def _tools(body: JsonObject) -> Iterator[Objection]:
    tools, choice = body.get("tools"), body.get("tool_choice")
    if isinstance(choice, dict) and "type" not in choice:
        yield _missing("tool_choice.type")
    if tools is not None and not isinstance(tools, list):
        yield wrong("type", "tools: Input should be a valid array", _TYPES)
        return
    if isinstance(choice, dict) and choice.get("type") in _FORCED and not tools:
        yield wrong(
            "tool_choice", "tool_choice may only be specified while providing tools.", _CHOICE
        )
    names: list[Json] = []
    for number, tool in enumerate(tools or ()):
        at = f"tools.{number}"
        if not isinstance(tool, dict):
            yield wrong("type", f"{at}: Input should be an object", _TYPES)
            continue
        name = tool.get("name")
        names.append(name)
        if tool.get("type", "custom") == "custom":
            yield from _custom(tool, f"{at}.custom")
    given = [name for name in names if isinstance(name, str)]
    if len(set(given)) < len(given):
        yield wrong(
            "tool_name", "tools: Tool names must be unique.", "danny-avila/LibreChat/issues/13162"
        )


def _custom(tool: JsonObject, at: str) -> Iterator[Objection]:
    name = tool.get("name")
    if name is None:
        yield _missing(f"{at}.name")
    elif not isinstance(name, str):
        yield wrong("type", f"{at}.name: Input should be a valid string", _TYPES)
    elif not _NAME.fullmatch(name):
        yield wrong(
            "tool_name",
            f"{at}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'",
            "home-assistant/core/issues/147760",
        )
    if tool.get("input_schema") is None:
        yield _missing(f"{at}.input_schema")


def _system(body: JsonObject) -> Iterator[Objection]:
    system = body.get("system")
    if system is not None and not isinstance(system, str | list):
        yield wrong("type", "system: Input should be a valid array", _TYPES)


def _thinks(body: JsonObject) -> bool:
    thinking = body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") == "enabled"


def _thinking(body: JsonObject) -> Iterator[Objection]:
    thinking = body.get("thinking")
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled":
        return
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") in _FORCED:
        message = "Thinking may not be enabled when tool_choice forces tool use."
        yield wrong("thinking", message, "mastra-ai/mastra/issues/7507")
    budget, most = thinking.get("budget_tokens"), body.get("max_tokens")
    if budget is None:
        yield _missing("thinking.enabled.budget_tokens")
    elif not _is_whole(budget):
        yield wrong(
            "type", "thinking.enabled.budget_tokens: Input should be a valid integer", _TYPES
        )
    elif budget < _LEAST_THINKING:
        yield wrong(
            "thinking",
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
            _THINKING,
        )
    elif _is_whole(most) and most <= budget and not _interleaves(body):
        yield wrong(
            "thinking",
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our "
            "documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
            "#max-tokens-and-context-window-size",
            "liuw1535/antigravity2api-nodejs/issues/150",
        )


def _interleaves(body: JsonObject) -> bool:
    """Return whether thinking may go on between tool calls, which has a budget of its own."""
    return bool(body.get("tools"))


def _numbers(body: JsonObject) -> Iterator[Objection]:
    most = body.get("max_tokens")
    if most is None:
        yield _missing("max_tokens")
    elif not _is_whole(most):
        yield wrong("type", "max_tokens: Input should be a valid integer", _TYPES)
    elif most < 0:
        yield wrong("range", "max_tokens: must be greater than or equal to 0", _TYPES)
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield wrong("type", f"{name}: Input should be a valid number", _TYPES)
        elif not 0 <= value <= 1:
            yield wrong(
                "range", f"{name}: range: 0..1", "anthropics/anthropic-sdk-python/issues/893"
            )
    if body.get("top_k") is not None and not _is_whole(body["top_k"]):
        yield wrong("type", "top_k: Input should be a valid integer", _TYPES)
    if body.get("stream") is not None and not isinstance(body["stream"], bool):
        yield wrong("type", "stream: Input should be a valid boolean", _TYPES)


def _unknown(body: JsonObject) -> Iterator[Objection]:
    for name in body:
        if name not in _FIELDS:
            yield wrong(
                "unknown_field", f"{name}: Extra inputs are not permitted", "amrit110/oli/issues/7"
            )


def _missing(at: str) -> Objection:
    return wrong("missing", f"{at}: Field required", "tickernelz/opencode-mem/issues/50")


def _is_whole(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


#: What shows the words of wrong types, which are those of pydantic.
_TYPES = "https://docs.pydantic.dev/latest/errors/validation_errors/"
_EMPTY = "devoxx/DevoxxGenieIDEAPlugin/issues/567"
_NO_JSON = "promptfoo/promptfoo/issues/4489"
_CHOICE = f"{_DOCS}messages"
_THINKING = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
