"""``inner-thoughts``: a Chat Completions client for agents that think inside tool arguments.

The client of ``openai-compat`` makes the request; the stages here rewrite its events. Without
options it returns what that client does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, Self
from uuid import UUID

from harness.adapters.common.harness_call import make_call
from harness.adapters.inner_thoughts.calls import CallArguments, CallRules
from harness.adapters.inner_thoughts.hidden import HiddenReasoning
from harness.adapters.inner_thoughts.ids import MessageIds, is_uuid
from harness.adapters.inner_thoughts.tokenizer import TOKENIZERS, TokenCounter, counter_of
from harness.adapters.inner_thoughts.tokens import UsageEstimate, count_input
from harness.adapters.openai_compat import OpenAICompatClient, openai_compat
from harness.clients.interface import Call, adapter
from mockserver.vocabulary import AssistantTurn, Event, Json, JsonObject


class Stage(Protocol):
    """One step that rewrites events; it gets all events of one answer, in order."""

    def feed(self, event: Event) -> Iterator[Event]:
        """Take one event and yield its replacement."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Thoughts(CallRules):
    """The options of an :class:`InnerThoughtsClient`.

    Besides the rules for calls, ``hidden_reasoning``: emit ``reasoning_omitted`` for models
    whose reasoning is hidden, unless there are inner thoughts. ``answer_id``: a UUID from which
    each message of the answer gets its id, see :class:`MessageIds`.

    ``estimate_usage``: count tokens if the server does not; the counts are marked
    ``estimated``. ``tokenizer`` counts them, whatever is installed: ``bytes`` takes four
    bytes of UTF-8 for a token; ``tekken`` has a vocabulary, and needs the extra ``tokens`` of
    this package; a function from text to a number of tokens can be the model's own.
    """

    hidden_reasoning: bool = False
    answer_id: str | None = None
    estimate_usage: bool = False
    tokenizer: str | TokenCounter = "bytes"

    @classmethod
    def pop_from(cls, options: dict[str, Json]) -> Self:
        """Remove the options with these names from ``options`` and return them.

        ``None`` counts as absent; ``inner_thoughts_key: true`` means ``thinking``. Raises
        ``ValueError`` that names an option of the wrong type.
        """
        names = (field.name for field in dataclasses.fields(cls))
        taken: JsonObject = {name: options.pop(name, None) for name in names}
        known = {name: value for name, value in taken.items() if value is not None}
        if known.get("inner_thoughts_key") is True:
            known["inner_thoughts_key"] = "thinking"
        for name, value in known.items():
            kind, fits = _KINDS.get(name, _NAME)
            if not fits(value):
                raise ValueError(f"the option {name} must be {kind}, not {value!r}")
        return cls(**known)


_Kind = tuple[str, Callable[[Json], bool]]
_NAME: _Kind = ("a name", lambda value: isinstance(value, str) and value != "")
_FLAG: _Kind = ("true or false", lambda value: isinstance(value, bool))
_KINDS: Mapping[str, _Kind] = {
    "hidden_reasoning": _FLAG,
    "answer_id": ("a UUID", lambda value: isinstance(value, str) and is_uuid(value)),
    "estimate_usage": _FLAG,
    "tokenizer": (
        f"{', '.join(TOKENIZERS)} or a function",
        lambda value: callable(value) or value in list(TOKENIZERS),
    ),
}


class InnerThoughtsClient(OpenAICompatClient):
    """An :class:`OpenAICompatClient` whose answers are rewritten as :class:`Thoughts` says.

    The fields of :class:`Thoughts` are further ``options`` of ``stream`` and ``complete``. Tools
    are sent unchanged: the caller adds the argument for the thoughts.

    Cancelling, at an event or between two, closes the connection and raises the cancellation:
    each event was then emitted once or not at all, and none follows. ``tekken`` without its
    extra raises ``ImportError``.
    """

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
        stages = self._stages(Thoughts.pop_from(fields), model, messages, tools)
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
            stages.append(CallArguments(thoughts))
        if thoughts.answer_id:
            stages.append(MessageIds(UUID(thoughts.answer_id)))
        return stages


@adapter(
    dialects=openai_compat.dialects,
    features=[
        *openai_compat.features,
        "inner_thoughts",
        "assistant_message_tool",
        "usage_estimate",
        "byte_estimate",
        "message_ids",
    ],
)
async def inner_thoughts(call: Call) -> AsyncIterator[Event | AssistantTurn]:
    """Run the client under the harness; the fields of :class:`Thoughts` are options of the call."""
    client = InnerThoughtsClient.for_call(call)
    async with client, aclosing(make_call(client, call)) as answer:
        async for item in answer:
            yield item
