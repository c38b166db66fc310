"""Which tools an answer calls, so that every loop of an agent ends. Pure.

Each offered tool is called once in a turn, all at once if calls may be parallel; then the results
are answered. Under ``required`` the last tool waits until the others were called, because tools
that end a loop are offered last, and is called again whenever nothing else is left.
"""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.backend.asked import Asked, Tool
from mockserver.vocabulary.model import Json


def chosen(asked: Asked) -> tuple[Tool, ...]:
    """Return the tools to call now; none if a text is due."""
    mode, names = _choice(asked.choice)
    offered = [tool for tool in asked.tools if names is None or tool.name in names]
    if mode == "none" or not offered:
        return ()
    left = [tool for tool in offered if tool.name not in asked.called]
    if mode == "required":
        left = [tool for tool in left if tool is not offered[-1]] or [offered[-1]]
    return tuple(left if asked.is_parallel else left[:1])


def _choice(choice: Json) -> tuple[str, frozenset[str] | None]:
    """Return ``auto``, ``none`` or ``required``, and the names of the tools that are allowed."""
    if isinstance(choice, str):
        return (choice if choice in ("none", "required") else "auto"), None
    if not isinstance(choice, dict):
        return "auto", None
    if choice.get("type") == "allowed_tools":
        allowed = choice.get("allowed_tools", choice)
        allowed = allowed if isinstance(allowed, dict) else {}
        mode = "required" if allowed.get("mode") == "required" else "auto"
        return mode, frozenset(_names(allowed.get("tools")))
    return "required", frozenset(_names([choice]))


def _names(tools: Json) -> Iterator[str]:
    for tool in tools if isinstance(tools, list) else []:
        if isinstance(tool, dict):
            function = tool.get("function")
            named = function if isinstance(function, dict) else tool
            if isinstance(named.get("name"), str):
                yield named["name"]
