"""Which API a model is asked through, by its name. Pure.

OpenAI matches models that only the Responses API serves, models that only Chat Completions serves,
and many that both do; all other providers can be relied on for Chat Completions alone. Names
are compared whole: a version is never looked for somewhere inside. Sources: the lists of model
names in OpenAI's own SDK, https://platform.openai.com/docs/models (of the open weights,
https://developers.openai.com/api/docs/models/gpt-oss-20b), and for Azure
https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Strategy(StrEnum):
    """How an answer is got."""

    BACKGROUND = "background"  # a job of the Responses API that is polled
    RESPONSES = "responses"  # the Responses API, with retries
    CHAT = "chat"  # Chat Completions, with retries


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a model: how, and under which name the server knows it."""

    strategy: Strategy
    model: str


@dataclass(frozen=True, slots=True)
class Row:
    """Models of OpenAI with one pattern of whole names, in lower case, and their API.

    ``open_weights``: others serve them, under names that begin with ``openai/``.
    """

    pattern: re.Pattern[str]
    responses: bool
    open_weights: bool = False

    def matches(self, model: str) -> bool:
        """Whether ``model`` belongs here."""
        return self.pattern.fullmatch(model) is not None


#: What may follow the family: sizes, variants, dates (``-mini-2025-08-07``).
_TAIL = r"(?:-[a-z0-9.]+)*"


def _row(family: str, *, responses: bool, open_weights: bool = False) -> Row:
    return Row(re.compile(rf"(?:{family}){_TAIL}"), responses, open_weights)


#: The first row that matches a model decides.
MODELS: tuple[Row, ...] = (
    # Version 3.5. Azure leaves out the point: gpt-35-turbo is not version 35.
    _row(r"gpt-?3\.?5-turbo", responses=False),
    # Sound, and the search that is built into Chat Completions.
    _row(r"gpt-4o(?:-mini)?-(?:audio|search)-preview|gpt-audio(?:-mini)?", responses=False),
    # Version 4 and later, with or without the hyphen, as deployments on Azure are named.
    _row(r"gpt-?[4-9](?:\.\d+)?o?|chatgpt-4o", responses=True),
    # Reasoning models: o1, o3-mini, o4-mini-deep-research.
    _row(r"o[1-9]", responses=True),
    # Served by the Responses API only, with names that have no version.
    _row(r"codex-mini|computer-use-preview|gpt-(?:daybreak|rosalind)", responses=True),
    # Reasoning models without a version, made for the Responses API.
    _row(r"gpt-oss", responses=True, open_weights=True),
)

#: Prefixes that say who serves the model, in the manner of LiteLLM.
_ROUTES = ("openai", "azure")


def route(model: str) -> Route:
    """Find the way to ``model``.

    ``openai/`` or ``azure/`` before a model of the Responses API asks for a background job;
    the bare name of one is asked directly; everything else goes to Chat Completions. The
    prefix is left out of the name where it is one: ``azure/`` always, ``openai/`` before a
    model that OpenAI serves. ``openai/gpt-oss-20b`` keeps it, for OpenAI publishes this model
    and does not serve it: to vLLM or OpenRouter that is its whole name. A fine-tuned model
    (``ft:gpt-4o-mini-2024-07-18:acme::id``) goes the way of its base.
    """
    provider, slash, name = model.partition("/")
    provider = provider.lower() if slash else ""
    if provider not in _ROUTES:
        provider, name = "", model
    row = next((row for row in MODELS if row.matches(_base(name))), None)
    is_whole_name = provider == "openai" and (row is None or row.open_weights)
    sent = model if is_whole_name else name
    if row is None or not row.responses:
        return Route(Strategy.CHAT, sent)
    return Route(Strategy.BACKGROUND if provider else Strategy.RESPONSES, sent)


def _base(name: str) -> str:
    name = name.lower()
    return name.split(":")[1] if name.startswith("ft:") else name
