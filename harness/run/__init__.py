"""Play cases, side by side and in several processes."""

import sys
from importlib.util import find_spec

# httpcore tries to import sniffio each time it makes a lock, several times for each request. If it
# is not installed, Python searches its whole path each time. ``None`` stops the search.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]
