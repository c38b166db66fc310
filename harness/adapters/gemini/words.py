"""What Gemini's words for the end of an answer mean.

Source: https://ai.google.dev/api/generate-content#FinishReason, ``FinishReason`` and
``BlockedReason`` of google-genai 3.6.1. Words that are not here mean ``unknown``.
"""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.vocabulary import ErrorClass, FinishReason

REASONS: Mapping[str, FinishReason] = {
    word: reason
    for reason, words in {
        FinishReason.STOP: "STOP",
        FinishReason.LENGTH: "MAX_TOKENS",
        FinishReason.CONTENT_FILTER: """SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII
            IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION MODEL_ARMOR ESCALATION""",
        FinishReason.PAUSE: "CONTINUATION",
    }.items()
    for word in words.split()
}

#: Words that are failures, whatever came before them.
ERRORS: Mapping[str, ErrorClass] = {
    "MALFORMED_FUNCTION_CALL": ErrorClass.INVALID_TOOL_ARGUMENTS,
    "UNEXPECTED_TOOL_CALL": ErrorClass.INVALID_TOOL_ARGUMENTS,
    "MALFORMED_RESPONSE": ErrorClass.STREAM_ERROR,
    "MISSING_THOUGHT_SIGNATURE": ErrorClass.INVALID_REQUEST,
    "PUP_LIMITED_DISABLED": ErrorClass.PERMISSION,
}

#: Why a prompt was blocked, for people.
BLOCKED: Mapping[str, str] = {
    "SAFETY": "safety settings (SAFETY)",
    "BLOCKLIST": "it has terms of a blocklist (BLOCKLIST)",
    "PROHIBITED_CONTENT": "it has prohibited content (PROHIBITED_CONTENT)",
    "IMAGE_SAFETY": "an image is unsafe (IMAGE_SAFETY)",
    "MODEL_ARMOR": "by Model Armor (MODEL_ARMOR)",
    "JAILBREAK": "it tries to break the model's rules (JAILBREAK)",
}
