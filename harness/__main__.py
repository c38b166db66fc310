"""``python -m harness`` is ``tapecheck``."""

from harness.cli import main

main()
