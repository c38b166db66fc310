"""A third-party client that needs no package: it is in the list, and its environment is there."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments import listing, making, store
from harness.environments.listing import Environment, Kind, ThirdParty
from harness.environments.store import Made
from harness.suite import bundled

SHIM = """\
import json, sys, urllib.request
sys.path.append({shims!r})
from tapecheck_client import serve


def make(call):
    body = json.dumps({{**call.arguments, "stream": call.stream}}).encode()
    head = {{"content-type": "application/json", "authorization": f"Bearer {{call.api_key}}"}}
    request = urllib.request.Request(f"{{call.base_url}}/chat/completions", body, head)
    with urllib.request.urlopen(request, timeout=call.timeout) as answer:
        for line in answer:
            data = line.decode().removeprefix("data:").strip()
            if data and data != "[DONE]":
                yield json.loads(data)


serve(
    make,
    name="other",
    dialects=["openai-chat", "anthropic"],
    features=["streaming", "tools"],
    failures=[OSError],
)
"""
DECLARATION = """\
# A toy.
version: 1
adapter: toy-client
environment: toy
shim: toy.py
dialects: [openai-chat]
level: should
"""


def listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ThirdParty:
    """Make it the only third-party client, beside ``silent``, whose shim ends at once."""
    shims = bundled.third_party() / "shims"
    (folder / "toy.py").write_text(SHIM.format(shims=str(shims)), encoding="utf-8")
    (folder / "silent.py").write_text("raise SystemExit('no SDK')\n", encoding="utf-8")
    (folder / "toy-client.yaml").write_text(DECLARATION, encoding="utf-8")
    pins = folder / "toy.txt"
    pins.write_text("toy==1.0\n", encoding="utf-8")
    environment = Environment(name="toy", kind=Kind.PYTHON, packages=("toy",), pins=pins)
    client = ThirdParty(
        name="toy-client",
        title="A toy",
        environment=environment,
        shim=folder / "toy.py",
        arguments=(),
        dialects=("openai-chat",),
        file=folder / "toy-client.yaml",
    )
    silent = replace(client, name="silent", shim=folder / "silent.py")
    python = store.python_of(folder / "made")
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    made = Made(
        directory=folder / "made",
        kind=Kind.PYTHON,
        key="key",
        versions={"toy": "1.0", "httpx": "0.28", "other": "1"},
        runtime="cpython-311-linux",
        tool="pip",
        size=0,
    )
    monkeypatch.setattr(listing, "third_parties", lambda: {c.name: c for c in (client, silent)})
    monkeypatch.setattr(listing, "environments", lambda: {"toy": environment})
    monkeypatch.setattr(making, "find", lambda *_, newest=False: None if newest else made)
    return client
