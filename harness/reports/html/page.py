"""Write the page: a template, one style sheet, one script, and the packed data."""

from __future__ import annotations

import base64
import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.reports.html.fold import BREAKS, REACTIONS, Page
from harness.reports.ndjson import to_json
from harness.reports.words import many

_HERE = Path(__file__).parent
#: The parts of the script, in this order.
_SCRIPTS = ("data.js", "matrix.js", "detail.js", "start.js")
#: Marks by their names: the sign in the cell, and what it means.
SIGNS = {
    "must": ("✕", "lost or wrong: the user of the client is harmed"),
    "should": ("!", "what a careful client does"),
    "may": ("i", "a convention of this suite"),
    "known": ("~", "a known failure, with a reason in the baseline"),
    "stale": ("↻", "a baseline entry that covers nothing any more"),
    "error": ("E", "not judged: the harness or the machine was in the way"),
    "pass": ("✓", "nothing wrong on any wire"),
    "skip": ("–", "not played: the client does not declare what it needs"),
}
#: What a client did, by a sign.
REACTION_SIGNS = {"told": "✓", "foreign": "!", "hang": "∞", "silent": "✕"}


def render(page: Page) -> str:
    """Return the page. Everything that is not ours is escaped, or text in the packed data."""
    style, script = _style(), _script()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            breaks=BREAKS,
            reactions=REACTIONS,
            reaction_signs=REACTION_SIGNS,
            signs=SIGNS,
            policy=policy,
            # Our own files, and Base64: the only texts that are not escaped.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            packed=Markup(_packed(page)),  # noqa: S704
        )
    )


def _packed(page: Page) -> str:
    """Return the data as JSON, gzipped, in Base64; the same for the same data."""
    data = page.data | {
        "signs": {name: list(both) for name, both in SIGNS.items()},
        "breaks_named": {name: list(both) for name, both in BREAKS.items()},
        "reactions": {name: list(both) for name, both in REACTIONS.items()},
    }
    return base64.b64encode(gzip.compress(to_json(data).encode(), 9, mtime=0)).decode()


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["many"] = many
    return environment


@lru_cache(maxsize=1)
def _style() -> str:
    return (_HERE / "page.css").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _script() -> str:
    parts = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'
