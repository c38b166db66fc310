"""The official ``google-genai`` package, used as an ordinary caller would."""

from __future__ import annotations

import base64
import ssl
from typing import Any

from google import genai
from google.genai import errors, types

from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import Json, JsonObject
from tests.second_opinion.turn import Turn

_NAMES = {
    "n": "candidate_count",
    "temperature": "temperature",
    "top_p": "top_p",
    "max_completion_tokens": "max_output_tokens",
    "stop": "stop_sequences",
    "seed": "seed",
}

#: For all clients: to load the certificates takes longer than a call.
TLS = ssl.create_default_context()


def ask(base_url: str, call: NeutralCall, turn: Turn) -> None:
    """Make a call and read the answer into ``turn``, as far as it comes."""
    client = genai.Client(
        api_key="second-opinion",
        http_options=types.HttpOptions(
            base_url=base_url,
            timeout=int((call.timeout or 5.0) * 1000),
            client_args={"verify": TLS},
            async_client_args={"verify": TLS, "ssl": TLS},
            retry_options=types.HttpRetryOptions(
                attempts=call.max_retries + 1, initial_delay=0.01, max_delay=0.05
            ),
        ),
    )
    with client:
        _ask(client, call, turn)


def status_of(exc: Exception) -> int | None:
    """Return the HTTP status of an exception of the SDK."""
    return exc.code if isinstance(exc, errors.APIError) else None


def _ask(client: genai.Client, call: NeutralCall, turn: Turn) -> None:
    contents = [_content(m) for m in call.messages if m["role"] != "system"]
    arguments: dict[str, Any] = {
        "model": call.model,
        "contents": contents,
        "config": types.GenerateContentConfig(**_config(call)),
    }
    if not call.stream:
        _read(client.models.generate_content(**arguments), turn)
        return
    for chunk in client.models.generate_content_stream(**arguments):
        _read(chunk, turn)


def _config(call: NeutralCall) -> dict[str, Any]:
    config: dict[str, Any] = {_NAMES[k]: v for k, v in call.options.items() if k in _NAMES}
    system = [m["content"] for m in call.messages if m["role"] == "system"]
    if system:
        config["system_instruction"] = system
    functions = [t["function"] for t in call.tools if t["type"] == "function"]
    if functions:
        declared = [
            types.FunctionDeclaration(name=f["name"], parameters_json_schema=f.get("parameters"))
            for f in functions
        ]
        config["tools"] = [types.Tool(function_declarations=declared)]
    if "response_format" in call.options:
        config["response_mime_type"] = "application/json"
    return config


def _content(message: JsonObject) -> types.Content:
    role = "model" if message["role"] == "assistant" else "user"
    return types.Content(role=role, parts=list(map(_part, _parts(message["content"]))))


def _parts(content: Json) -> list[JsonObject]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _part(part: JsonObject) -> types.Part:
    if part["type"] == "text":
        return types.Part(text=part["text"])
    kind, _, data = part["image_url"]["url"].removeprefix("data:").partition(";base64,")
    return types.Part.from_bytes(data=base64.b64decode(data), mime_type=kind)


def _read(answer: types.GenerateContentResponse, turn: Turn) -> None:
    if (usage := answer.usage_metadata) is not None:
        turn.usage = (
            _sum(usage.prompt_token_count, usage.tool_use_prompt_token_count),
            _sum(usage.candidates_token_count, usage.thoughts_token_count),
            usage.total_token_count,
        )
    for candidate in answer.candidates or ():
        if candidate.index:
            continue
        if candidate.finish_reason is not None:
            turn.finish = candidate.finish_reason.value
        for part in (candidate.content and candidate.content.parts) or ():
            if part.text and not part.thought:
                turn.text += part.text
            if (call := part.function_call) is not None:
                turn.calls.append((call.id, call.name, call.args))


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
