from __future__ import annotations

from mockserver.dialects.memory import Memory


def test_values_are_found_by_id_and_kind() -> None:
    memory = Memory()
    memory.keep("a", "text", 4)
    assert memory.find("a", str) == "text"
    assert memory.find("a", int) is None
    memory.forget("a")
    assert memory.find("a", str) is None


def test_what_was_not_used_for_longest_is_forgotten_first() -> None:
    memory = Memory(limit=3000)
    for name in ("a", "b"):
        memory.keep(name, name, 700)
    assert memory.find("a", str) == "a"
    memory.keep("c", "c", 700)
    assert [memory.find(name, str) for name in "abc"] == ["a", None, "c"]


def test_a_value_that_is_too_large_is_not_kept_and_the_sum_stays_right() -> None:
    memory = Memory(limit=3000)
    memory.keep("a", "a", 5000)
    assert len(memory) == 0
    for _ in range(100):
        memory.keep("same", "value", 1000)
    assert memory.find("same", str) == "value"
