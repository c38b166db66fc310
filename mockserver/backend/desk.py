"""What the side routes of all dialects need, for one request. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.backend import tokens
from mockserver.backend.asked import Asked
from mockserver.backend.script.playing import Vectors
from mockserver.backend.settings import Settings
from mockserver.backend.vectors import vector
from mockserver.cassettes.cassette import Request
from mockserver.dialects.dialect import Dialect
from mockserver.dialects.memory import Memory
from mockserver.dialects.writing import Pace
from mockserver.vocabulary.call import NeutralCall


@dataclass(frozen=True, slots=True)
class BackendDesk:
    """The :class:`~mockserver.dialects.side.Desk` of a backend."""

    dialect: Dialect
    request: Request
    settings: Settings
    memory: Memory
    scripted: Vectors

    @property
    def models(self) -> tuple[str, ...]:
        """The models to list, by the settings."""
        return self.settings.models

    @property
    def pace(self) -> Pace:
        """The pace of all streams."""
        return self.settings.pace

    def tokens(self, text: str) -> list[str]:
        """Cut a text as answers are cut."""
        return tokens.tokens(text)

    def input_tokens(self, call: NeutralCall) -> int:
        """Count the tokens of a call by the rule of all answers."""
        return tokens.of_request(Asked(self.dialect, call, self.request))

    def vector(self, text: str, size: int) -> list[float]:
        """Return the embedding of a text, of any size if the script has it.

        The seed of the settings changes one that is made up.
        """
        if (found := self.scripted.next(text)) is not None:
            return list(found)
        salt = f"{self.settings.seed}:" if self.settings.seed else ""
        return vector(text, size, salt=salt)
