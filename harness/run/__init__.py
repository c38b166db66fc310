"""Plays cases, side by side and in several processes."""

import sys
from importlib.util import find_spec

# httpcore tries to import sniffio whenever it makes a lock, several times for each request. Where
# that is not installed, Python would look through all of its path each time; a module that is
# known to be absent is not looked for.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]
