import pytest


@pytest.fixture
def answer(sse, chunk):
    return sse(chunk({"content": "a"}), chunk({}, "stop"), "[DONE]")
