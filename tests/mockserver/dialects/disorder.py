"""Odd values, for the tests of wires whose fields are of any type."""

from __future__ import annotations

from hypothesis import strategies as st

from mockserver.vocabulary import Json

odd = st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from(["", "x", 1.5, [], {}, [1]])


def mostly(usual: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Return the usual values, and now and then an odd one."""
    return st.one_of(*[usual] * 9, odd)
