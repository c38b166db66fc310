from __future__ import annotations

import pytest

from harness.reports.cause import smallest_cause


@pytest.mark.parametrize(
    ("failed", "passed", "says"),
    [
        (
            ["eol=crlf", "eol=crlf,gzip=yes"],
            ["recorded", "gzip=yes", "eol=cr"],
            "only eol=crlf fails, 2 of 5",
        ),
        (
            ["eol=crlf,framing=crlf", "eol=crlf,framing=crlf,gzip=yes"],
            ["recorded", "eol=crlf", "framing=crlf"],
            "only eol=crlf with framing=crlf fails, 2 of 5",
        ),
        (["recorded", "eol=cr"], [], "every wire fails, 2 of 2"),
        (["recorded"], ["eol=cr"], "1 of 2 wires fail, with nothing in common"),
        (["eol=cr", "gzip=yes"], ["recorded"], "2 of 3 wires fail, with nothing in common"),
        (["a=1,b=2"], ["a=1", "b=2"], "only a=1 with b=2 fails, 1 of 3"),
        (["a=1,b=2"], ["b=2"], "only a=1 fails, 1 of 2"),
    ],
)
def test_smallest_cause(failed: list[str], passed: list[str], says: str) -> None:
    assert str(smallest_cause(failed, passed)) == says
