"""What Bedrock's Converse refuses, in its words. Pure.

Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html, and the issues
that quote each message.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from mockserver.cassettes.cassette import Request, Response, header_value
from mockserver.dialects import tool_turns
from mockserver.dialects.objection import Objection, objection
from mockserver.dialects.refusals import Excess, QuotaKind, Refusals, Sent
from mockserver.dialects.tool_turns import Turn, Use
from mockserver.dialects.writing import compact
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.failure import ErrorClass
from mockserver.vocabulary.model import Json, JsonObject

_DOCS = "https://docs.aws.amazon.com/bedrock/latest/"
_GUIDE = f"{_DOCS}userguide/troubleshooting-api-error-codes.html"
_CONVERSE = f"{_DOCS}APIReference/API_runtime_Converse.html"
_NAME = re.compile("[a-zA-Z0-9_-]+")
_NAME_LENGTH = 64


class BedrockRefusals(Refusals):
    """The words of Converse."""

    source = _GUIDE
    failures: ClassVar[Mapping[int, str]] = {
        400: "The provided request is not valid",
        401: "The security token included in the request is invalid.",
        403: "You don't have access to the model with the specified model ID.",
        404: "The model that you requested could not be found.",
        408: "The model took too long to process the request.",
        424: "The request failed due to an error while processing the model.",
        429: "Too many requests, please wait before trying again.",
        500: "The system encountered an unexpected error during processing. Try your request "
        "again.",
        503: "Bedrock is unable to process your request.",
    }

    def objections(self, sent: Sent) -> Iterator[Objection]:
        """Yield what is wrong."""
        body = sent.body
        yield from _ranges(body)
        messages = body.get("messages")
        some = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
        if isinstance(messages, list) and len(some) == len(messages):
            yield from _contents(some)
            yield from _roles(some)
            yield from _pairs(some, body)

    def bad_key(self, request: Request, *, given: bool) -> Objection:
        """Return what is said to a wrong key, or to none; to a signature it is something else."""
        signed = (header_value(request.headers, "authorization") or "").startswith("AWS4-")
        kind = "UnrecognizedClientException" if signed else "AccessDeniedException"
        words = (
            "The security token included in the request is invalid."
            if signed
            else "Authentication failed: Please make sure your API Key is valid."
        )
        return objection(
            "key",
            words if given else "Missing Authentication Token",
            f"{_DOCS}APIReference/CommonErrors.html",
            status=403,
            error_class=ErrorClass.AUTHENTICATION,
            exception=kind if given else "MissingAuthenticationTokenException",
            field="message" if signed or not given else "Message",
        )

    def over_limit(self, excess: Excess, _call: NeutralCall) -> Objection:
        """Return what is said to one request too many. It names no wait."""
        what = "tokens" if excess.quota.kind is QuotaKind.TOKENS else "requests"
        return objection(
            "rate_limit",
            f"Too many {what}, please wait before trying again.",
            _GUIDE,
            status=429,
            error_class=ErrorClass.RATE_LIMIT,
        )

    def too_long(self, _tokens: int, _most: int, _call: NeutralCall) -> Objection:
        """Return what is said to a conversation that is too long."""
        return objection(
            "context_length",
            "Input is too long for requested model.",
            _GUIDE,
            error_class=ErrorClass.CONTEXT_LENGTH,
        )


def write_objection(refused: Objection, answer: Response) -> Response:
    """Return an error with the exception, and the field, that an objection names."""
    exception, field = refused.fields.get("exception"), refused.fields.get("field")
    headers = tuple(
        (name, f"{exception}:{value.partition(':')[2]}")
        if exception and name == "x-amzn-errortype"
        else (name, value)
        for name, value in answer.headers
    )
    body = compact({str(field): refused.error.message}).encode() if field else answer.body
    return Response(
        status=answer.status, reason=answer.reason, headers=headers, body=body, wire=answer.wire
    )


def _ranges(body: JsonObject) -> Iterator[Objection]:
    config = body.get("inferenceConfig")
    if isinstance(config, dict):
        for name in ("temperature", "topP"):
            value = config.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                at = f"inferenceConfig.{name}"
                if value > 1:
                    yield _constraint(at, float(value), "value less than or equal to 1")
                elif value < 0:
                    yield _constraint(at, float(value), "value greater than or equal to 0")
        most = config.get("maxTokens")
        if isinstance(most, int) and not isinstance(most, bool) and most < 1:
            at = "inferenceConfig.maxTokens"
            yield _constraint(at, most, "value greater than or equal to 1")
    offered = body.get("toolConfig")
    tools = offered.get("tools") if isinstance(offered, dict) else None
    for number, tool in enumerate(tools if isinstance(tools, list) else (), 1):
        spec = tool.get("toolSpec") if isinstance(tool, dict) else None
        named = spec.get("name") if isinstance(spec, dict) else None
        at = f"toolConfig.tools.{number}.member.toolSpec.name"
        if isinstance(named, str) and not _NAME.fullmatch(named):
            what = "satisfy regular expression pattern: [a-zA-Z0-9_-]+"
            yield _constraint(at, named, what, verb="")
        elif isinstance(named, str) and len(named) > _NAME_LENGTH:
            yield _constraint(at, named, "length less than or equal to 64")


def _constraint(at: str, value: object, what: str, verb: str = "have ") -> Objection:
    return objection(
        "range",
        f"1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: "
        f"Member must {verb}{what}",
        _CONVERSE,
    )


def _contents(messages: Sequence[JsonObject]) -> Iterator[Objection]:
    for number, message in enumerate(messages):
        content = message.get("content")
        if content == []:
            yield _wrong(
                "empty",
                f"The content field in the Message object at messages.{number} is empty. Add a "
                "ContentBlock object to the content field and try again.",
            )
        for at, block in enumerate(content if isinstance(content, list) else ()):
            text = block.get("text") if isinstance(block, dict) else None
            if isinstance(text, str) and not text.strip():
                yield _wrong(
                    "empty_text",
                    f"The text field in the ContentBlock object at messages.{number}.content.{at} "
                    "is blank. Add text to the text field, and try again.",
                )


def _roles(messages: Sequence[JsonObject]) -> Iterator[Objection]:
    roles = [message.get("role") for message in messages]
    if roles and roles[0] != "user":
        yield _wrong(
            "first_role",
            "A conversation must start with a user message. Try again with a conversation that "
            "starts with a user message.",
        )
    if any(one == next_ for one, next_ in itertools.pairwise(roles)):
        yield _wrong(
            "role",
            "A conversation must alternate between user and assistant roles. Make sure the "
            "conversation alternates between user and assistant roles and try again.",
        )


def _pairs(messages: Sequence[JsonObject], body: JsonObject) -> Iterator[Objection]:
    turns = [_turn(message, number) for number, message in enumerate(messages)]
    if not body.get("toolConfig") and any(turn.calls or turn.results for turn in turns):
        yield _wrong(
            "no_tools",
            "The toolConfig field must be defined when using toolUse and toolResult content "
            "blocks.",
        )
    for turn, ids in tool_turns.unanswered(turns):
        if turn.number + 1 < len(turns):
            yield _wrong(
                "missing_result",
                f"Expected toolResult blocks at messages.{turn.number + 1}.content for the "
                f"following Ids: {', '.join(ids)}",
                proves=True,
            )
    for number, turn in enumerate(turns):
        calls = turns[number - 1].calls if number else ()
        if len(turn.results) > len(calls):
            yield _wrong(
                "orphan_result",
                f"The number of toolResult blocks at messages.{number}.content exceeds the number "
                "of toolUse blocks of previous turn.",
                proves=True,
            )


def _turn(message: JsonObject, number: int) -> Turn:
    calls, results = [], []
    content = message.get("content")
    for at, block in enumerate(content if isinstance(content, list) else ()):
        calls += _use(block, "toolUse", number, at)
        results += _use(block, "toolResult", number, at)
    return Turn(number, tuple(calls), tuple(results))


def _use(block: Json, kind: str, message: int, at: int) -> list[Use]:
    use = block.get(kind) if isinstance(block, dict) else None
    id_ = use.get("toolUseId") if isinstance(use, dict) else None
    return [Use(id_, message, at)] if isinstance(id_, str) else []


def _wrong(check: str, message: str, *, proves: bool = False) -> Objection:
    return objection(check, message, _CONVERSE, proves=proves)
