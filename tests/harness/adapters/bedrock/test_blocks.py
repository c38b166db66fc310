"""Content blocks that are neither text nor the caller's tools."""

from __future__ import annotations

from typing import Any

import pytest

from harness.adapters.bedrock.blocks import HostedBlocks, citation_of, image_url, usage_of
from harness.adapters.bedrock.calls import BlockCalls
from harness.adapters.common.usage import read_usage
from mockserver.vocabulary import Citation, HostedToolEvent, Usage

USED = {"toolUseId": "s1", "name": "code", "type": "server_tool_use"}


def test_citations() -> None:
    web = {"title": "T\ud83c", "location": {"web": {"url": "https://a.b"}}}
    assert citation_of(web, 3) == Citation(
        url="https://a.b",
        title="T\ufffd",
        index=3,
        native=({"title": "T\ufffd", "location": {"web": {"url": "https://a.b"}}},),
    )
    for place in ({}, {"location": 3}, {"location": {"web": 3}}, {"location": {"web": {"url": 3}}}):
        assert citation_of(place, 0) == Citation(index=0, native=(place,))
    assert citation_of(None, 0) is None


def test_images() -> None:
    image = {"source": {"bytes": "aWc="}}
    assert image_url("png", image) == "data:image/png;base64,aWc="
    assert image_url("gif", image) == "data:image/gif;base64,aWc="
    assert image_url(None, image) == "data:image/png;base64,aWc="
    for other in (None, {}, {"source": 3}, {"source": {}}, {"source": {"bytes": ""}}):
        assert image_url("png", other) is None


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"inputTokens": 5, "outputTokens": 7, "totalTokens": 12}, (5, 7, 12, None, None)),
        (
            {
                "inputTokens": 5,
                "outputTokens": 7,
                "totalTokens": 1012,
                "cacheReadInputTokens": 900,
                "cacheWriteInputTokens": 100,
            },
            (1005, 7, 1012, 900, 100),
        ),
        (
            {
                "inputTokens": 905,
                "outputTokens": 7,
                "totalTokens": 912,
                "cacheReadInputTokens": 900,
            },
            (905, 7, 912, 900, None),
        ),
        ({"inputTokens": 5, "cacheReadInputTokens": 9}, (14, None, None, 9, None)),
        ({"inputTokens": 5, "outputTokens": 7, "cacheReadInputTokens": 9}, (14, 7, None, 9, None)),
        ({"inputTokens": "5", "outputTokens": 7}, (5, 7, None, None, None)),
        ({"inputTokens": 5, "cacheReadInputTokens": -1}, (5, None, None, None, None)),
        ({"inputTokens": True, "cacheReadInputTokens": True}, (None, None, None, None, None)),
        ({"inputTokens": -5}, (None, None, None, None, None)),
        ({}, (None, None, None, None, None)),
    ],
)
def test_usage(given: Any, wanted: tuple[int | None, ...]) -> None:
    given_in, out, total, read, write = wanted
    assert read_usage(usage_of(given)) == Usage(
        input_tokens=given_in,
        output_tokens=out,
        total_tokens=total,
        cache_read_input_tokens=read,
        cache_creation_input_tokens=write,
    )


def test_usage_that_is_none() -> None:
    assert usage_of(None) is usage_of([]) is None


def test_a_hosted_tool_and_its_result() -> None:
    blocks = HostedBlocks()
    assert blocks.start(0, {"toolUse": USED})
    assert blocks.add(0, {"toolUse": {"input": '{"a"'}})
    assert blocks.add(0, {"toolUse": {"input": 3}})
    assert blocks.add(0, {"toolUse": {"input": ":1}"}})
    assert list(blocks.stop(0)) == [
        HostedToolEvent(kind="code", native=({"toolUse": {**USED, "input": {"a": 1}}},))
    ]
    assert list(blocks.stop(0)) == []
    result = {"toolUseId": "s1", "type": "code_result", "status": "error"}
    assert blocks.start(1, {"toolResult": result})
    assert blocks.add(1, {"toolResult": [{"text": "a"}]})
    assert blocks.add(1, {"toolResult": [{"json": 1}]})
    content = [{"text": "a"}, {"json": 1}]
    assert list(blocks.close(but=None)) == [
        HostedToolEvent(
            kind="code_result",
            status="error",
            native=({"toolResult": {**result, "content": content}},),
        )
    ]
    assert list(blocks.close(but=None)) == []


@pytest.mark.parametrize(("text", "given"), [("", {}), (" ", {}), ("{", {}), ("[1]", {})])
def test_the_input_of_a_hosted_tool_is_an_object(text: str, given: Any) -> None:
    blocks = HostedBlocks()
    blocks.start(0, {"toolUse": USED})
    blocks.add(0, {"toolUse": {"input": text}})
    (event,) = blocks.close(but=None)
    assert event.native == ({"toolUse": {**USED, "input": given}},)


def test_other_blocks_are_left_to_others() -> None:
    blocks = HostedBlocks()
    assert not blocks.start(0, {"toolUse": {"toolUseId": "t", "name": "f", "type": "tool_use"}})
    assert not blocks.start(0, {"toolUse": {"toolUseId": "t", "name": "f"}})
    assert not blocks.start(0, {"toolUse": 3, "toolResult": 3, "image": 3})
    assert not blocks.add(0, {"text": "Hi"})
    assert list(blocks.stop(0)) == []
    # A result without a start has no block that it belongs to.
    assert not blocks.add(0, {"toolResult": [{"text": "a"}]})
    assert blocks.format_of(0) is None
    assert not blocks.start(2, {"image": {"format": "webp"}})
    assert not blocks.start(3, {"image": {"format": 3}})
    assert (blocks.format_of(2), blocks.format_of(3)) == ("webp", None)


def test_whole_blocks() -> None:
    blocks = HostedBlocks()
    used = {"toolUse": {**USED, "input": {}}}
    assert list(blocks.whole(used)) == [HostedToolEvent(kind="code", native=(used,))]
    result = {"toolResult": {"toolUseId": "s1", "content": []}}
    assert list(blocks.whole(result)) == [HostedToolEvent(kind="toolResult", native=(result,))]
    nameless = {"toolUse": {"type": "server_tool_use"}}
    assert list(blocks.whole(nameless)) == [HostedToolEvent(kind="toolUse", native=(nameless,))]
    assert list(blocks.whole({"toolUse": {"name": "f"}, "toolResult": 3})) == []


def nested() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


def test_what_is_nested_too_deeply_is_not_handed_out() -> None:
    deep = nested()
    assert citation_of({"title": "T", "x": deep}, 0) == Citation(title="T", index=0)
    (event,) = HostedBlocks().whole({"toolUse": {**USED, "input": deep}})
    assert event == HostedToolEvent(kind="code")
    calls = BlockCalls()
    list(calls.whole(0, {"toolUseId": "t", "name": "f", "input": deep}))
    events, error = calls.close(incomplete=False)
    assert events == []
    assert error is not None
    assert "nested too deeply" in error.message
