"""A wire format of nobody's, complete in this folder: what a third party has to write."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from mockserver.cassettes.cassette import Request
from mockserver.dialects.dialect import Dialect, UnreadableRequestError
from mockserver.dialects.facts import Facts, of_last
from mockserver.dialects.form import Form
from mockserver.vocabulary.call import NeutralCall
from mockserver.vocabulary.model import FinishReason
from mockserver.wire.body import Body
from mockserver.wire.schedule import Schedule


class Toy(Dialect):
    """Events ``{"toy": "say", "piece": …}`` until ``{"toy": "end", "why": …}``."""

    name = "toy"
    endpoint = re.compile("/toy/talk")
    form = Form(
        opaque_fields={"toySeal": "seal"},
        volatile_fields=frozenset({"toyClock"}),
        kept_request_headers=frozenset({"toy-version"}),
        base_url_variables=("TOY_BASE_URL",),
    )
    reasons: ClassVar[Mapping[str, FinishReason]] = {"said": FinishReason.STOP}

    def read_call(self, request: Request) -> NeutralCall:
        body = json.loads(request.body)
        if "ask" not in body:
            raise UnreadableRequestError("a toy request has 'ask'")
        return NeutralCall(
            model=body["model"], messages=({"role": "user", "content": body["ask"]},)
        )

    def read_facts(self, answers: Sequence[Schedule]) -> Facts:
        return of_last(answers, _read)


def _read(body: Body) -> Facts:
    facts = Facts()
    for block in body.blocks:
        event = json.loads(block.data or "{}")
        if event.get("toy") == "say":
            facts.text = (facts.text or "") + event["piece"]
        elif event.get("toy") == "end":
            facts.terminal = event["why"]
    return facts


DIALECT = Toy()
