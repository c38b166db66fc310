"""Give memory back to the system: a recording has large bodies, each for a short time."""

from __future__ import annotations

import ctypes
import gc

#: Of mallopt(3), and what it is set to: larger blocks are mapped, and unmapped when they are freed.
_M_MMAP_THRESHOLD = -3
_MAPPED = 1024 * 1024


def map_large_blocks() -> None:
    """Let large blocks go back as soon as they are freed.

    The C library of GNU raises its own bound to the size of what was freed, up to 32 MiB, and
    then keeps such blocks in a heap with holes. Does nothing with another library.
    """
    try:
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MAPPED)
    except (AttributeError, OSError, TypeError):
        return


def drop_cycles() -> None:
    """Free what HTTP libraries have left in cycles: requests with their bodies."""
    gc.collect()
