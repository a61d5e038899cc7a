"""Who may read the pages: whoever has the address that the command printed, in a browser on this machine.

A page of another origin can make a browser ask for any address on loopback. It cannot read an answer, but a name of its
own that it points at 127.0.0.1 makes it the same origin (DNS rebinding); so the Host header is checked. And any user of
the machine can connect; so there is a token, as Jupyter has one. It comes in the first address alone and is swapped
for a cookie, so that it is in no link, no referrer and no history after that.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PARAMETER = "token"

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What opens the pages: the token, and the hosts (`name:port`) under which they may be asked for."""

    hosts: frozenset[str]
    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def cookie(self) -> str:
        """The name of the cookie; cookies know no ports, and several stores may be served at once."""
        return f"bioner_{self.port}"


def loopback_access(port: int) -> Access:
    """Access to a server on loopback."""
    return Access(frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")), port)


class Guard:
    """ASGI middleware that lets in who has the token, and puts headers on every answer that keep it to this page."""

    def __init__(self, app: ASGIApp, *, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        request = Request(scope)
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._access.hosts:
            return PlainTextResponse("these pages are on this machine alone: use the address that was printed", 421)
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("these pages are read-only", 405)
        if _is(request.cookies.get(self._access.cookie, ""), self._access.token):
            return self._cleaned(request) if _PARAMETER in request.query_params else None
        if _is(request.query_params.get(_PARAMETER, ""), self._access.token):
            return self._cleaned(request)
        return PlainTextResponse("open the address that `bioner serve` printed: it has a token", 403)

    def _cleaned(self, request: Request) -> Response:
        """Go to the same page without the token, which is a cookie from now on."""
        answer = RedirectResponse(_without_token(request.url.path, request.url.query), 303)
        answer.set_cookie(self._access.cookie, self._access.token, httponly=True, samesite="strict")
        return answer


def _is(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode(), token.encode())


def _without_token(path: str, query: str) -> str:
    # `//host/` would be an address of another host.
    place = "/" + path.lstrip("/")
    pairs = parse_qsl(query, keep_blank_values=True)
    kept: Iterable[tuple[str, str]] = [pair for pair in pairs if pair[0] != _PARAMETER]
    words = urlencode(list(kept))
    return f"{place}?{words}" if words else place


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return sending
