"""The translator of openai-agents: Chat Completions chunks in, Responses events out.

With the argument ``signatures`` it also does what the fork did that ``chatcmpl-to-responses``
replaces: it hands on the thought signatures of Gemini.
"""
# mypy: ignore-errors

import importlib.metadata
import sys
import time

import openai
from agents.exceptions import AgentsException
from agents.models.chatcmpl_stream_handler import ChatCmplStreamHandler
from openai.types.responses import Response
from tapecheck_client import Native, serve

KEEPS_SIGNATURES = "signatures" in sys.argv[1:]
RELEASES = ", ".join(f"{n} {importlib.metadata.version(n)}" for n in ("openai-agents", "openai"))


async def make(call):
    """Translate one streamed answer."""
    response = Response(
        id="resp_1",
        created_at=time.time(),
        model=call.model,
        object="response",
        output=[],
        tool_choice="auto",
        tools=[],
        parallel_tool_calls=False,
    )
    signatures = {}
    async with openai.AsyncOpenAI(
        base_url=call.base_url,
        api_key=call.api_key,
        timeout=call.timeout,
        max_retries=call.max_retries,
    ) as client:
        chunks = await client.chat.completions.create(**call.arguments, stream=True)
        if KEEPS_SIGNATURES:
            chunks = noting(chunks, signatures)
        async for event in ChatCmplStreamHandler.handle_stream(response, chunks):
            data = event.model_dump(mode="json", warnings=False)
            for item in (data.get("item"), *(data.get("response") or {}).get("output", ())):
                if data["type"].endswith((".done", ".completed")) and item:
                    sign(item, signatures)
            yield Native(data, "openai-responses")


async def noting(chunks, signatures):
    """Yield the chunks; keep the signature of each call by the call's id."""
    ids = {}
    async for chunk in chunks:
        for choice in chunk.choices or ():
            for piece in (choice.delta and choice.delta.tool_calls) or ():
                ids[piece.index] = piece.id or ids.get(piece.index)
                fields = getattr(piece, "provider_specific_fields", None) or {}
                if signature := fields.get("thought_signature"):
                    signatures[ids.get(piece.index)] = signature
        yield chunk


def sign(item, signatures):
    """Put the signature of a finished call where the fork had it."""
    if signature := signatures.get(item.get("call_id")):
        item["provider_specific_fields"] = {"google": {"thought_signature": signature}}


serve(
    make,
    name="original-chatcmpl-to-responses",
    version=RELEASES,
    dialects=["openai-chat"],
    # Those of the client that replaces it, as far as they are about streams.
    features=[
        *("streaming", "tools", "reasoning", "refusal", "citations", "legacy_functions"),
        *("multiple_choices", "retries", "multi_turn", "native_responses"),
    ],
    failures=[openai.OpenAIError, AgentsException],
)
