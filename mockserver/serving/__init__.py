"""The aiohttp server that replays cassettes, and its control interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.lazy import lazy_face

if TYPE_CHECKING:
    from mockserver.serving.authority import TRUST_VARIABLES
    from mockserver.serving.event_loop import loop_factory
    from mockserver.serving.garbage import settle
    from mockserver.serving.journal import JournalEntry
    from mockserver.serving.proxying import EveryHost, no_proxy
    from mockserver.serving.scripts import is_script_file, load_script, load_scripts
    from mockserver.serving.sockets import reserve
    from mockserver.serving.verify import verify_cassette

__all__ = [
    "TRUST_VARIABLES",
    "EveryHost",
    "JournalEntry",
    "is_script_file",
    "load_script",
    "load_scripts",
    "loop_factory",
    "no_proxy",
    "reserve",
    "settle",
    "verify_cassette",
]

_HOMES = {
    "authority": ("TRUST_VARIABLES",),
    "event_loop": ("loop_factory",),
    "garbage": ("settle",),
    "journal": ("JournalEntry",),
    "scripts": ("is_script_file", "load_script", "load_scripts"),
    "proxying": ("EveryHost", "no_proxy"),
    "sockets": ("reserve",),
    "verify": ("verify_cassette",),
}

__getattr__ = lazy_face(__name__, _HOMES)
