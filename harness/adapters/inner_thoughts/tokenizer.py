"""Tokenizers that need no network, to estimate what a server does not count.

tiktoken and tokenizers download a vocabulary at the first use (openai/tiktoken#317), so they
fail where there is no network. mistral-common has its vocabularies in its wheel; it is the
extra ``tokens``. Each model has a tokenizer of its own, so that a count made here is an
estimate whichever tokenizer makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

TokenCounter = Callable[[str], int]


def count_by_bytes(text: str) -> int:
    """Count a token for each four bytes of UTF-8, the average that tiktoken's README gives."""
    return -(-len(text.encode("utf-8", "replace")) // 4)


@cache
def tekken() -> TokenCounter:
    """Load a counter for Tekken, the vocabulary of 131,072 tokens that Mistral's models share.

    The first use reads it from the disk, which takes about a second. Raises ``ImportError``
    without the extra ``tokens``.
    """
    try:
        from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
    except ImportError as missing:
        raise ImportError(
            "the tokenizer tekken needs the extra tokens: pip install 'tapecheck[tokens]'"
        ) from missing
    encode = MistralTokenizer.v3(is_tekken=True).instruct_tokenizer.tokenizer.encode
    return lambda text: len(encode(text, bos=False, eos=False))


#: The tokenizers with a name, each by the function that loads it.
TOKENIZERS: Mapping[str, Callable[[], TokenCounter]] = {
    "bytes": lambda: count_by_bytes,
    "tekken": tekken,
}


def counter_of(tokenizer: str | TokenCounter) -> TokenCounter:
    """Load the counter with a name in :data:`TOKENIZERS`; return any other unchanged."""
    return TOKENIZERS[tokenizer]() if isinstance(tokenizer, str) else tokenizer
