import asyncio

import httpx
import pytest

from harness.adapters.common.client import ApiClient


class Client(ApiClient):
    path = "/ask"


def test_the_address_and_the_key():
    client = Client("http://models.test/v1/", "sk-1")
    assert client._url == "http://models.test/v1/ask"
    assert client._bearer == {"authorization": "Bearer sk-1"}
    assert Client("http://models.test")._bearer == {}


@pytest.mark.parametrize(
    ("base_url", "api_key", "problem"),
    [
        ("ftp://models.test", "", "base_url must begin with http://host"),
        ("http://", "", "base_url must begin with http://host"),
        ("http://[::1", "", "is not a URL"),
        ("http://models.test", "sk-1\n", "API key"),
    ],
)
def test_what_the_constructor_refuses(base_url, api_key, problem):
    with pytest.raises(ValueError, match=problem):
        Client(base_url, api_key)


def test_leaving_closes_the_connections():
    class Recorded(httpx.MockTransport):
        closed = False

        async def aclose(self):
            self.closed = True

    transport = Recorded(lambda request: httpx.Response(200))

    async def run():
        async with Client("http://models.test", transport=transport):
            assert not transport.closed

    asyncio.run(run())
    assert transport.closed
