"""Bytes on the wire: event streams, schedules, and lossless and lossy changes of them."""
