"""The garbage collector of a process that does nothing but serve."""

from __future__ import annotations

import gc

#: Objects that are made and not freed until the youngest are looked through, and how many such
#: rounds are made for one of the middle ones, and of all.
THRESHOLDS = (50_000, 20, 100)


def settle() -> None:
    """Keep the collector from stopping streams; call it when the server has started.

    A pass over all objects takes 100 ms where thousands of streams wait, and with Python's own
    thresholds such passes come by the dozen while streams are opened. Serving makes no garbage that
    needs them: connections and requests leave no circles behind. What was imported is not looked
    through again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
