from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from harness.adapters.inner_thoughts.tokenizer import count_by_bytes, counter_of, tekken


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("日本", 2), ("\ud800", 1)]
)
def test_counting_by_bytes(text: str, count: int) -> None:
    assert count_by_bytes(text) == count
    assert counter_of("bytes")(text) == count


def test_a_counter_of_the_caller_is_used_unchanged() -> None:
    assert counter_of(len) is len


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("hello world", 2, 2),
        ("日本語のテキスト", 3, 12),
        ("</s>[INST]", 2, 10),  # control words of a prompt are text here
        ("\ud800", 1, 3),
    ],
)
def test_counting_by_a_vocabulary_without_a_network(
    no_network: None, text: str, least: int, most: int
) -> None:
    pytest.importorskip("mistral_common")
    tekken.cache_clear()
    assert least <= counter_of("tekken")(text) <= most


def test_without_the_extra_the_error_names_the_install_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "mistral_common.tokens.tokenizers.mistral", None)
    tekken.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'tapecheck\[tokens\]'"):
        counter_of("tekken")


def test_the_extra_is_imported_only_on_request() -> None:
    look = "import harness.adapters.inner_thoughts, sys; sys.exit('mistral_common' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look]).returncode == 0
