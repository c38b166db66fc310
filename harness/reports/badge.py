"""A badge: one SVG file that needs no other, with how many cases passed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from harness.reports.summary import AGAINST, Summary, summarize
from harness.reports.words import many
from mockserver.vocabulary import JsonObject

_NAME = "tapecheck"
#: White text has a contrast of at least 5:1 on each.
_GOOD, _KNOWN, _BAD, _UNKNOWN = "#2b7a2b", "#8a5a00", "#b3261e", "#5c5c5c"
#: Units at a font size of 11: of a narrow character, of any other, and beside a text.
_NARROW, _WIDE, _BESIDE = 4, 7, 7
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" \
aria-label="{name}: {text}">
<title>{name}: {text}</title>
<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444"/>\
<rect x="{left}" width="{right}" height="20" fill="{color}"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{name_at}" y="14" textLength="{name_length}">{name}</text>
<text x="{text_at}" y="14" textLength="{text_length}">{text}</text>
</g>
</svg>
"""


def write(records: Iterable[JsonObject], stream: TextIO) -> None:
    """Write the badge. Raises :class:`~harness.errors.ReportError` for half a run."""
    text, color = _says(summarize(records))
    lengths = [_length(words) for words in (_NAME, text)]
    left, right = (length + 2 * _BESIDE for length in lengths)
    stream.write(
        _SVG.format(
            name=_NAME,
            text=text,
            color=color,
            width=left + right,
            left=left,
            right=right,
            name_at=left / 2,
            text_at=left + right / 2,
            name_length=lengths[0],
            text_length=lengths[1],
        )
    )


def _length(text: str) -> int:
    return sum(_NARROW if character in " ,/filrt" else _WIDE for character in text)


def _says(summary: Summary) -> tuple[str, str]:
    """Return the text, which has no character that XML reserves, and the colour."""
    counts, code = summary.end["counts"], summary.end["exit_code"]
    played = sum(count for outcome, count in counts.items() if outcome != "skip")
    if code not in (0, 1):
        return "not judged", _UNKNOWN
    if against := sum(counts[outcome] for outcome in AGAINST):
        return f"{against} of {played} failed", _BAD
    passed = f"{counts['pass']}/{played}"
    if code:
        return f"{passed}, {many(len(summary.end['problems']), 'problem')}", _BAD
    if known := counts["known"]:
        return f"{passed}, {known} known", _KNOWN
    return passed, _GOOD
