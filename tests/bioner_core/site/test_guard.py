"""Who may read the pages of a store: whoever has the printed address, on this machine, and only to read."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from bioner_core.site.guard import Access, Guard, loopback_access

PORT = 8123
HERE = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def access() -> Access:
    """What opens the pages of the test."""
    return loopback_access(PORT)


@pytest.fixture
def stranger(access: Access) -> TestClient:
    """A browser without the token, before two pages."""
    pages = [Route(path, lambda _: PlainTextResponse("a page")) for path in ("/", "/documents")]
    app = Starlette(routes=pages, middleware=[Middleware(Guard, access=access)])
    return TestClient(app, base_url=HERE, follow_redirects=False)


@pytest.fixture
def reader(stranger: TestClient, access: Access) -> TestClient:
    """A browser that has opened the address that was printed."""
    assert stranger.get("/", params={"token": access.token}).status_code == 303
    return stranger


def test_only_the_printed_address_opens_the_pages(stranger: TestClient, access: Access) -> None:
    """Would catch another user of the machine who reads the store, and a token that stays in links and history."""
    for path in ("/", "/documents?text=a", "/documents?type=b", "/nothing"):
        assert stranger.get(path).status_code == 403
    assert stranger.get("/", params={"token": access.token[:-1]}).status_code == 403
    opened = stranger.get("/documents", params={"text": "a b", "token": access.token})
    assert (opened.status_code, opened.headers["location"]) == (303, "/documents?text=a+b")
    assert "httponly" in opened.headers["set-cookie"].lower()
    assert "samesite=strict" in opened.headers["set-cookie"].lower()
    home = stranger.get("/")
    assert home.status_code == 200
    assert access.token not in home.text
    assert home.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in home.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", ""])
def test_a_page_of_another_origin_gets_nothing(reader: TestClient, host: str) -> None:
    """Would catch DNS rebinding: a site that points a name of its own at loopback, and asks with the cookie."""
    assert reader.get("/", headers={"host": host}).status_code == 421
    assert reader.get("/").status_code == 200


def test_the_redirect_stays_here(stranger: TestClient, access: Access) -> None:
    """Would catch an address that hands the browser to another host once the token was seen."""
    opened = stranger.get("//evil.example/x", params={"token": access.token})
    assert opened.headers.get("location", "/").startswith("/")
    assert not opened.headers.get("location", "/").startswith("//")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_nothing_can_be_sent(reader: TestClient, method: str) -> None:
    """Would catch a page that changes something."""
    assert getattr(reader, method)("/").status_code == 405
