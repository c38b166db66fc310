"""Say why an installer failed, and what to do. Pure functions over what it printed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from harness.environments.listing import Environment
from harness.errors import SetupError

#: The name and password in an address.
_PASSWORD = re.compile(r"(?<=//)[^/@\s]+@")
#: What pip, uv and npm print if an index cannot be reached. An index that answers is none of these.
_OFFLINE = re.compile(
    r"NewConnectionError|NameResolutionError|name resolution|ConnectTimeoutError|ProxyError"
    r"|Network is unreachable|Connection refused|dns error|error sending request|client error"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT"
    r"|ENOTCACHED|network is disabled|SSLError|CERTIFICATE_VERIFY_FAILED",
    re.IGNORECASE,
)
#: What they print if it has no such package or release; the group is its name.
_MISSING = re.compile(
    r"No matching distribution found for (\S+)"
    r"|Cannot install ([A-Za-z0-9._-]+)"
    r"|there is no version of (\S+)"
    r"|Because ([A-Za-z0-9._-]+) was not found"
    r"|No matching version found for (\S+?)\.?$"
    r"|404 Not Found - GET \S+/((?:@|%40)\S+|[^/\s]+?)(?: - |$)",
    re.IGNORECASE | re.MULTILINE,
)
_ENGINE = re.compile(r"EBADENGINE|Unsupported engine", re.IGNORECASE)
_FULL = re.compile(r"No space left on device|ENOSPC|Disk quota exceeded", re.IGNORECASE)
_SAID = re.compile(r"^(?:npm )?(?:error|err!):?\s+(?!code\b)(.*)", re.IGNORECASE)
#: Characters of an installer's own words in a message.
_LONG = 300


def without_passwords(text: str) -> str:
    """Return a text without the names and passwords in its addresses."""
    return _PASSWORD.sub("", text)


class UnreachableError(SetupError):
    """A package index cannot be reached, so that no other environment can be made from it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A failed installer: what it printed, its last lines, and its exit code."""

    environment: Environment
    tool: str
    lines: tuple[str, ...]
    code: int


def explained(failed: Failed) -> SetupError:
    """Return the error that says what went wrong and what to do."""
    name, kind = failed.environment.name, failed.environment.kind
    text = "\n".join(failed.lines)
    again = f"then: tapecheck env make {name}"
    if _FULL.search(text):
        return SetupError(
            f"{name}: the disk is full", hint=f"make room, or set TAPECHECK_ENVS; {again}"
        )
    if _OFFLINE.search(text):
        return UnreachableError(
            f"{name}: {failed.tool} cannot reach the package index",
            hint=f"connect to a network, or set up {failed.tool} for an index that can be reached; "
            + again,
        )
    if missing := _MISSING.search(text):
        package = unquote(next(group for group in missing.groups() if group))
        return SetupError(
            f"{name}: the package index has no {package} that can be installed with these pins",
            hint=f"it may need another {kind.shown}; "
            f"or try the newest releases: tapecheck env update --newest {name}",
        )
    if _ENGINE.search(text):
        return SetupError(
            f"{name}: a package needs a newer {kind.shown}", hint=f"install one; {again}"
        )
    said = [found[1] for line in failed.lines if (found := _SAID.match(line)) and found[1]]
    words = said[0] if said else (failed.lines[-1] if failed.lines else "it printed nothing")
    return SetupError(
        f"{name}: {failed.tool} failed (exit code {failed.code}): {words:.{_LONG}}",
        hint="'tapecheck env make --verbose' prints all that it says",
    )
