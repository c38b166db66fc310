from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mockserver.cassettes.cassette import Request
from mockserver.recording.exchange import Capture
from mockserver.recording.order import in_order


def capture(number: int, path: str, arrived: float, over: float) -> Capture:
    made = Capture(number, Request(method="GET", uri=f"http://p{path}"))
    made.arrived_at, made.over_at = arrived, over
    return made


def paths(*captures: Capture) -> list[str]:
    return [c.request.url.path for c in in_order(captures)]


def test_exchanges_side_by_side_are_in_the_order_of_their_requests() -> None:
    first = paths(capture(1, "/b", 0, 9), capture(2, "/a", 1, 8), capture(3, "/c", 10, 11))
    other = paths(capture(1, "/a", 0, 9), capture(2, "/b", 1, 8), capture(3, "/c", 10, 11))
    assert first == other == ["/a", "/b", "/c"]


def test_what_ended_before_stays_before() -> None:
    assert paths(capture(1, "/z", 0, 1), capture(2, "/a", 2, 3), capture(3, "/m", 4, 5)) == [
        "/z",
        "/a",
        "/m",
    ]
    long = capture(1, "/m", 0, 100)
    assert paths(long, capture(2, "/z", 1, 2), capture(3, "/a", 3, 4)) == ["/m", "/z", "/a"]


def test_equal_requests_are_in_the_order_of_arrival() -> None:
    one, two = capture(1, "/a", 0, 9), capture(2, "/a", 1, 2)
    assert [c.number for c in in_order([two, one])] == [1, 2]


def test_an_exchange_that_is_not_over_comes_too() -> None:
    assert paths(capture(1, "/b", 0, float("inf")), capture(2, "/a", 1, 2)) == ["/a", "/b"]


times = st.integers(0, 20)


@given(st.lists(st.tuples(st.sampled_from("abc"), times, times)))
def test_every_exchange_comes_once_and_none_before_what_it_followed(
    drawn: list[tuple[str, int, int]],
) -> None:
    made = [capture(n, f"/{p}", a, a + 1 + d) for n, (p, a, d) in enumerate(drawn)]
    found = list(in_order(made))
    assert sorted(c.number for c in found) == list(range(len(made)))
    for at, later in enumerate(found):
        assert not any(later.over_at < earlier.arrived_at for earlier in found[:at])
