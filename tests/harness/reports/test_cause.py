from __future__ import annotations

import pytest

from harness.reports.cause import causes_by_scenario, smallest_cause


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
        (["recorded"], ["eol=cr"], "only recorded fails, 1 of 2"),
        (["eol=cr", "gzip=yes"], ["recorded"], "only eol=cr or gzip=yes fails, 2 of 3"),
        (
            ["bom=yes", "bom=yes,gzip=yes", "eol=cr,gzip=yes"],
            ["recorded", "gzip=yes", "eol=lf"],
            "only bom=yes or eol=cr fails, 3 of 6",
        ),
        (["a=1,b=2"], ["a=1", "b=2"], "only a=1 with b=2 fails, 1 of 3"),
        (["a=1,b=2"], ["b=2"], "only a=1 fails, 1 of 2"),
        (
            ["bom=yes", "bom=yes,eol=cr"],
            ["recorded", "bom=yes,eol=cr,gzip=yes", "bom=yes,eol=lf"],
            "bom=yes in common, where 2 of 4 fail; 2 of 5 in all",
        ),
        (
            ["bom=yes", "bom=yes,space=none"],
            ["recorded", "space=none", "bom=yes,comments=inside", "comments=inside"],
            "only bom=yes without comments=inside fails, 2 of 6",
        ),
        (["a=1", "b=1"], ["a=1,b=1", "recorded"], "2 of 4 wires fail, with nothing in common"),
    ],
)
def test_smallest_cause(failed: list[str], passed: list[str], says: str) -> None:
    assert str(smallest_cause(failed, passed)) == says


def test_a_scenario_with_one_explanation_decides_for_the_others() -> None:
    causes = causes_by_scenario(
        {
            "a": (["bom=yes,eol=cr"], ["recorded"]),
            "b": (["bom=yes"], ["eol=cr"]),
            "c": (["bom=yes,eol=cr"], []),
        }
    )
    assert {name: str(cause) for name, cause in causes.items()} == {
        "a": "only bom=yes fails, 1 of 2",
        "b": "only bom=yes fails, 1 of 2",
        "c": "every wire fails, 1 of 1",
    }
