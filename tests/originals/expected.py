"""Where each fault of docs/bugs.md is to be seen in its original, and why some are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Sight:
    """A finding to look for: its case without the client, its kind, and a part of what it says.

    ``client`` is the original in which to look; ``also`` a newer release in which to look, too.
    """

    row: str
    client: str
    case: str
    kind: str
    says: str
    also: str | None = None

    @property
    def clients(self) -> Iterator[str]:
        """The clients that play the case."""
        yield self.client
        if self.also is not None:
            yield self.also


_Seen = tuple[str, str, str]

_CHATGPT_OAUTH: Mapping[int, tuple[_Seen, ...]] = {
    1: (("codex/completed-output-empty/whole", "usage", "input_tokens 44 expected, 0 given"),),
    2: (
        (
            "openai-responses/failed-rate-limit/seconds",
            "false-success",
            "rate_limit expected, success given",
        ),
        ("codex/incomplete/whole", "finish-reason", "length expected, stop given"),
    ),
    3: (("openai-responses/refusal", "refusal", "refusal lost"),),
    4: (("codex/completed-output-empty/null-output", "crash", "TypeError"),),
    5: (
        ("openai-responses/reasoning-then-call", "signature", "signatures: 1 expected, 0 given"),
        ("openai-responses/no-event-names-and-done", "reasoning", "reasoning lost"),
        (
            "openai-responses/citations-and-hosted-search",
            "citation",
            "citations: 2 expected, 0 given",
        ),
        ("codex/request-contract", "request-form", "include of the request body differs"),
    ),
    6: (("codex/sse-forms/data-no-space", "text", "text lost"),),
    7: (
        (
            "codex/eof-before-completed/text",
            "false-success",
            "truncated_stream expected, success given",
        ),
    ),
    8: (("codex/sse-forms/separators-in-json", "text", "text lost"),),
    9: (
        ("codex/sse-forms/multi-line-data", "text", "text lost"),
        ("codex/data-that-is-a-list", "crash", "AttributeError"),
        ("codex/sse-forms/broken-json", "false-success", "protocol expected, success given"),
    ),
    10: (("codex/http-errors/context-length-whole", "error-family", "context_length expected"),),
    12: (("codex/http-errors/reset-mid-stream", "crash", "ReadError"),),
    13: (
        ("codex/201-and-redirect/created", "false-failure", "(201)"),
        ("codex/201-and-redirect/redirect", "false-failure", "(307)"),
    ),
    14: (
        ("codex/models-that-do-not-reason/gpt-4o1x", "request-form", "/reasoning must not be"),
        ("codex/models-that-do-not-reason/proto1", "request-form", "/reasoning must not be"),
    ),
    15: (("codex/deltas-only/whole", "text", "text lost"),),
}
_CHATCMPL_TO_RESPONSES: Mapping[int, tuple[_Seen, ...]] = {
    1: (("c2r/usage-then-null", "usage-missing", "input_tokens 11 expected"),),
    2: (("litellm/thinking-blocks/blocks-alone", "reasoning", "reasoning lost"),),
    3: (("litellm/thinking-blocks/redacted", "signature", "signatures: 1 expected, 0 given"),),
    4: (("c2r/tool-then-text", "native-order", "not the next output_index"),),
    5: (
        ("openai-chat/tool-id-missing/absent", "native-order", "not the next output_index"),
        ("openai-chat/tool-id-missing/absent", "native-content", "a tool call differs"),
    ),
    6: (("c2r/late-reasoning", "native-order", "not the next output_index"),),
    7: (("c2r/refusal-then-text", "native-order", "an item was added but never done"),),
    8: (
        (
            "c2r/refusal-without-content",
            "native-order",
            "content differs from its earlier events",
        ),
    ),
    9: (
        (
            "deepseek/reasoning-dual-null/answer",
            "native-order",
            "content_part.added: not the next content_index",
        ),
    ),
    10: (("openai-chat/n2-choices/interleaved", "text", "text differs"),),
    11: (("c2r/content-filter-empty", "finish-reason", "content_filter expected, stop given"),),
    12: (
        (
            "http/eof-without-terminal/text",
            "false-success",
            "truncated_stream expected, success given",
        ),
    ),
    13: (("c2r/length-and-empty-reasoning/text", "finish-reason", "length expected, stop given"),),
    14: (
        ("http/200-empty-body/stream", "false-success", "empty_response expected"),
        (
            "c2r/upstream-error-to-failed/json-body",
            "false-success",
            "server_error expected, success given",
        ),
    ),
    15: (("openai-chat/tool-name-split", "tool-call", '"get_weather" expected'),),
    16: (("openai-chat/tools-all-index-0/whole", "false-failure", "invalid_tool_arguments given"),),
    17: (
        (
            "openai-chat/tool-name-late/after-arguments",
            "native-order",
            "the arguments differ from their joined deltas",
        ),
    ),
    18: (("vllm/reasoning-field-names/both", "reasoning", "reasoning doubled"),),
    19: (
        ("openai-chat/legacy-function-call/stream", "tool-call", "0 tool calls given"),
        (
            "openai-chat/annotations-audio/annotations-stream",
            "citation",
            "citations: 2 expected, 0 given",
        ),
        ("gemini-compat/tool-call", "signature", "signature of tool_calls.0 (get_weather) lost"),
    ),
}
_INNER_THOUGHTS: Mapping[int, tuple[_Seen, ...]] = {
    1: (
        ("letta/call-in-one-chunk/thoughts-first", "tool-call", "0 tool calls given"),
        ("letta/call-in-one-chunk/message", "text", "text lost"),
    ),
    2: (
        ("letta/inner-thoughts-other-order/missing", "tool-call", "0 tool calls given"),
        ("letta/inner-thoughts-other-order/last", "tool-call", "0 tool calls given"),
    ),
    3: (("letta/argument-values/after", "false-failure", "invalid_tool_arguments given"),),
    4: (("letta/message-tool/escapes", "text", "text differs"),),
    5: (("letta/parallel-calls/same-chunk", "tool-call", "2 tool calls"),),
    6: (("openai-chat/tool-name-repeated", "tool-call", '"read_fileread_file" given'),),
    7: (("letta/usage-estimate/running-totals", "usage", "output_tokens"),),
    8: (("letta/usage-estimate/null-count", "crash", "Error"),),
    9: (
        ("openai-chat/null-and-missing-parts/tool", "crash", "AttributeError"),
        ("openai-chat/null-and-missing-parts/text", "crash", "AttributeError"),
    ),
    10: (
        ("openai-chat/text-basic", "text", "text lost"),
        ("openai-chat/refusal-logprobs/refusal", "refusal", "refusal lost"),
        ("openai-chat/reasoning-content", "reasoning", "reasoning lost"),
    ),
    11: (("openai-chat/tool-id-missing/absent", "crash", "ValueError"),),
    12: (
        (
            "letta/truncated-thoughts/no-limit",
            "false-success",
            "a failure expected, success given",
        ),
    ),
    14: (("openai-chat/error-object-midstream/server-error", "crash", "AttributeError"),),
    15: (("http/200-empty-body/stream", "crash", "AttributeError"),),
    16: (("letta/inner-thoughts-first/call", "reasoning", "reasoning differs"),),
    17: (("letta/usage-estimate/silent", "crash", "ConnectionError"),),
}
#: The faults of each bundled client, by the original in which they are looked for.
_ORIGINALS = {
    "chatgpt-oauth": _CHATGPT_OAUTH,
    "chatcmpl-to-responses": _CHATCMPL_TO_RESPONSES,
    "inner-thoughts": _INNER_THOUGHTS,
}
#: Counting tokens is a setting of Letta's reader; with it, an error on the way hides all others.
_ELSEWHERE = {"inner-thoughts-17": "original-inner-thoughts-estimates"}

#: What the cases of a row do not show, and why.
REMARKS = {
    "chatcmpl-to-responses-3": "not seen of several signed blocks: no case for it has plain "
    "reasoning next to them, without which all are lost (fault 2)",
    "inner-thoughts-8": "the exception is that of fault 14, which hides this one",
}

#: What the newer release does not lose any more: it hands it on in a form of its own, such as
#: ``provider_data``, or as a refusal. These cases ask for the form of the API.
_MENDED = {
    "litellm/thinking-blocks/redacted",
    "gemini-compat/tool-call",
    "c2r/content-filter-empty",
}

#: Rows of which no case shows the fault in the original, and why.
NOT_SEEN = {
    "chatgpt-oauth-11": "cannot be reached: the original does not read the body of such an answer "
    "(fault 10), so that no error is taken for an input that is too long",
    "inner-thoughts-13": "cannot be reached from outside: it takes a cancellation at the moment "
    "when a message is handed on; a call that is cancelled is waiting for the stream",
}


def _sights() -> Iterator[Sight]:
    for bundled, rows in _ORIGINALS.items():
        newer = "newest-chatcmpl-to-responses" if bundled == "chatcmpl-to-responses" else None
        for number, several in rows.items():
            row = f"{bundled}-{number}"
            client = _ELSEWHERE.get(row, f"original-{bundled}")
            for case, kind, says in several:
                also = None if case in _MENDED else newer
                yield Sight(row, client, f"{case}/recorded", kind, says, also)


SIGHTS = tuple(_sights())
#: The bundled clients whose originals can be installed.
BUNDLED = tuple(_ORIGINALS)
