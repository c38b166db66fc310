"""Print what the verdict says of each SDK: ``python -m tests.conduct [SDK …]``.

With ``--node FOLDER`` it asks those of Node.js that are installed in ``FOLDER/node_modules``.
Exits with 1 if it fails one of them: what an official SDK does by itself is no mistake.
"""

from __future__ import annotations

import sys

from mockserver.testing.llm import llm
from tests.conduct.callers import CALLERS, NODE, TIMEOUT, Caller, credentials, node
from tests.conduct.situations import SITUATIONS, Situation


def main(words: list[str]) -> int:
    """Try the named SDKs, all by default, in every situation."""
    credentials()
    callers, timeout = CALLERS, TIMEOUT
    if words[:1] == ["--node"]:
        # Their timeouts end with the headers: in a stream they bear any silence.
        timeout = None
        callers, words = {name: node(words[1], name) for name in NODE}, words[2:]
    failed = 0
    for name in words or callers:
        for title, situation in SITUATIONS.items():
            outcome, text, fails = tried(callers[name], situation, timeout)
            failed += fails
            print(f"{'FAIL' if fails else 'ok':5}{name:18}{title:28}{outcome}", flush=True)
            if fails:
                print(text)
    return 1 if failed else 0


def tried(
    caller: Caller, situation: Situation, timeout: float | None = TIMEOUT
) -> tuple[str, str, bool]:
    """Make one call in a situation: what came of it, and the verdict."""
    with llm() as provider:
        if timeout is not None:
            provider.timeout(timeout)
        situation(provider)
        with provider.one_call():
            try:
                outcome = repr(caller())
            except Exception as exc:  # what the SDK raises is its own affair
                outcome = type(exc).__name__
        count = len(provider.asked)
        found = ", ".join(f.check for f in provider.verdict.findings)
        outcome = f"{count} requests, {outcome[:40]} [{found}]"
        return outcome, provider.verdict.text, provider.verdict.failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
