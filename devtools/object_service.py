"""moto's S3 on loopback with faults in it, and one change at a time.

moto looks whether a condition holds, and then puts, in two steps: of 300 rounds of 16 writers each, two rounds had two
winners. So requests that change something are let in one after another here, as a real service would order them. What
tests and the soak then prove is what bioner does on a service whose conditional puts are atomic, as those of S3 are.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from signal import SIGKILL, Signals
from typing import Any

BUCKET = "bucket"
_CHANGES = ("PUT", "POST", "DELETE")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: `number` counts from 1, `listing` says that it names no object."""

    number: int
    method: str
    key: str
    listing: bool
    conditional: bool
    is_copy: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong: it is done or not, and then answered with a status, cut off, or its asker gets a signal."""

    done: bool = False
    status: str = ""
    seconds: float = 0.0
    kill: Callable[[], int] | None = None
    signal: Signals = SIGKILL


@dataclass(slots=True)
class ObjectService:
    """A WSGI application around moto's; `fault` is asked of each request."""

    application: Callable[..., Iterable[bytes]]
    fault: Callable[[Asked], Fault | None] = lambda _: None
    requests: list[Asked] = field(default_factory=list)
    sent: int = 0
    """Bytes of all answers."""
    url: str = ""
    _one: threading.RLock = field(default_factory=threading.RLock)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        with self._counting:
            request = _request(environ, len(self.requests) + 1)
            self.requests.append(request)
        fault = self.fault(request)
        if fault is None:
            return self._answered(environ, start_response)
        time.sleep(fault.seconds)
        if fault.kill is not None and not fault.done:
            os.kill(fault.kill(), fault.signal)
        if fault.done or fault.seconds:
            answer: Iterable[bytes] = self._answered(environ, _silent if fault.done else start_response)
            if not fault.done:
                return answer
        if fault.kill is not None and fault.done:
            os.kill(fault.kill(), fault.signal)
        if fault.status:
            if not fault.done:  # else it was read, and there is no more
                _drain(environ)
            start_response(fault.status, [("Content-Type", "application/xml"), ("Content-Length", "0")])
            return [b""]
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return [b""]

    def asked(self, *, since: int = 0) -> list[Asked]:
        """The requests after so many."""
        return self.requests[since:]

    def _answered(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in _CHANGES:
            answer = list(self.application(environ, start_response))
            with self._counting:
                self.sent += sum(map(len, answer))
            return answer
        with self._one:
            return list(self.application(environ, start_response))


def started_service() -> tuple[ObjectService, Any]:
    """A service with an empty bucket, and the server to shut down."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)

    class Quiet(WSGIRequestHandler):
        """Tells of no cut connection, and keeps one open as services do."""

        protocol_version = "HTTP/1.1"

        def log(self, type: str, message: str, *args: Any) -> None:
            """Nothing."""

    service = ObjectService(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, service, threaded=True, request_handler=Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]  # it is a ThreadingMixIn
    threading.Thread(target=server.serve_forever, daemon=True).start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    connection = HTTPConnection("127.0.0.1", server.server_port)
    for method, place in (("POST", "/moto-api/reset"), ("PUT", f"/{BUCKET}")):  # moto's buckets outlive its server
        connection.request(method, place)
        connection.getresponse().read()
    connection.close()
    service.requests.clear()
    return service, server


def environment_of(url: str) -> dict[str, str]:
    """What tells bioner of a service; the one on loopback takes any key."""
    secret = "secret-of-nobody"  # noqa: S105  # nosec B105
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": "us-east-1",
    }


def _request(environ: dict[str, Any], number: int) -> Asked:
    key = environ["PATH_INFO"].removeprefix(f"/{BUCKET}").strip("/")
    return Asked(
        number,
        environ["REQUEST_METHOD"],
        key,
        listing=not key,
        conditional="HTTP_IF_MATCH" in environ or "HTTP_IF_NONE_MATCH" in environ,
        is_copy="HTTP_X_AMZ_COPY_SOURCE" in environ,
    )


def _drain(environ: dict[str, Any]) -> None:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def _silent(*_: Any) -> Callable[[bytes], None]:
    return lambda _: None
