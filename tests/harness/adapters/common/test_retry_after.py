import pytest

from harness.adapters.common.retry_after import from_fields, from_headers, from_text

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:00 GMT"}, 0.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "0", "retry-after": "7"}, 0.0),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "999999999"}, 999_999_999.0),
        ({"retry-after": "1700000030"}, 30.0),
        ({"retry-after": "1699999990"}, 0.0),
        ({"retry-after": "1700000030500"}, 30.5),
        ({"retry-after-ms": "1700000030500"}, 30.5),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_headers(headers, seconds):
    assert from_headers(headers, NOW) == seconds


def test_a_date_needs_the_time():
    assert from_fields({"retry_after": NOW + 60}, None) is None
    assert from_fields({"retry_after": 60}, None) == 60.0
    assert from_fields({"resets_at": NOW + 60}, None) is None


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"retryDelay": "34.4s"}, 34.4),
        ({"retryDelay": 3}, None),
        ({"resets_at": NOW + 60}, 60.0),
        ({"resets_at": NOW - 60}, 0.0),
        ({"resets_at": (NOW + 60) * 1000}, 60.0),
        ({"resets_at": 7}, 0.0),
        ({"retry_after": NOW + 60}, 60.0),
        ({"resets_in_seconds": 5, "resets_at": NOW + 60}, 5.0),
        ({"resets_at": True}, None),
        ({}, None),
    ],
)
def test_fields(fields, seconds):
    assert from_fields(fields, NOW) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Limit 30000. Please try again in 11.054s. Visit …", 11.054),
        ("Please try again in 28ms.", 0.028),
        ("try again in 35 seconds", 35.0),
        ("Please try again in 1m30s.", 90.0),
        ("Please retry in 34.074s.", 34.074),
        ("Try again in 2 hours", 7200.0),
        ("try again in 5 milliseconds", 0.005),
        ("try again in 5 moons", None),
        ("try again later", None),
        ("retrying in vain, 35s", None),
    ],
)
def test_text(text, seconds):
    assert from_text(["unrelated 3s", text]) == (
        pytest.approx(seconds) if seconds is not None else None
    )


@pytest.mark.parametrize("digits", ["9" * 200_000 + "!", "9" * 200_000 + ".", 10**400])
def test_a_number_without_an_end_takes_linear_time_and_says_nothing(digits):
    assert from_fields({"retryDelay": digits, "retry_after": digits}, 0.0) is None
    assert from_text([f"try again in {digits}"]) is None
