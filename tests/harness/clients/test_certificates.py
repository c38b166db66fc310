from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from harness.clients.certificates import VARIABLE, environment


def test_the_list_is_short_and_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/etc/the-long-one.pem")
    path = environment()[VARIABLE]
    assert Path(path).read_text(encoding="utf-8").count("BEGIN CERTIFICATE") == 1
    assert len(ssl.create_default_context(cafile=path).get_ca_certs()) == 1
    assert environment()[VARIABLE] == path
