from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
#: Counts the searches for a module while it is imported three times behind the harness.
COUNT = """
import importlib.abc, sys
class Counter(importlib.abc.MetaPathFinder):
    searches = 0
    def find_spec(self, name, path, target=None):
        self.searches += name == "sniffio"
sys.meta_path.insert(0, counter := Counter())
sys.path[:0] = sys.argv[1:]
if not sys.argv[1:]:
    sys.path[:] = [p for p in sys.path if not __import__("os").path.exists(p + "/sniffio")]
    sys.path_importer_cache.clear()
import harness.run
counter.searches = 0
for _ in range(3):
    try:
        import sniffio
    except ImportError:
        pass
print(counter.searches)
"""


@pytest.mark.parametrize("installed", [False, True])
def test_sniffio_is_looked_up_once(installed: bool, tmp_path: Path) -> None:
    (tmp_path / "sniffio.py").touch()
    done = subprocess.run(
        [sys.executable, "-c", COUNT, *([str(tmp_path)] if installed else [])],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    # One that is there is searched for when it is imported first, and then known to Python.
    assert done.stdout == f"{int(installed)}\n"
