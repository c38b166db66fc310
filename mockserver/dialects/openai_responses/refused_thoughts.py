"""What the Responses API refuses about reasoning that comes back. Pure.

An item whose id the session has made is compared with what was made; others may be of another
server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mockserver.dialects.memory import Memory
from mockserver.dialects.objection import Objection
from mockserver.dialects.openai_objections import wrong
from mockserver.dialects.openai_responses import output
from mockserver.dialects.openai_responses.answer import id_of
from mockserver.vocabulary.model import AssistantTurn, JsonObject, ReasoningPart


def remember(turn: AssistantTurn, memory: Memory) -> None:
    """Remember which reasoning led to which call, and what it has encrypted."""
    if not any(isinstance(part, ReasoningPart) for part in turn.parts):
        return
    thought = ""
    for made in output.items_of(turn.parts, id_of(turn)):
        item = made.whole()
        id_, sealed = str(item.get("id")), item.get("encrypted_content")
        if item.get("type") == "reasoning":
            thought = id_
            if isinstance(sealed, str):
                memory.keep(f"sealed {id_}", sealed, len(sealed))
        elif item.get("type") == "function_call" and thought:
            memory.keep(f"thought of {id_}", thought, len(thought))


def of_thoughts(items: Sequence[JsonObject], memory: Memory) -> Iterator[Objection]:
    """Yield what is wrong with items that this session has made."""
    ids = {item.get("id") for item in items}
    for item in items:
        id_, kind = item.get("id"), item.get("type")
        sealed = item.get("encrypted_content")
        if not isinstance(id_, str):
            continue
        if kind == "function_call":
            thought = memory.find(f"thought of {id_}", str)
            if thought is not None and thought not in ids:
                yield wrong(
                    "signature",
                    f"Item '{id_}' of type 'function_call' was provided without its required "
                    f"'reasoning' item: '{thought}'.",
                    "mastra-ai/mastra/issues/8738",
                    param="input",
                    proves=True,
                )
        elif kind == "reasoning" and isinstance(sealed, str):
            known = memory.find(f"sealed {id_}", str)
            if known not in (None, sealed):
                yield wrong(
                    "signature",
                    f"The encrypted content for item {id_} could not be verified. Reason: "
                    "Encrypted content could not be decrypted or parsed.",
                    "https://platform.openai.com/docs/guides/reasoning",
                    code="invalid_encrypted_content",
                    proves=True,
                )
