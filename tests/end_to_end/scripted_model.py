"""Write a model that always answers the same, so that a genuine llama.cpp server can be recorded.

It is a llama of one layer without memory: attention and feed-forward are zero, each token is
its own direction in the embedding, and the output matrix points from each token to the one
that follows it in a script. The chat template chooses the script by its first token: one calls
a tool, for when tools are offered and none has answered yet, the other greets.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np

#: No token may occur twice, so these pieces are all different.
GREETING = (
    "<think>",
    "\nThey greet me",
    " — so",
    " I greet",
    " back.\n",
    "</think>",
    "\n\nBonjour",
    " from a",
    " scripted",
    " llama.cpp",
    ": naïve",
    " façade",
    " ☕",
    " 你好",
    " !",
)
#: The arguments are in the order in which the tool declares them: the server's grammar requires it.
TOOL_CALL = (
    "<think>\n",
    "The weather",
    " must be",
    " looked up.\n",
    "</think>\n",
    "\n<tool_call>",
    '\n{"name": "',
    "get_weather",
    '", "arguments": {"',
    "city",
    '": "',
    "Par",
    "is",
    '", "unit": "',
    "celsius",
    '"}}',
    "\n</tool_call>",
)
_START, _END, _STOP = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
_GREET, _CALL = "<|greet|>", "<|call|>"
_TEMPLATE = """\
{%- if tools %}<|im_start|>system
# Tools
Function signatures are within <tools></tools>:
<tools>{% for tool in tools %}
{{ tool | tojson }}{% endfor %}
</tools>
For a call, return a JSON object within <tool_call></tool_call>:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == 'tool' %}<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% elif message.role == 'assistant' %}<|im_start|>assistant
{%- if message.reasoning_content %}
<think>
{{ message.reasoning_content }}
</think>
{% endif %}
{{ message.content or '' }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% else %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% if tools and messages[-1].role != 'tool' %}<|call|>{% else %}<|greet|>{% endif %}
{%- endif %}"""

_HEADS, _FEED_FORWARD, _CONTEXT = 4, 64, 1024
#: The logit of the next token: large enough that no sampler picks another.
_CERTAIN = 64.0


def write(path: Path) -> None:
    """Write the model as a GGUF file."""
    letters = _letters()
    tokens = [letters[byte] for byte in range(256)]
    # A vocabulary of this kind has merges, so there is one, with the token that it makes.
    tokens.append("th")
    special = [_STOP, _START, _END, _GREET, _CALL]
    control = range(len(tokens), len(tokens) + len(special))
    tokens += special
    following: dict[int, int] = {}
    for start, script in ((_GREET, GREETING), (_CALL, TOOL_CALL)):
        _chain(tokens, following, start, ["".join(letters[b] for b in p.encode()) for p in script])

    width = -(-len(tokens) // 64) * 64
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("scripted")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_FEED_FORWARD)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // _HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    kinds = [
        gguf.TokenType.CONTROL if n in control else gguf.TokenType.NORMAL
        for n in range(len(tokens))
    ]
    writer.add_token_types(kinds)
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(tokens.index(_STOP))
    writer.add_eos_token_id(tokens.index(_END))
    writer.add_add_bos_token(False)
    writer.add_chat_template(_TEMPLATE)

    output = np.zeros((len(tokens), width), np.float32)
    for token in range(len(tokens)):
        output[following.get(token, tokens.index(_END)), token] = _CERTAIN
    writer.add_tensor("token_embd.weight", np.eye(len(tokens), width, dtype=np.float32))
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    writer.add_tensor("output.weight", output)
    for name, shape in (
        *((f"attn_{part}", (width, width)) for part in ("q", "k", "v", "output")),
        ("ffn_gate", (_FEED_FORWARD, width)),
        ("ffn_up", (_FEED_FORWARD, width)),
        ("ffn_down", (width, _FEED_FORWARD)),
    ):
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros(shape, np.float32))
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", np.ones(width, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _chain(tokens: list[str], following: dict[int, int], start: str, script: Sequence[str]) -> None:
    """Append a script to the tokens, each piece following the one before."""
    before = tokens.index(start)
    for piece in script:
        assert piece not in tokens, f"{piece!r} occurs twice"
        tokens.append(piece)
        following[before] = before = len(tokens) - 1


def _letters() -> dict[int, str]:
    """Return the visible character for each byte in GPT-2's vocabulary.

    Printable Latin-1 characters map to themselves, the rest to U+0100 and up.
    """
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    rest = iter(range(0x100, 0x200))
    return {byte: chr(byte if byte in plain else next(rest)) for byte in range(256)}
