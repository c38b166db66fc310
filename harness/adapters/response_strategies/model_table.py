"""Which API to use for a model, by its name. Pure.

OpenAI has models that only the Responses API serves, models that only Chat Completions serves,
and many that both do; other providers reliably have Chat Completions alone. Whole names are
compared, never parts of them. Sources: the lists of model
names in OpenAI's own SDK, https://platform.openai.com/docs/models (of the open weights,
https://developers.openai.com/api/docs/models/gpt-oss-20b), and for Azure
https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Strategy(StrEnum):
    """How an answer is requested."""

    BACKGROUND = "background"  # a job of the Responses API that is polled
    RESPONSES = "responses"  # the Responses API, with retries
    CHAT = "chat"  # Chat Completions, with retries

    @property
    def can_resume(self) -> bool:
        """Whether an answer can be resumed by its id."""
        return self is Strategy.BACKGROUND


@dataclass(frozen=True, slots=True)
class Route:
    """How to request a model, and the name under which the server knows it."""

    strategy: Strategy
    model: str


@dataclass(frozen=True, slots=True)
class Row:
    """A pattern of whole model names of OpenAI, in lower case, and their API.

    ``open_weights``: others serve these models, under names that begin with ``openai/``.
    """

    pattern: re.Pattern[str]
    responses: bool
    open_weights: bool = False

    def matches(self, model: str) -> bool:
        """Return whether ``model`` belongs to this row."""
        return self.pattern.fullmatch(model) is not None


#: What may follow the family: sizes, variants, dates (``-mini-2025-08-07``).
_TAIL = r"(?:-[a-z0-9.]+)*"


def _row(family: str, *, responses: bool, open_weights: bool = False) -> Row:
    return Row(re.compile(rf"(?:{family}){_TAIL}"), responses, open_weights)


#: The first row that matches a model decides.
MODELS: tuple[Row, ...] = (
    # Version 3.5. Azure leaves out the point: gpt-35-turbo is not version 35.
    _row(r"gpt-?3\.?5-turbo", responses=False),
    # Audio, and the search that is built into Chat Completions.
    _row(r"gpt-4o(?:-mini)?-(?:audio|search)-preview|gpt-audio(?:-mini)?", responses=False),
    # Version 4 and later, with or without the hyphen, as deployments on Azure are named.
    _row(r"gpt-?(?:[4-9]|[12]\d)(?:\.\d+)?o?|chatgpt-4o", responses=True),
    # Reasoning models: o1, o3-mini, o4-mini-deep-research.
    _row(r"o[1-9]", responses=True),
    # Served by the Responses API only, with names that have no version.
    _row(r"codex-mini|computer-use-preview|gpt-(?:daybreak|rosalind)", responses=True),
    # Reasoning models without a version, made for the Responses API.
    _row(r"gpt-oss", responses=True, open_weights=True),
)

#: Prefixes that name the provider, as in LiteLLM.
_ROUTES = ("openai", "azure")


def route(model: str) -> Route:
    """Choose the strategy for ``model``.

    ``openai/`` or ``azure/`` before a model of the Responses API selects a background job; the
    bare name of one selects a direct request; everything else goes to Chat Completions. The
    prefix is removed from the name: ``azure/`` always, ``openai/`` before a
    model that OpenAI serves. ``openai/gpt-oss-20b`` keeps it, since OpenAI publishes this
    model and does not serve it: to vLLM or OpenRouter that is its whole name. A fine-tuned model
    (``ft:gpt-4o-mini-2024-07-18:acme::id``) is treated as its base.
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
