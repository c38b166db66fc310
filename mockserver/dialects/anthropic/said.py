"""Objections in the words of the Messages API."""

from __future__ import annotations

from mockserver.dialects.objection import Objection, objection


def wrong(check: str, message: str, source: str, *, proves: bool = False) -> Objection:
    """Return an objection of status 400; ``source`` is a URL or a path of GitHub."""
    url = source if source.startswith("https:") else f"https://github.com/{source}"
    return objection(check, message, url, proves=proves)
