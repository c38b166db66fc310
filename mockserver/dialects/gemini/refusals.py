"""What the Gemini API refuses, in its words. Pure.

Sources: https://ai.google.dev/gemini-api/docs/troubleshooting, recorded errors, and the issues that
quote each message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects.gemini.errors import error_body, pretty
from mockserver.dialects.gemini.refused_contents import of_contents
from mockserver.dialects.gemini.spelling import folded
from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.refusals import Excess, Problem, QuotaKind, Refusals, Sent
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass
from mockserver.vocabulary.model import Json, JsonObject

_DOCS = "https://ai.google.dev/gemini-api/docs/"
_ISSUES = "https://github.com/google-gemini/gemini-cli/issues/"
_TYPE = "type.googleapis.com/google.rpc."
#: The fields of a request: those of the API, of Vertex AI, and what SDKs add.
_FIELDS = frozenset(
    [
        "contents",
        "systemInstruction",
        "tools",
        "toolConfig",
        "safetySettings",
        "generationConfig",
        "cachedContent",
        "labels",
        "model",
        "serviceTier",
        "store",
        "modelArmorConfig",
        "automaticFunctionCalling",
    ]
)
#: The fields of ``generationConfig``.
_CONFIG = frozenset(
    [
        "candidateCount",
        "stopSequences",
        "maxOutputTokens",
        "temperature",
        "topP",
        "topK",
        "seed",
        "presencePenalty",
        "frequencyPenalty",
        "responseMimeType",
        "responseSchema",
        "responseJsonSchema",
        "_responseJsonSchema",
        "ResponseJsonSchema",
        "responseModalities",
        "responseLogprobs",
        "logprobs",
        "speechConfig",
        "thinkingConfig",
        "mediaResolution",
        "imageConfig",
        "enableEnhancedCivicAnswers",
        "audioTimestamp",
        "audioTranscriptionConfig",
        "routingConfig",
        "modelSelectionConfig",
        "enableAffectiveDialog",
        "translationConfig",
        "responseFormat",
        "modelConfig",
        "generationOutputConfig",
        "videoConfig",
        "mediaConfig",
    ]
)
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_METRICS = {
    QuotaKind.REQUESTS: (
        "generate_content_free_tier_requests",
        "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
    ),
    QuotaKind.TOKENS: (
        "generate_content_free_tier_input_token_count",
        "GenerateContentInputTokensPerModelPerMinute-FreeTier",
    ),
}
_CUT_OFF = "Unexpected end of string. Expected a value.\n\n^"
_NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use "
    "API Key or other form of API consumer identity to call this API."
)


class GeminiRefusals(Refusals):
    """The words of the Gemini API."""

    source = f"{_DOCS}troubleshooting"
    failures: ClassVar[Mapping[int, str]] = {
        400: "Request contains an invalid argument.",
        401: "Request had invalid authentication credentials.",
        403: "The caller does not have permission",
        404: "models/{model} is not found for API version v1beta, or is not supported for "
        "generateContent. Call ListModels to see the list of available models and their supported "
        "methods.",
        429: "Resource has been exhausted (e.g. check quota).",
        499: "The operation was cancelled.",
        500: "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
        503: "The model is overloaded. Please try again later.",
        504: "Deadline expired before operation could complete.",
    }

    def objections(self, sent: Sent) -> Iterator[Objection]:
        """Yield what is wrong: unknown names first, which cannot be parsed at all."""
        if sent.problem is not None and sent.problem is not Problem.EMPTY:
            yield _no_object(sent)
            return
        body = folded(sent.body)
        if not isinstance(body, dict):
            return
        yield from _unknown(sent.body)
        contents = body.get("contents")
        if contents in (None, []):
            yield objection(
                "missing",
                "* GenerateContentRequest.contents: contents is not specified\n",
                f"{_DOCS}troubleshooting",
            )
        yield from _tools(body)
        if isinstance(contents, list):
            yield from of_contents(contents, sent.memory)

    def bad_key(self, _request: Request, *, given: bool) -> Objection:
        """Return what is said to a wrong key, or to none."""
        return objection(
            "key",
            "API key not valid. Please pass a valid API key." if given else _NO_KEY,
            f"{_DOCS}api-key",
            status=400 if given else 403,
            error_class=ErrorClass.AUTHENTICATION if given else ErrorClass.PERMISSION,
        )

    def over_limit(self, excess: Excess, call: NeutralCall) -> Objection:
        """Return what is said to one request too many: there are no headers, but details."""
        quota = excess.quota
        metric, quota_id = _METRICS[quota.kind]
        metric = f"generativelanguage.googleapis.com/{metric}"
        wait = 60.0 if excess.wait is None else excess.wait
        message = (
            "You exceeded your current quota, please check your plan and billing details. For more "
            f"information on this error, head to: {_DOCS}rate-limits. To monitor your current "
            "usage, head to: https://ai.dev/rate-limit. \n* Quota exceeded for metric: "
            f"{metric}, limit: {quota.limit}, model: {call.model}\nPlease retry in {wait:.9f}s."
        )
        violation: JsonObject = {
            "quotaMetric": metric,
            "quotaId": quota_id,
            "quotaDimensions": {"location": "global", "model": call.model},
            "quotaValue": str(quota.limit),
        }
        links: list[Json] = [
            {"description": "Learn more about Gemini API quotas", "url": f"{_DOCS}rate-limits"}
        ]
        return objection(
            "rate_limit",
            message,
            f"{_DOCS}rate-limits",
            status=429,
            error_class=ErrorClass.RATE_LIMIT,
            retry_after=float(-int(-wait // 1)),
            details=[
                {"@type": f"{_TYPE}Help", "links": links},
                {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]},
            ],
        )

    def too_long(self, tokens: int, most: int, _call: NeutralCall) -> Objection:
        """Return what is said to a conversation that is too long."""
        return objection(
            "context_length",
            f"The input token count ({tokens}) exceeds the maximum number of tokens allowed "
            f"({most}).",
            f"{_DOCS}tokens",
            error_class=ErrorClass.CONTEXT_LENGTH,
        )


def write_objection(refused: Objection, *, streamed: bool) -> Response:
    """Return an error with the details that an objection has besides."""
    error = refused.error
    # The words are whole: nothing is put before them.
    plain = replace(error, error_class=ErrorClass.INVALID_REQUEST)
    hinted = error.error_class is ErrorClass.CONTEXT_LENGTH
    body = error_body(plain if hinted else error)
    own = refused.fields.get("details")
    if isinstance(own, list):
        content = body["error"]
        content["details"] = [*own, *content.get("details", [])]
    return pretty(body, status=body["error"]["code"], streamed=streamed)


def _no_object(sent: Sent) -> Objection:
    words = 'Unknown name "": Root element must be a message.'
    if sent.problem is Problem.NO_JSON:
        rest = _from_mistake(sent.request.body.decode("utf-8", "replace"))
        words = f"Unexpected token.\n{rest}\n^" if rest else _CUT_OFF
    return objection("body", f"Invalid JSON payload received. {words}", f"{_DOCS}troubleshooting")


def _from_mistake(text: str) -> str:
    """Return the line from where a text is no JSON; empty if it is cut off."""
    try:
        json.loads(text)
    except json.JSONDecodeError as exc:
        text = text[exc.pos :]
    except (ValueError, RecursionError):
        pass
    return text.partition("\n")[0][:80]


def _unknown(raw: JsonObject) -> Iterator[Objection]:
    """Yield what is said to names that the API does not have."""
    words = [f'Unknown name "{name}"' for name in _others(raw, _FIELDS)]
    for name, value in raw.items():
        if folded({name: None}) == {"generationConfig": None} and isinstance(value, dict):
            at = "at 'generation_config'"
            words += [f'Unknown name "{other}" {at}' for other in _others(value, _CONFIG)]
    if words:
        texts = [f"Invalid JSON payload received. {text}: Cannot find field." for text in words]
        violations: list[Json] = [{"description": text} for text in texts]
        yield objection(
            "unknown_field",
            "\n".join(texts),
            f"{_DOCS}troubleshooting",
            details=[{"@type": f"{_TYPE}BadRequest", "fieldViolations": violations}],
        )


def _others(raw: JsonObject, known: frozenset[str]) -> list[str]:
    """Return the names that are not known, in either spelling."""
    return [name for name in raw if not known & set(folded({name: None}))]


def _tools(body: JsonObject) -> Iterator[Objection]:
    names: set[str] = set()
    tools = body.get("tools")
    for number, tool in enumerate(tools if isinstance(tools, list) else ()):
        declared = tool.get("functionDeclarations") if isinstance(tool, dict) else None
        for at, function in enumerate(declared if isinstance(declared, list) else ()):
            name = function.get("name") if isinstance(function, dict) else None
            if not isinstance(name, str):
                continue
            if name in names:
                yield objection(
                    "tool_name",
                    f"Duplicate function declaration found: {name}",
                    f"{_DOCS}function-calling",
                )
            elif not _NAME.fullmatch(name):
                yield objection(
                    "tool_name",
                    f"* GenerateContentRequest.tools[{number}].function_declarations[{at}].name: "
                    "Invalid function name. Must start with a letter or an underscore. Must be "
                    "alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes "
                    "(-), with a maximum length of 64.",
                    f"{_ISSUES}2966",
                )
            names.add(name)
