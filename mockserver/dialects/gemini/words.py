"""Gemini's words for why it stopped, and why it did not begin.

Source: https://ai.google.dev/api/generate-content#FinishReason, ``FinishReason`` and
``BlockedReason`` of google-genai 3.6.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.vocabulary.model import FinishReason

#: Words with one plain meaning, of candidates and of prompts that were blocked.
REASONS: Mapping[str, FinishReason] = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "MODEL_ARMOR",
            "JAILBREAK",
        ),
        FinishReason.CONTENT_FILTER,
    ),
}

#: The words that answers are written with.
WORDS: Mapping[FinishReason, str] = {
    FinishReason.STOP: "STOP",
    FinishReason.TOOL_CALLS: "STOP",
    FinishReason.LENGTH: "MAX_TOKENS",
    FinishReason.CONTENT_FILTER: "SAFETY",
    FinishReason.PAUSE: "CONTINUATION",
    FinishReason.UNKNOWN: "OTHER",
}
