"""HTTP with one meaning for each kind of failure, a fault that may pass or one that will not, and why it failed.

Libraries wrap the cause several times over; what the system or the TLS library said is found at the end of the chain.
"""

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import requests
from urllib3.exceptions import HTTPError

from bioner_core.errors import InputError
from bioner_core.formats.guarded_session import GuardedSession
from bioner_core.formats.inputs import public_name
from pipelines.sync.retry import PassingFault, RetryPolicy

_MAY_PASS = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_CONNECT_SECONDS = 20.0


@contextmanager
def http_get(url: str, policy: RetryPolicy, *, headers: Mapping[str, str] | None = None) -> Iterator[requests.Response]:
    """Lend the streamed response to a GET; its body may be read inside the block. Redirects go where they may.

    Raises:
        PassingFault: no connection, a silent or broken one, or a status that asks to come again.
        InputError: what cannot pass: an unknown host, a certificate that is not trusted, a redirect that leads where
            it may not, and any other status that is no success; 416 (nothing left to send) is given to the caller.
    """
    name = public_name(url)
    try:
        with GuardedSession() as session, _answer(session, url, policy, headers) as response:
            _check_status(response, name)
            yield response
    except (requests.ConnectionError, requests.Timeout, HTTPError) as error:
        cause = cause_of(error)
        kind = PassingFault if cause.may_pass else InputError
        raise kind(f"{name}: the connection failed: {cause.words}") from None
    except requests.RequestException as error:
        raise InputError(f"{name}: cannot be asked for ({type(error).__name__}); check the address") from None


def _answer(
    session: requests.Session, url: str, policy: RetryPolicy, headers: Mapping[str, str] | None
) -> requests.Response:
    return session.get(
        url,
        stream=True,
        timeout=(_CONNECT_SECONDS, policy.idle_seconds),
        headers={"Accept-Encoding": "identity"} | dict(headers or {}),
        verify=policy.ca_file or True,
    )


def body_chunks(response: requests.Response, size: int) -> Iterator[bytes]:
    """The body as it comes, at most `size` bytes at a time; what came before a connection breaks is given out.

    Raises:
        urllib3.exceptions.HTTPError: the connection is silent or breaks; `http_get` makes a `PassingFault` of it.
    """
    while chunk := response.raw.read1(size):
        yield chunk


def _check_status(response: requests.Response, name: str) -> None:
    status = response.status_code
    if status in _MAY_PASS:
        asked = response.headers.get("Retry-After", "")
        raise PassingFault(f"{name}: HTTP status {status}", after_seconds=float(asked) if asked.isdecimal() else 0.0)
    if status >= HTTPStatus.BAD_REQUEST and status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise InputError(f"{name}: HTTP status {status}; check the address and your access to it")


_CHAIN_LENGTH = 20


@dataclass(frozen=True, slots=True)
class ConnectionCause:
    """`words` say what happened; `may_pass` whether asking again later makes sense."""

    words: str
    may_pass: bool = True


def cause_of(error: BaseException) -> ConnectionCause:
    """The cause of a failed request: certificate, TLS, name, refusal, route or silence; else the error's class."""
    for one in _chain(error):
        if found := _known(one):
            return found
    return ConnectionCause(type(error).__name__)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made of: its cause, context, `reason` (urllib3) and arguments, outermost first."""
    pending, seen = [error], set[int]()
    while pending and len(seen) < _CHAIN_LENGTH:
        one = pending.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        nested = (getattr(one, "reason", None), *one.args, one.__cause__, one.__context__)
        pending += [other for other in nested if isinstance(other, BaseException)]


def _known(error: BaseException) -> ConnectionCause | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectionCause(
            f"the server's certificate is not trusted ({error.verify_message}). If the server is your own, name the "
            "certificate of its authority with --ca-file",
            may_pass=False,
        )
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return ConnectionCause("the connection was closed within TLS")
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "TLS failed").replace("_", " ").lower()
        return ConnectionCause(
            f"no TLS connection ({reason}); does the address begin with the right one of http:// and https://?",
            may_pass=False,
        )
    if isinstance(error, socket.gaierror):
        # Only this one says that no name server answered; the others are answers.
        if error.errno == socket.EAI_AGAIN:
            return ConnectionCause("no name server answers for this host; check its spelling and the network")
        return ConnectionCause("unknown host; check its spelling", may_pass=False)
    if isinstance(error, ConnectionRefusedError):
        return ConnectionCause("refused: nothing listens at this host and port")
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return ConnectionCause("the server broke it off")
    if isinstance(error, TimeoutError):
        return ConnectionCause("no answer in time")
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return ConnectionCause("no route to this host; check the network, or the proxy in HTTPS_PROXY")
    return None
