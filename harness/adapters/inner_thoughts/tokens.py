"""Token counts for servers that send none. Pure.

They are estimates and are marked ``estimated``: neither the model's own tokenizer nor the
template in which a server puts the messages is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from harness.adapters.inner_thoughts.tokenizer import TokenCounter
from mockserver.vocabulary import (
    ContentDelta,
    Event,
    Json,
    JsonObject,
    MessageStop,
    ReasoningDelta,
    RefusalDelta,
    ToolCallDelta,
    ToolCallStart,
    Usage,
    UsageEvent,
)

# OpenAI's cookbook, "How to count tokens with tiktoken": each message is framed by three
# tokens, and three more open the answer.
_PER_MESSAGE = 3
_PER_ANSWER = 3


def count_input(
    messages: Iterable[JsonObject], tools: Iterable[JsonObject], count: TokenCounter
) -> int:
    """Count the tokens of a request: texts and tool calls of the messages, and the tools.

    Images, audio and files are left out: their cost does not depend on text.
    """
    framed = sum(_PER_MESSAGE + sum(map(count, _texts(message))) for message in messages)
    return framed + sum(count(_dumped(tool)) for tool in tools) + _PER_ANSWER


class UsageEstimate:
    """Puts an estimated ``usage`` before ``message_stop`` if the server sent none."""

    def __init__(self, input_tokens: int, count: TokenCounter) -> None:
        self._input = input_tokens
        self._count = count
        self._output: list[str] = []
        self._known = False

    def feed(self, event: Event) -> Iterator[Event]:
        """Take one event and yield its replacement."""
        match event:
            case ContentDelta(delta=text) | ReasoningDelta(delta=text) | RefusalDelta(delta=text):
                self._output.append(text)
            case ToolCallStart(tool_name=text) | ToolCallDelta(arguments_delta=text):
                self._output.append(text)
            case UsageEvent():
                self._known = True
            case MessageStop() if not self._known:
                output = self._count("".join(self._output))
                yield UsageEvent(
                    usage=Usage(
                        input_tokens=self._input,
                        output_tokens=output,
                        total_tokens=self._input + output,
                        estimated=True,
                    )
                )
        yield event


def _texts(message: JsonObject) -> Iterator[str]:
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"text": content}]
    texts = [part.get("text") for part in parts if isinstance(part, Mapping)]
    texts = [*texts, message.get("role"), message.get("name")]
    yield from (text for text in texts if isinstance(text, str))
    yield from (_dumped(call.get("function")) for call in message.get("tool_calls") or ())


def _dumped(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
