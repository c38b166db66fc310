"""The bundled client of each dialect, as a reader of one answer that is already here.

What a dialect writes and what a recording says is read as a client reads it, without a server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

import httpx

from harness.adapters.anthropic import AnthropicClient
from harness.adapters.bedrock import BedrockClient
from harness.adapters.chat.stream import ChatStream
from harness.adapters.cohere import CohereClient
from harness.adapters.common.answer import Answer
from harness.adapters.common.history import call_ids
from harness.adapters.common.native_client import NativeClient
from harness.adapters.gemini import GeminiClient
from harness.adapters.ollama import OllamaClient
from harness.adapters.openai_compat import OpenAICompatClient
from harness.adapters.response_strategies.background import ResponsesClient
from harness.adapters.responses.stream import ResponsesStream
from harness.clients.interface import Call, ClientError
from mockserver.vocabulary import AssistantTurn, NeutralCall, Status, fold
from mockserver.wire import Schedule

#: The clients whose dialects write their requests, by dialect.
NATIVE: Mapping[str, type[NativeClient]] = {
    client.dialect: client
    for client in (AnthropicClient, BedrockClient, CohereClient, GeminiClient, OllamaClient)
}
_CLIENTS: Mapping[str, type[Any]] = {
    "openai-chat": OpenAICompatClient,
    "openai-responses": ResponsesClient,
    "codex": ResponsesClient,
    "background": ResponsesClient,
    **NATIVE,
}
#: The readers of answers that are no client's own, by dialect.
_SHARED: Mapping[str, Callable[[NeutralCall], Answer]] = {
    "openai-chat": lambda call: ChatStream(tools=call.tools, taken_ids=call_ids(call.messages)),
    "openai-responses": lambda call: ResponsesStream(taken_ids=call_ids(call.messages)),
    "codex": lambda call: ResponsesStream(taken_ids=call_ids(call.messages)),
}
#: Nothing is sent there.
_NOWHERE = "http://recorded.invalid"


class NoReaderError(LookupError, ValueError):
    """No bundled client speaks a dialect."""


def reader_of(call: Call, said: NeutralCall) -> Answer:
    """Return the reader of what an SDK hands out for a call in the call's dialect.

    ``said`` is the same call in neutral words. Raises :class:`NoReaderError`.
    """
    if call.dialect in _SHARED:
        return _SHARED[call.dialect](said)
    if call.dialect in NATIVE:
        # Nothing is sent: the client only knows how its answers are read.
        return NATIVE[call.dialect].for_call(call).answering(said, None)
    raise NoReaderError(f"no bundled client reads the answers of an SDK for {call.dialect!r}")


async def read_turn(dialect: str, call: NeutralCall, answer: Schedule) -> AssistantTurn:
    """Return the turn that the bundled client of ``dialect`` reads from an answer to ``call``.

    Raises as :func:`ask` does.
    """
    return await ask(dialect, call, _NOWHERE, transport=_Replay(answer))


async def ask(
    dialect: str,
    call: NeutralCall,
    base_url: str,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AssistantTurn:
    """Make a call with the bundled client of ``dialect``, without a key, and return its turn.

    An answer with an error status is a failed turn without parts. Raises :class:`NoReaderError`,
    and ``ValueError`` for a call that the client cannot make.
    """
    if dialect not in _CLIENTS:
        raise NoReaderError(f"no bundled client reads answers of {dialect}")
    kind = _CLIENTS[dialect]
    asked: dict[str, Any] = {
        "model": call.model,
        "messages": call.messages,
        "tools": call.tools,
        "options": call.options,
    }
    if kind is ResponsesClient:
        asked["background"] = False
    client = kind(base_url, transport=transport)
    async with client:
        if call.stream:
            async with aclosing(client.stream(**asked)) as events:
                return fold([event async for event in events])
        try:
            turn: AssistantTurn = await client.complete(**asked)
        except ClientError as exc:
            turn = exc.turn or AssistantTurn(status=Status.FAILED, error=exc.error, parts=())
        return turn


class _Replay(httpx.AsyncBaseTransport):
    """Gives one answer, to the first request."""

    def __init__(self, answer: Schedule) -> None:
        self._answers = [answer]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, decoded and whole."""
        if not self._answers:
            raise httpx.ConnectError("there is one answer only", request=request)
        answer = self._answers.pop()
        headers = [(n, v) for n, v in answer.headers if n.lower() != "content-encoding"]
        stream = httpx.ByteStream(answer.plain.data)
        return httpx.Response(answer.status, headers=headers, stream=stream)
