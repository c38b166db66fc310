"""Helpers for people who put a client behind :func:`harness.adapter`.

They turn what an SDK returns into events, turns and errors, and never look at the wire: what the
SDK loses stays lost, so that it is seen. None of them imports an SDK.
"""

from harness.wrapping.chat import chat_request
from harness.wrapping.exceptions import error_from, error_of
from harness.wrapping.native import NativeAnswer, native_request, native_turn
from harness.wrapping.plain import usage_from

__all__ = [
    "NativeAnswer",
    "chat_request",
    "error_from",
    "error_of",
    "native_request",
    "native_turn",
    "usage_from",
]
