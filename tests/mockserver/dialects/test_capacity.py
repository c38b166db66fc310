from __future__ import annotations

from dataclasses import replace

import pytest

from mockserver.dialects.capacity import Capacity, fit
from mockserver.vocabulary import (
    AssistantTurn,
    Citation,
    FinishReason,
    HostedToolPart,
    ImagePart,
    ReasoningPart,
    Status,
    TextPart,
    ToolCallPart,
    Usage,
)

WORDS = {FinishReason.STOP: "end", FinishReason.TOOL_CALLS: "tools"}
#: A dialect that has everything, as far as the words allow.
ALL = Capacity(
    words=WORDS,
    parts=frozenset({TextPart, ReasoningPart, ToolCallPart}),
    seals=frozenset({"signature", "encrypted_content", "redacted_data"}),
    call_signatures=True,
    citations=True,
    phases=True,
    omitted=True,
)
CALL = ToolCallPart(
    id="c1", name="f", arguments={"a": "é"}, arguments_raw='{"a": "é"}', thought_signature="s"
)
TEXT = TextPart(text="ab", phase="commentary", citations=(Citation(url="http://x.test"),))
THOUGHT = ReasoningPart(text="hm", channel="text", signature="sig")
TURN = AssistantTurn(
    response_id="r1",
    model="m",
    status=Status.COMPLETED,
    finish_reason=FinishReason.STOP,
    raw_finish_reason="stop",
    usage=Usage(input_tokens=3, output_tokens=2, reasoning_tokens=1),
    parts=(THOUGHT, TEXT, CALL),
)


def test_what_a_dialect_can_say_stays() -> None:
    able = replace(ALL, usage=frozenset({"input_tokens", "output_tokens", "reasoning_tokens"}))
    fitted = fit(TURN, able)
    assert fitted.lost == ()
    assert fitted.turn == replace(TURN, raw_finish_reason="end")


@pytest.mark.parametrize(
    ("capacity", "lost", "parts"),
    [
        (
            replace(ALL, parts=frozenset({TextPart})),
            ("part 0 (reasoning)", "part 2 (tool_call)"),
            (TEXT,),
        ),
        (
            replace(ALL, seals=frozenset()),
            ("the signature of part 0 (reasoning)",),
            (replace(THOUGHT, signature=None), TEXT, CALL),
        ),
        (
            replace(ALL, channel="summary"),
            ("the channel text of part 0 (reasoning)",),
            (replace(THOUGHT, channel="summary"), TEXT, CALL),
        ),
        (
            replace(ALL, citations=False),
            ("the citations of part 1 (text)",),
            (THOUGHT, replace(TEXT, citations=()), CALL),
        ),
        (
            replace(ALL, phases=False),
            ("the phase of part 1 (text)",),
            (THOUGHT, replace(TEXT, phase=None), CALL),
        ),
        (
            replace(ALL, call_signatures=False),
            ("the signature of part 2 (tool_call)",),
            (THOUGHT, TEXT, replace(CALL, thought_signature=None)),
        ),
        (
            replace(ALL, call_ids=False),
            ("the id of part 2 (tool_call)",),
            (THOUGHT, TEXT, replace(CALL, id="call_0", id_synthesized=True)),
        ),
        (
            replace(ALL, call_text=False),
            (),
            (THOUGHT, TEXT, replace(CALL, arguments_raw='{"a":"é"}')),
        ),
        (
            replace(ALL, order=(TextPart, ReasoningPart, ToolCallPart)),
            ("the order of the parts",),
            (TEXT, THOUGHT, CALL),
        ),
    ],
)
def test_what_it_cannot_say_is_named(
    capacity: Capacity, lost: tuple[str, ...], parts: tuple[object, ...]
) -> None:
    fitted = fit(TURN, replace(capacity, usage=frozenset(Usage.__slots__)))
    assert fitted.lost == lost
    assert fitted.turn.parts == parts


def test_parts_of_a_fixed_order_are_joined() -> None:
    capacity = replace(ALL, order=(ReasoningPart, TextPart, ToolCallPart))
    parts = (TextPart(text="a"), CALL, TextPart(text="b"), replace(CALL, id="c2"))
    fitted = fit(replace(TURN, parts=parts), capacity)
    assert fitted.turn.parts == (TextPart(text="ab"), CALL, replace(CALL, id="c2"))
    assert "the order of the parts" in fitted.lost


def test_reasoning_without_text_goes_with_what_it_was_for() -> None:
    sealed = ReasoningPart(text="", channel="summary", encrypted_content="e")
    fitted = fit(replace(TURN, parts=(sealed,)), replace(ALL, seals=frozenset()))
    assert fitted.turn.parts == ()
    assert "the encrypted_content of part 0 (reasoning)" in fitted.lost
    hidden = ReasoningPart(text="", channel="text", omitted=True)
    fitted = fit(replace(TURN, parts=(hidden,)), replace(ALL, omitted=False))
    assert fitted.turn.parts == ()
    assert "that part 0 (reasoning) was omitted" in fitted.lost


def test_fields_of_a_call_that_only_one_provider_knows_are_lost() -> None:
    part = replace(CALL, send_back={"x": 1})
    fitted = fit(replace(TURN, parts=(part,)), ALL)
    assert fitted.turn.parts == (CALL,)
    assert "provider's own fields of part 0 (tool_call)" in fitted.lost


def test_metadata_usage_and_reasons_that_it_has_no_words_for() -> None:
    capacity = Capacity(
        words=WORDS, response_id=False, model=False, usage=frozenset({"output_tokens"})
    )
    turn = replace(TURN, finish_reason=FinishReason.PAUSE, parts=())
    fitted = fit(turn, capacity)
    assert fitted.lost == (
        "response_id",
        "model",
        "finish_reason pause",
        "usage.input_tokens",
        "usage.reasoning_tokens",
    )
    assert fitted.turn.finish_reason is FinishReason.STOP
    assert fitted.turn.usage == Usage(output_tokens=2)
    no_usage = fit(replace(turn, usage=Usage(input_tokens=1)), capacity).turn
    assert no_usage.usage is None


def test_a_turn_without_a_reason_or_usage_has_none() -> None:
    failed = AssistantTurn(status=Status.FAILED, parts=())
    assert fit(failed, ALL).turn == failed


def test_hosted_tools_are_lost_where_a_dialect_has_none() -> None:
    turn = replace(TURN, parts=(HostedToolPart(kind="web_search"),))
    assert fit(turn, ALL).lost[0] == "part 0 (hosted_tool)"


def test_what_it_lacks_is_listed() -> None:
    assert {"image", "refusal", "reasoning_tokens", "finish pause"} <= set(ALL.lacks)
    assert not {"text", "tool_call", "signature", "citations", "order of parts"} & set(ALL.lacks)


def test_signatures_of_texts_and_images() -> None:
    text = TextPart(text="a", thought_signature="s")
    image = ImagePart(url="u", thought_signature="s")
    parts = frozenset({TextPart, ImagePart})
    turn = replace(TURN, parts=(text, image), usage=None)
    kept = fit(turn, replace(ALL, parts=parts, text_signatures=True))
    assert (kept.turn.parts, kept.lost) == ((text, image), ())
    without = fit(turn, replace(ALL, parts=parts))
    assert without.turn.parts == (TextPart(text="a"), ImagePart(url="u"))
    assert without.lost == (
        "the signature of part 0 (text)",
        "the signature of part 1 (image)",
    )


def test_neighbours_without_signatures_are_joined() -> None:
    capacity = replace(ALL, text_signatures=True, neighbours=False)
    cited = Citation(url="http://x.test", start=0, end=1)
    plain = TextPart(text="ab", citations=(cited,))
    thought = ReasoningPart(text="hm", channel="text")
    signed = TextPart(text="cd", thought_signature="s")
    parts = (thought, thought, THOUGHT, plain, plain, signed, plain, CALL, plain)
    turn = replace(TURN, parts=parts, usage=None)
    fitted = fit(turn, capacity)
    assert fitted.turn.parts == (
        ReasoningPart(text="hmhm", channel="text"),
        THOUGHT,
        TextPart(text="abab", citations=(cited, replace(cited, start=2, end=3))),
        signed,
        plain,
        CALL,
        plain,
    )
    assert fitted.lost == (
        "that two neighbouring parts (reasoning) are apart",
        "that two neighbouring parts (text) are apart",
    )
    assert fit(turn, replace(capacity, neighbours=True)).turn.parts == turn.parts
