from __future__ import annotations

import ctypes
import weakref

import pytest

from mockserver.recording import memory


def test_large_blocks_are_mapped_where_the_c_library_can(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Library:
        def __init__(self, name: None) -> None:
            assert name is None

        @staticmethod
        def mallopt(option: int, value: int) -> int:
            asked.append((option, value))
            return 1

    monkeypatch.setattr(ctypes, "CDLL", Library)
    memory.map_large_blocks()
    # malloc.h: M_MMAP_THRESHOLD is -3.
    assert asked == [(-3, 1024 * 1024)]


@pytest.mark.parametrize("missing", [AttributeError, OSError, TypeError])
def test_another_c_library_is_left_alone(
    missing: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: None) -> None:
        raise missing

    monkeypatch.setattr(ctypes, "CDLL", load)
    memory.map_large_blocks()


def test_what_is_left_in_cycles_is_freed() -> None:
    class Left:
        pass

    left = Left()
    left.itself = left  # type: ignore[attr-defined]
    gone = weakref.ref(left)
    del left
    memory.drop_cycles()
    assert gone() is None
