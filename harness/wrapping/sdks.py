"""What the harness knows of the SDKs behind commands: their arguments, answers and exceptions.

A command hands on what its SDK gave it, and the readers of the bundled clients turn that into
events. What the SDK loses stays lost, and an answer that it ended without an exception is one that
it takes for complete.
"""

from __future__ import annotations

from dataclasses import replace

from harness.clients.interface import Call
from harness.clients.protocol import Raised
from harness.clients.receiving import Reading
from harness.wrapping.exceptions import error_said
from harness.wrapping.native import NativeAnswer, native_request, native_turn
from harness.wrapping.plain import as_json
from mockserver.vocabulary import AssistantTurn, ErrorInfo, Json, JsonObject


class ProviderSdks:
    """The SDKs of all dialects that a bundled client reads."""

    def arguments(self, call: Call) -> JsonObject | None:
        """Return the arguments for the SDK; ``None`` for what the dialect cannot say.

        Bytes are Base64, since the arguments go to another process as JSON.
        """
        try:
            return {name: as_json(value) for name, value in native_request(call).items()}
        except ValueError:
            return None

    def reading(self, call: Call, form: str) -> Reading:
        """Return a reader. Raises ``ValueError`` for a form that no bundled client reads."""
        return NativeAnswer(replace(call, dialect=form), trusting=True)

    def turn(self, call: Call, form: str, answer: Json) -> AssistantTurn:
        """Return the turn of a whole answer. Raises as :meth:`reading` does."""
        return native_turn(replace(call, dialect=form), answer, trusting=True)

    def failure(self, raised: Raised) -> ErrorInfo:
        """Return what an exception says."""
        return error_said(raised)
