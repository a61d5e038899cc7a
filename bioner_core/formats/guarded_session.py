"""HTTP whose redirects lead only where `redirect_target` allows it, whatever a name server says in between.

A name may stand for a public address when a redirect is judged and for this machine when it is followed. So what is
judged is the address at the other end of each connection, before a byte is sent.
"""

import socket
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from bioner_core.errors import InputError
from bioner_core.formats.inputs import public_name
from bioner_core.formats.redirects import MAX_REDIRECTS, Network, network_of, not_followed, redirect_target


class _Guard:
    """The networks that connections reach, and in which network those of a redirect may be."""

    def __init__(self) -> None:
        self.name = ""
        self.redirected = False
        self.allowed: Network | None = None
        self.reached: dict[str, Network] = {}

    def check(self, connection: socket.socket, host: str) -> socket.socket:
        """The connection, unless it is a redirect's into a network that the user did not name.

        Raises:
            InputError: it is; the connection is closed.
        """
        network = network_of(str(connection.getpeername()[0]))
        if self.redirected and network not in (Network.PUBLIC, self.allowed):
            connection.close()
            raise not_followed(self.name, host, network=network)
        self.reached.setdefault(host, network)
        return connection


class _GuardedAdapter(HTTPAdapter):
    """Opens connections that the guard has seen. Those to a proxy are of other classes, since the proxy resolves."""

    def __init__(self, guard: _Guard) -> None:
        self._guard = guard
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools whose connections are checked."""
        super().init_poolmanager(*arguments, **options)
        guard = self._guard

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return guard.check(super()._new_conn(), self.host)

        class Encrypted(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return guard.check(super()._new_conn(), self.host)

        pools = {"http": _pool(HTTPConnectionPool, Plain), "https": _pool(HTTPSConnectionPool, Encrypted)}
        self.poolmanager.pool_classes_by_scheme = pools


def _pool(kind: Any, connection: type) -> Any:
    return type(kind.__name__, (kind,), {"ConnectionCls": connection})


class GuardedSession(requests.Session):
    """A session whose `get` follows redirects by itself: requests follows to any host, and reads each body whole."""

    def __init__(self) -> None:
        super().__init__()
        self._guard = _Guard()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _GuardedAdapter(self._guard))

    def get(  # type: ignore[override]  # its eighteen options go on as they are
        self, url: str | bytes, **options: Any
    ) -> requests.Response:
        """The first answer that is no redirect.

        Raises:
            InputError: a redirect leads where it may not, or there are too many.
            requests.RequestException: as of any session.
        """
        asked = current = url.decode() if isinstance(url, bytes) else url
        guard = self._guard
        guard.redirected = False
        for _ in range(MAX_REDIRECTS):
            response = super().get(current, **options | {"allow_redirects": False})
            if not response.is_redirect:
                return response
            response.close()
            guard.allowed = guard.reached.get(urlsplit(asked).hostname or "")
            guard.name, guard.redirected = public_name(current), True
            current = redirect_target(response.headers["Location"], asked=asked, current=current, known=guard.allowed)
        raise InputError(f"{public_name(asked)}: redirects more than {MAX_REDIRECTS} times; check the address")
