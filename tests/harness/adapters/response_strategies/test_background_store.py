import os

import pytest

from harness.adapters.response_strategies.background_store import FileStore, MemoryStore, job_key


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "jobs" / "open")


def test_keeps_an_id_until_it_is_removed(store):
    assert store.load("a") is None
    store.save("a", "resp_1")
    store.save("b", "resp_2")
    store.save("a", "resp_3")
    assert (store.load("a"), store.load("b")) == ("resp_3", "resp_2")
    store.remove("a")
    store.remove("a")
    assert (store.load("a"), store.load("b")) == (None, "resp_2")


def test_a_file_outlives_its_store(tmp_path):
    FileStore(tmp_path).save("a", "resp_1")
    assert FileStore(str(tmp_path)).load("a") == "resp_1"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_crash_while_writing_leaves_the_old_id(tmp_path, monkeypatch):
    store = FileStore(tmp_path)
    store.save("a", "resp_1")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.save("a", "resp_2")
    assert store.load("a") == "resp_1"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_the_same_request_has_the_same_key():
    url, body = "https://a/v1/responses", {"model": "m", "input": [{"content": "hé"}]}
    key = job_key(url, body)
    assert FileStore(".").load(key) is None
    assert key == job_key(url, dict(reversed(body.items())))
    assert key != job_key(url, {**body, "input": [{"content": "he"}]})
    assert key != job_key("https://b/v1/responses", body)
    assert job_key(url, {"input": "half of a character: \ud83d"})
