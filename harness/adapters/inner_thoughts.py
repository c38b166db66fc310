"""``inner-thoughts``: a Chat Completions client for agents that think inside tool arguments.

The client of ``openai-compat`` talks to the server; the stages here rewrite its events. With
no option set it hands out what that client does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, Self
from uuid import UUID, uuid4

from harness.adapters.inner_thoughts_calls import CallArguments, CallRules
from harness.adapters.inner_thoughts_hidden import HiddenReasoning
from harness.adapters.inner_thoughts_ids import MessageIds
from harness.adapters.inner_thoughts_tokenizer import TOKENIZERS, TokenCounter, counter_of
from harness.adapters.inner_thoughts_tokens import UsageEstimate, count_input
from harness.adapters.openai_compat import OpenAICompatClient, openai_compat, played
from harness.adapters.retrying import RetryPolicy
from harness.interface import Call, adapter
from harness.model import AssistantTurn, Event, Json, JsonObject


class Stage(Protocol):
    """One rewriting of events; it sees all events of one answer, in order."""

    def feed(self, event: Event) -> Iterator[Event]:
        """Take one event and yield what it becomes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Thoughts:
    """What an :class:`InnerThoughtsClient` does with an answer, by the names of its options.

    ``inner_thoughts_key``: the tool argument that holds the inner thoughts, ``thinking`` in
    today's Letta, ``inner_thoughts`` in older servers. ``assistant_message_tool``: the tool
    whose ``assistant_message_key`` argument is text for the user. ``hidden_reasoning``: say
    ``reasoning_omitted`` for models that reason in secret, unless there are inner thoughts.
    ``estimate_usage``: count tokens if the server does not; the counts are marked
    ``estimated``. ``tokenizer``: what counts them, the same with and without the extra: ``bytes``
    takes four bytes of UTF-8 for a token, ``tekken`` has a vocabulary and needs the extra
    ``tokens`` of this package, and a function from text to its number of tokens may be that of
    the model.
    """

    inner_thoughts_key: str | None = None
    assistant_message_tool: str | None = None
    assistant_message_key: str = "message"
    hidden_reasoning: bool = False
    estimate_usage: bool = False
    tokenizer: str | TokenCounter = "bytes"

    @classmethod
    def taken_from(cls, options: dict[str, Json]) -> Self:
        """Take the options with these names out of ``options``.

        ``None`` is as good as absent; ``inner_thoughts_key: true`` means ``thinking``. Raises
        ``ValueError`` for a value of the wrong kind.
        """
        names = (field.name for field in dataclasses.fields(cls))
        taken: JsonObject = {name: options.pop(name, None) for name in names}
        known = {name: value for name, value in taken.items() if value is not None}
        if known.get("inner_thoughts_key") is True:
            known["inner_thoughts_key"] = "thinking"
        for name, value in known.items():
            match name:
                case "hidden_reasoning" | "estimate_usage":
                    kind, fits = "true or false", isinstance(value, bool)
                case "tokenizer":
                    kind = f"{', '.join(TOKENIZERS)} or a function"
                    fits = callable(value) or value in list(TOKENIZERS)
                case _:
                    kind, fits = "a name", isinstance(value, str) and value != ""
            if not fits:
                raise ValueError(f"the option {name} is {kind}, not {value!r}")
        return cls(**known)

    @property
    def call_rules(self) -> CallRules:
        """What is to be taken out of tool calls."""
        return CallRules(
            thoughts_key=self.inner_thoughts_key,
            message_tool=self.assistant_message_tool,
            message_key=self.assistant_message_key,
        )


class InnerThoughtsClient(OpenAICompatClient):
    """An :class:`OpenAICompatClient` whose answers are rewritten as :class:`Thoughts` says.

    The fields of :class:`Thoughts` are further ``options`` of ``stream``, ``stream_messages``
    and ``complete``. Tools are sent as they are; that they have the argument for the thoughts
    is the caller's doing.

    Cancelling, at an event or between two, closes the connection and passes the cancellation
    on: each event was then handed out once or not at all, and none follows.
    """

    async def stream_messages(
        self,
        *,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        options: Mapping[str, Json] | None = None,
        answer_id: UUID | None = None,
    ) -> AsyncGenerator[tuple[UUID | None, Event], None]:
        """Yield the events of ``stream``, each with the id of its message.

        ``answer_id`` is the id from which those are made, see :class:`MessageIds`; a random
        one by default. Events of the answer as a whole (start, usage, warning, the terminal
        one) have no id.
        """
        ids = MessageIds(answer_id or uuid4())
        answer = self.stream(model=model, messages=messages, tools=tools, options=options)
        async with aclosing(answer) as events:
            async for event in events:
                yield ids.of(event), event

    async def _attempts(
        self,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject],
        options: Mapping[str, Json] | None,
        *,
        stream: bool,
    ) -> AsyncGenerator[Event, None]:
        fields = dict(options or {})
        stages = self._stages(Thoughts.taken_from(fields), model, messages, tools)
        answer = super()._attempts(model, messages, tools, fields, stream=stream)
        async with aclosing(answer) as events:
            async for event in events:
                rewritten = [event]
                for stage in stages:
                    rewritten = [new for old in rewritten for new in stage.feed(old)]
                for new in rewritten:
                    yield new

    def _stages(
        self,
        thoughts: Thoughts,
        model: str,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject],
    ) -> list[Stage]:
        stages: list[Stage] = []
        if thoughts.estimate_usage:
            count = counter_of(thoughts.tokenizer)
            stages.append(UsageEstimate(count_input(messages, tools, count), count))
        if thoughts.hidden_reasoning and thoughts.inner_thoughts_key is None:
            stages.append(HiddenReasoning(model))
        if thoughts.inner_thoughts_key or thoughts.assistant_message_tool:
            stages.append(CallArguments(thoughts.call_rules))
        return stages


@adapter(
    dialects=openai_compat.dialects,
    features=[
        *openai_compat.features,
        "inner_thoughts",
        "assistant_message_tool",
        "usage_estimate",
    ],
)
async def inner_thoughts(call: Call) -> AsyncIterator[Event | AssistantTurn]:
    """The client under the harness; the fields of :class:`Thoughts` are options of the call."""
    client = InnerThoughtsClient(
        call.base_url,
        call.api_key,
        timeout=call.timeout,
        retry=RetryPolicy(max_retries=call.max_retries),
    )
    async with client, aclosing(played(client, call)) as answer:
        async for item in answer:
            yield item
