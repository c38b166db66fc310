"""The argument text of one tool call, from pieces that may repeat what came before. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable

from harness.adapters.common.json_text import is_json_start
from harness.adapters.common.surrogates import fix_surrogates_in
from mockserver.vocabulary import Json, JsonObject


def read_arguments(raw: str) -> JsonObject | None:
    """Parse a call's argument text; ``None`` if it is not exactly one JSON object.

    Blank text and ``null`` mean a call without arguments. Lone surrogates in the values become
    U+FFFD.
    """
    if is_empty(raw):
        return {}
    try:
        value = json.loads(raw, parse_constant=_reject_constant)
        if "\\u" in raw:
            value = fix_surrogates_in(value)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Arguments:
    """Joins the pieces of one argument text.

    Some servers repeat in each piece all arguments so far (vercel/ai#15888), others send the
    complete ones again (lidge-jun/opencodex#361). A piece is a repetition only if it would break
    the JSON otherwise; one that may be either waits for what follows.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._waiting = ""
        self._repeat = False

    @property
    def raw(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    @property
    def are_complete(self) -> bool:
        """Whether the text so far is one JSON object."""
        texts = (self._waiting, self.raw + self._waiting) if self._pieces else ()
        return any(text and read_arguments(text) is not None for text in texts)

    def feed(self, piece: str) -> str:
        """Take the next piece and return what is new."""
        new = ""
        if self._waiting and piece:
            new = self._decide(lambda joined: _fits(joined + piece))
        if piece.lstrip().startswith("{") and (raw := self.raw).strip():
            if piece.startswith(raw):
                self._repeat = self._repeat or not _fits(raw + piece)
                if not self._repeat:
                    self._waiting = piece
                    return new
                piece = piece[len(raw) :]
            elif (arguments := read_arguments(raw)) is not None:
                piece = "" if arguments == read_arguments(piece) else piece
        return new + self.append(piece)

    def append(self, piece: str) -> str:
        """Take a piece that is known to be new, and return it."""
        if piece:
            self._pieces.append(piece)
        return piece

    def close(self, whole: str = "") -> str:
        """Return what is still new at the end; ``whole`` is the complete text, if it is known."""
        if not self._waiting:
            return ""
        waiting = self._waiting
        if whole:
            return self._decide(whole.startswith)
        return self._decide(
            lambda joined: read_arguments(joined) is not None or read_arguments(waiting) is None
        )

    def _decide(self, is_new: Callable[[str], bool]) -> str:
        raw, piece, self._waiting = self.raw, self._waiting, ""
        if not is_new(raw + piece):
            self._repeat, piece = True, piece[len(raw) :]
        return self.append(piece)


def is_empty(raw: str) -> bool:
    """Return whether a text means that there are no arguments."""
    return raw.strip() in ("", "null")


def _fits(text: str) -> bool:
    return is_json_start(text) or read_arguments(text) is not None


def _reject_constant(constant: str) -> Json:
    raise ValueError(f"{constant} is not JSON")
