"""Messages on the platforms of others, with the model in the path: Vertex AI, Amazon Bedrock. Pure.

Vertex AI answers as Anthropic does; Bedrock puts each event of a stream into a frame of its own.
Sources: ``lib/vertex`` and ``lib/bedrock`` of the SDK ``anthropic``, and
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from mockserver.cassettes.cassette import Request, Response
from mockserver.dialects.recorded_body import body_of
from mockserver.dialects.writing import Pace, compact, digest, retry_after, streamed, whole
from mockserver.vocabulary.failure import ErrorClass, ErrorInfo
from mockserver.wire.eventstream import CONTENT_TYPE, Header, encode

VERTEX = re.compile("/models/[^/]+:(?:streamRawPredict|rawPredict)")
BEDROCK = re.compile(
    r"/model/[^/]*anthropic\.[^/]*/(?:invoke-with-response-stream|invoke)", re.IGNORECASE
)
_VERTEX_MODEL = re.compile(r".*/models/([^/]+):\w+")
_BEDROCK_MODEL = re.compile(r".*/model/([^/]+)/([\w-]+)")
#: What Bedrock calls errors, by class.
_TYPES = {
    ErrorClass.AUTHENTICATION: "UnrecognizedClientException",
    ErrorClass.PERMISSION: "AccessDeniedException",
    ErrorClass.MODEL_NOT_FOUND: "ResourceNotFoundException",
    ErrorClass.RATE_LIMIT: "ThrottlingException",
    ErrorClass.OVERLOADED: "ServiceUnavailableException",
    ErrorClass.SERVER_ERROR: "InternalServerException",
    ErrorClass.TIMEOUT: "ModelTimeoutException",
}


def of_vertex(request: Request) -> Request:
    """Return the request to Messages that one to Vertex AI stands for."""
    found = _VERTEX_MODEL.fullmatch(request.url.path)
    body = body_of(request)
    if found is not None:
        body = {**body, "model": unquote(found[1])}
    return replace(request, body=compact(body).encode())


def of_bedrock(request: Request) -> Request:
    """Return the request to Messages that one to Bedrock stands for."""
    found = _BEDROCK_MODEL.fullmatch(request.url.path)
    body = body_of(request)
    if found is not None:
        stream = found[2] == "invoke-with-response-stream"
        body = {**body, "model": unquote(found[1]), "stream": stream}
    return replace(request, body=compact(body).encode())


def framed(response: Response, pace: Pace) -> Response:
    """Return the answer as Bedrock sends it: each event of a stream in a frame."""
    headers = (("x-amzn-requestid", digest(response.body.decode(errors="replace"), length=32)),)
    if "event-stream" not in (response.header("content-type") or ""):
        return replace(response, headers=(("content-type", "application/json"), *headers))
    return streamed(_frames(response.body), pace, content_type=CONTENT_TYPE, headers=headers)


def bedrock_error(error: ErrorInfo, status: int) -> Response:
    """Return an error with its type in a header, as AWS does."""
    kind = _TYPES.get(error.error_class, "ValidationException")
    headers = (("x-amzn-errortype", kind), *retry_after(error.retry_after))
    return whole({"message": error.message}, status=status, headers=headers)


def _frames(events: bytes) -> Iterator[bytes]:
    texts = ((":event-type", "chunk"), (":content-type", "application/json"))
    head = [Header(*text) for text in (*texts, (":message-type", "event"))]
    for event in events.split(b"\n\n"):
        _, found, data = event.partition(b"data: ")
        if found:
            payload = compact({"bytes": base64.b64encode(data).decode()})
            yield encode(head, payload.encode())
