"""The official SDK's types of Responses stream events, as a second opinion on ours."""

from __future__ import annotations

from typing import Any, get_args

from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, ValidationError


def _kind(model: type[BaseModel]) -> str:
    return str(get_args(model.model_fields["type"].annotation)[0])


#: The model of each event type.
MODELS: dict[str, type[BaseModel]] = {
    _kind(model): model for model in get_args(get_args(ResponseStreamEvent)[0])
}


def complaints(event: dict[str, Any]) -> list[str]:
    """What the official types find wrong with an event.

    They list the error codes of the API itself; providers behind a translator have others.
    """
    try:
        MODELS[event["type"]].model_validate(event, strict=True)
    except ValidationError as exc:
        found = [(".".join(map(str, e["loc"])), e["msg"]) for e in exc.errors()]
        return [f"{place}: {text}" for place, text in found if place != "response.error.code"]
    return []
