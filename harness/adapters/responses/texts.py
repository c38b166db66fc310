"""The texts of one output item: what was emitted of each, by the number of its part. Pure.

Some servers count the parts in their deltas otherwise than in the complete item: vLLM's gpt-oss
begins at 1 (vllm-project/vllm#45742). Then the texts themselves tell which part is which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.adapters.common.surrogates import SurrogateJoiner
from mockserver.vocabulary import Citation


class Channel(StrEnum):
    """A kind of text, by the type of its part."""

    TEXT = "output_text"
    REFUSAL = "refusal"
    REASONING = "reasoning_text"
    SUMMARY = "summary_text"


@dataclass(slots=True)
class Text:
    """One emitted text. ``whole``: the provider sent its complete text."""

    number: int
    phase: str | None = None
    sent: str = ""
    whole: bool = False
    joiner: SurrogateJoiner = field(default_factory=SurrogateJoiner)
    citations: list[Citation] = field(default_factory=list)


Texts = dict[tuple[Channel, int], Text]


def renumber_one(texts: Texts, channel: Channel, number: int, whole: str) -> None:
    """Give a streamed text the ``number`` under which its complete text comes."""
    if (channel, number) in texts:
        return
    for key, text in texts.items():
        if key[0] is channel and text.sent and not text.whole and whole.startswith(text.sent):
            texts[channel, number] = texts.pop(key)
            return


def renumber_all(texts: Texts, channel: Channel, wholes: Mapping[int, str]) -> None:
    """Give the streamed texts the numbers of the complete texts, where these differ.

    What is new in the complete texts is then what follows the joined streamed ones.
    """
    streamed = {n: text for (c, n), text in sorted(texts.items()) if c is channel}
    if all(wholes.get(n, "").startswith(text.sent) for n, text in streamed.items()):
        return
    sent = "".join(text.sent for text in streamed.values())
    if "".join(wholes.values()).startswith(sent):
        replaced = _shared_out(list(streamed.values()), sent, wholes)
    elif streamed.keys() <= wholes.keys():
        return
    else:
        # They contradict each other, and what was emitted cannot be taken back.
        replaced = dict(zip(wholes, streamed.values(), strict=False))
    for n in streamed:
        del texts[channel, n]
    texts |= {(channel, n): text for n, text in replaced.items()}


def _shared_out(streamed: list[Text], sent: str, wholes: Mapping[int, str]) -> dict[int, Text]:
    """Share out what was ``sent`` among the complete texts that it begins with."""
    owners = [text for text in streamed for _ in text.sent]
    citations = [citation for text in streamed for citation in text.citations]
    start, found = 0, {}
    for n, whole in wholes.items():
        if start < len(owners):
            owner, known = owners[start], sent[start : start + len(whole)]
            found[n] = Text(owner.number, owner.phase, known, citations=citations)
        start += len(whole)
    return found
