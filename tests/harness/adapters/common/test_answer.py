import pytest

from harness.adapters.common.answer import Answer
from harness.adapters.common.failures import failure
from mockserver.vocabulary.model import ErrorClass, ErrorEvent, Usage, UsageEvent, WarningEvent

LOST = failure(ErrorClass.CONNECTION_LOST, "reset")


class Counted(Answer):
    """An answer whose chunks are usage objects."""

    api = "Counts"
    terminal = "total"

    def is_answer(self, value):
        return True

    def chunk(self, value, *, is_named_error=False, default=ErrorClass.STREAM_ERROR):
        self._any_chunk = True
        self._usage.add(value)
        return []

    def done(self):
        return self.fail(failure(ErrorClass.EMPTY_RESPONSE, "nothing"))


def test_a_failure_comes_after_warnings_and_usage_and_closes():
    answer = Counted(request_id="req_1")
    answer.chunk({"input_tokens": 1})
    answer.warn("odd", "first")
    answer.warn("odd", "second")
    warning, usage, error = answer.lost(LOST)
    assert warning == WarningEvent(code="odd", message="first")
    assert usage == UsageEvent(usage=Usage(input_tokens=1))
    assert isinstance(error, ErrorEvent)
    assert (error.error.error_class, error.error.request_id) == (LOST.error_class, "req_1")
    assert answer.closed
    assert answer.fail(LOST) == answer.ended() == answer.done() == []


@pytest.mark.parametrize(
    ("chunks", "error_class", "message"),
    [
        ([], ErrorClass.EMPTY_RESPONSE, "the server sent no event"),
        ([{}], ErrorClass.TRUNCATED_STREAM, "the stream ended without a total"),
    ],
)
def test_the_end_of_the_body(chunks, error_class, message):
    answer = Counted()
    for chunk in chunks:
        answer.chunk(chunk)
    (event,) = answer.ended()
    assert (event.error.error_class, event.error.message) == (error_class, message)
