import asyncio
import gzip
import json
import os
import stat
from urllib.parse import parse_qs

import httpx
import pytest

from harness.adapters.chatgpt_oauth.oauth import Tokens
from harness.adapters.chatgpt_oauth.oauth_store import Credentials, FileStore, MemoryStore
from harness.clients.interface import ClientError
from mockserver.vocabulary.model import ErrorClass

NOW = 1_763_712_000.0
OLD = Credentials(
    access_token="access-old-0123", refresh_token="refresh-old-0123", account_id="acc", expires_at=0
)
GOOD = {"access_token": "access-new-0123", "refresh_token": "refresh-new-0123", "expires_in": 60}


def answering(*answers):
    """A token endpoint that gives these answers, and the forms it was sent."""
    forms, left = [], list(answers)

    def handle(request):
        assert request.method == "POST"
        assert str(request.url) == "https://auth.test/token"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        forms.append({k: v[0] for k, v in parse_qs(request.content.decode()).items()})
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle, forms


def tokens(store, handle, **options):
    return Tokens(
        store,
        token_url="https://auth.test/token",
        client_id="app_1",
        now=lambda: NOW,
        transport=httpx.MockTransport(handle),
        **options,
    )


def run(store, handle, *, callers=1, rejected=None):
    async def go():
        source = tokens(store, handle)
        try:
            asked = [source.current(rejected=rejected) for _ in range(callers)]
            return await asyncio.gather(*asked, return_exceptions=True)
        finally:
            await source.aclose()

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("expires_at", "expired"),
    [
        (NOW + 301, False),
        (NOW + 300, True),
        (NOW - 1, True),
        ((NOW + 301) * 1000, False),
        ((NOW + 300) * 1000, True),
        (10**12, False),
        (10**12 + 1, True),
        (None, False),
        (0, True),
    ],
)
def test_expiry(expires_at, expired):
    assert Credentials(access_token="t", expires_at=expires_at).expired(NOW) is expired


def test_repr_has_no_tokens():
    assert "0123" not in repr(OLD)


def test_a_token_that_is_not_allowed_in_a_header():
    with pytest.raises(ValueError, match="header") as caught:
        Credentials(access_token="secret-0123\n")
    assert "secret-0123" not in str(caught.value)


def test_good_credentials_are_used_as_they_are():
    good = Credentials(access_token="t", expires_at=NOW + 1000)
    handle, forms = answering()
    assert run(MemoryStore(good), handle) == [good]
    assert forms == []


def test_a_refresh():
    store = MemoryStore(OLD)
    handle, forms = answering(httpx.Response(200, json=GOOD))
    new = Credentials(
        access_token="access-new-0123",
        refresh_token="refresh-new-0123",
        account_id="acc",
        expires_at=NOW + 60,
    )
    assert run(store, handle) == [new]
    assert store.load() == new
    assert forms == [
        {
            "grant_type": "refresh_token",
            "refresh_token": "refresh-old-0123",
            "client_id": "app_1",
        }
    ]


def test_an_answer_of_several_gzip_members():
    async def pieces():
        data = json.dumps(GOOD).encode()
        yield gzip.compress(data[:20]) + gzip.compress(data[20:])

    answer = httpx.Response(200, headers={"content-encoding": "gzip"}, content=pieces())
    (new,) = run(MemoryStore(OLD), answering(answer)[0])
    assert new.access_token == "access-new-0123"


@pytest.mark.parametrize("lifetime", [{}, {"expires_in": None}, {"expires_in": "soon"}])
def test_what_the_answer_leaves_out_is_kept_or_assumed(lifetime):
    answer = {"access_token": "access-new-0123", **lifetime}
    (new,) = run(MemoryStore(OLD), answering(httpx.Response(200, json=answer))[0])
    assert (new.refresh_token, new.account_id) == ("refresh-old-0123", "acc")
    assert new.expires_at == NOW + 3600


def test_many_callers_share_one_refresh():
    handle, forms = answering(httpx.Response(200, json=GOOD))
    made = run(MemoryStore(OLD), handle, callers=20)
    assert {c.access_token for c in made} == {"access-new-0123"}
    assert len(forms) == 1


def test_many_callers_share_one_failure():
    handle, forms = answering(httpx.Response(400, json={"error": "invalid_grant"}))
    made = run(MemoryStore(OLD), handle, callers=20)
    assert {type(e) for e in made} == {ClientError}
    assert len(forms) == 1


def test_a_rejected_token_is_refreshed_only_while_it_is_the_latest():
    good = Credentials(access_token="access-a", refresh_token="r-0123", expires_at=NOW + 1000)
    handle, forms = answering(httpx.Response(200, json={**GOOD, "expires_in": 3600}))
    store = MemoryStore(good)
    assert run(store, handle, callers=3, rejected="access-a")[0].access_token == "access-new-0123"
    assert run(store, handle, rejected="access-a")[0].access_token == "access-new-0123"
    assert len(forms) == 1


def test_a_cancelled_caller_leaves_the_refresh_to_the_others():
    started, go_on = asyncio.Event(), asyncio.Event()

    async def handle(request):
        started.set()
        await go_on.wait()
        return httpx.Response(200, json=GOOD)

    async def go():
        source = tokens(MemoryStore(OLD), handle)
        first, second = (asyncio.create_task(source.current()) for _ in range(2))
        await started.wait()
        first.cancel()
        go_on.set()
        new = await second
        await source.aclose()
        return new, first.cancelled()

    new, cancelled = asyncio.run(go())
    assert (new.access_token, cancelled) == ("access-new-0123", True)


def test_closing_cancels_a_refresh():
    async def handle(request):
        await asyncio.Event().wait()

    async def go():
        source = tokens(MemoryStore(OLD), handle)
        waiting = asyncio.create_task(source.current())
        await asyncio.sleep(0)
        await source.aclose()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(go())


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (
            httpx.Response(400, json={"error": "invalid_grant", "error_description": "Used up."}),
            "invalid_grant",
            "Used up.",
        ),
        (httpx.Response(400, json={"error": "invalid_client"}), "invalid_client", "refused"),
        (
            httpx.Response(
                401,
                json={
                    "error": {
                        "message": "Your refresh token refresh-old-0123 was used.",
                        "code": "refresh_token_reused",
                    }
                },
            ),
            "refresh_token_reused",
            "was used",
        ),
        (httpx.Response(500, text="<title>Oops</title>"), None, "Oops"),
        (httpx.Response(429, headers={"retry-after": "7"}), None, "429"),
        (httpx.Response(200, json={"token": "x"}), None, "no access_token"),
        (httpx.Response(200, text="nope"), None, "no access_token"),
        (httpx.Response(200, json=[1]), None, "no access_token"),
        (httpx.Response(200, json={"access_token": "a\nb"}), None, "bad token"),
        (httpx.ConnectError("refresh-old-0123"), None, "no answer"),
        (httpx.ReadTimeout("refresh-old-0123"), None, "30 s"),
    ],
)
def test_a_refused_refresh_is_an_authentication_error(answer, code, words):
    if isinstance(answer, httpx.RequestError):
        answer.request = httpx.Request("POST", "https://auth.test/token")
    store = MemoryStore(OLD)
    (exc,) = run(store, answering(answer)[0])
    assert isinstance(exc, ClientError)
    error = exc.error
    assert (error.error_class, error.retryable) == (ErrorClass.AUTHENTICATION, False)
    assert words in error.message
    assert code is None or error.code == code
    assert "0123" not in repr(error) + str(exc)
    assert store.load() == OLD


def test_without_a_refresh_token_no_request_is_made():
    bare = Credentials(access_token="t", expires_at=0)
    (exc,) = run(MemoryStore(bare), answering()[0])
    assert exc.error.error_class is ErrorClass.AUTHENTICATION


# --- the file ---------------------------------------------------------------------------


def test_the_file_is_private_and_replaced_as_a_whole(tmp_path):
    store = FileStore(tmp_path / "auth.json")
    store.save(OLD)
    assert store.load() == OLD
    before = store.path.stat()
    assert stat.S_IMODE(before.st_mode) == 0o600
    handle, _ = answering(httpx.Response(200, json=GOOD))
    (new,) = run(store, handle)
    assert store.load() == new
    assert store.path.stat().st_ino != before.st_ino
    assert [p.name for p in tmp_path.iterdir()] == ["auth.json"]


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    store = FileStore(tmp_path / "auth.json")
    store.save(OLD)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (exc,) = run(store, answering(httpx.Response(200, json=GOOD))[0])
    assert "cannot be stored" in exc.error.message
    assert store.load() == OLD
    assert [p.name for p in tmp_path.iterdir()] == ["auth.json"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"access_token":\n"secret-0123', ":2: not JSON"),
        ("[]", "no access_token"),
        ('{"access_token": 1}', "no access_token"),
        ('{"access_token": "t", "refresh_token": 1}', "refresh_token is not a text"),
        ('{"access_token": "t", "expires_at": "x"}', "expires_at is not a number"),
        ('{"access_token": "secret-0123\\n"}', "access_token holds"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, text, words):
    path = tmp_path / "auth.json"
    if text is not None:
        path.write_text(text)
    (exc,) = run(FileStore(path), answering()[0])
    assert exc.error.error_class is ErrorClass.AUTHENTICATION
    assert words in exc.error.message
    assert "auth.json" in exc.error.message
    assert "secret-0123" not in exc.error.message
