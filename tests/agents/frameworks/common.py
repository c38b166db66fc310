"""What the scripts share. Each prints one JSON line for each case."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable

from pydantic import BaseModel, ValidationError

QUESTION = "What is the weather and the time in Oslo?"


class Place(BaseModel):
    name: str
    population: int | None = None


class Weather(BaseModel):
    """An output type with an object inside, a choice and a list."""

    place: Place
    sky: str
    degrees: float
    warnings: list[str]


class Case:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def called(self, name: str, **arguments: object) -> str:
        """Note a call of a tool and return its result."""
        assert all(value is not None for value in arguments.values()), arguments
        self.calls.append(name)
        return f"The {name} is fine."


def run(api: str, stream: bool, typed: bool, ask: Callable[[Case], object]) -> None:
    """Run a case and print what became of it."""
    case = Case()
    try:
        answer = ask(case)
        problem = _problem(case, answer, typed)
    except Exception as exc:
        traceback.print_exc()
        problem = f"{type(exc).__name__}: {exc!s:.300}"
    names = {"api": api, "stream": stream, "typed": typed}
    print(json.dumps({**names, "calls": case.calls, "problem": problem}), flush=True)


def _problem(case: Case, answer: object, typed: bool) -> str | None:
    if sorted(case.calls) != ["get_time", "get_weather"]:
        return f"called {case.calls}"
    if not typed:
        return None if isinstance(answer, str) and answer else f"answered {answer!r}"
    try:
        Weather.model_validate(answer, from_attributes=True)
    except ValidationError as exc:
        return f"answered {answer!r}: {exc}"
    return None
