"""Why a connection failed, in words that say what to do, and whether it may work in a while.

Libraries wrap the cause several times over; what the system or the TLS library said is found at the end of the chain.
"""

import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

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
