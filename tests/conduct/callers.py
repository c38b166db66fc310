"""One call through each official SDK, with its own retries and as its documents show it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

#: Seconds of silence that each SDK is set to wait.
TIMEOUT = 1.0
QUESTION = "Hello"
Caller = Callable[[], str]


def openai_chat() -> str:
    import openai

    messages = [{"role": "user", "content": QUESTION}]
    with openai.OpenAI(timeout=TIMEOUT) as client:
        chunks = client.chat.completions.create(  # type: ignore[call-overload]
            model="gpt-4.1", messages=messages, stream=True
        )
        return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def openai_responses() -> str:
    import openai

    with openai.OpenAI(timeout=TIMEOUT) as client:
        events = client.responses.create(model="gpt-4.1", input=QUESTION, stream=True)
        return "".join(e.delta for e in events if e.type == "response.output_text.delta")


def anthropic() -> str:
    import anthropic as sdk

    with (
        sdk.Anthropic(timeout=TIMEOUT) as client,
        client.messages.stream(
            model="claude-sonnet-4-5",
            max_tokens=100,
            messages=[{"role": "user", "content": QUESTION}],
        ) as stream,
    ):
        return "".join(stream.text_stream)


def gemini() -> str:
    from google import genai
    from google.genai import types

    options = types.HttpOptions(timeout=int(TIMEOUT * 1000))
    with genai.Client(http_options=options) as client:
        chunks = client.models.generate_content_stream(model="gemini-2.5-flash", contents=QUESTION)
        return "".join(chunk.text or "" for chunk in chunks)


def cohere() -> str:
    import cohere as sdk

    # It reads the variable when it is imported, which may be too early.
    client = sdk.ClientV2(base_url=os.environ["CO_API_URL"], timeout=TIMEOUT)
    events = client.chat_stream(
        model="command-a-03-2025", messages=[{"role": "user", "content": QUESTION}]
    )
    return "".join(e.delta.message.content.text or "" for e in events if e.type == "content-delta")


def ollama() -> str:
    import ollama as sdk

    client = sdk.Client(timeout=TIMEOUT)
    chunks = client.chat(
        model="llama3.2", messages=[{"role": "user", "content": QUESTION}], stream=True
    )
    return "".join(chunk.message.content or "" for chunk in chunks)


def bedrock() -> str:
    import boto3
    from botocore.config import Config

    config = Config(read_timeout=TIMEOUT, connect_timeout=TIMEOUT)
    client = boto3.client("bedrock-runtime", config=config, region_name="us-east-1")
    answer = client.converse_stream(
        modelId="amazon.nova-lite-v1:0",
        messages=[{"role": "user", "content": [{"text": QUESTION}]}],
    )
    deltas = (e.get("contentBlockDelta", {}).get("delta", {}) for e in answer["stream"])
    return "".join(delta.get("text", "") for delta in deltas)


CALLERS: Mapping[str, Caller] = {
    caller.__name__.replace("_", "-"): caller
    for caller in (openai_chat, openai_responses, anthropic, gemini, cohere, ollama, bedrock)
}


#: The SDKs of Node.js that ``callers.mjs`` knows.
NODE = ("openai", "anthropic", "gemini", "ai")


def node(folder: str, name: str) -> Caller:
    """Return a caller that asks an SDK in ``folder/node_modules``."""

    def call() -> str:
        script = Path(__file__).with_name("callers.mjs")
        command = ["node", str(script), folder, name]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
        return done.stdout.strip()

    return call


def credentials() -> None:
    """Give boto3 what it signs with."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
