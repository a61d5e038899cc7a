"""Where a redirect may lead: another public server at most, never into a network that the user did not name.

Whoever answers for a public address could otherwise make this machine ask services that trust it: the cloud's metadata
at 169.254.169.254, a database on loopback, a host of the company.
"""

import ipaddress
import socket
from enum import Enum
from urllib.parse import urljoin, urlsplit

from bioner_core.errors import InputError
from bioner_core.formats.inputs import public_name

MAX_REDIRECTS = 10
"""As browsers have it: more is a circle."""

_PORTS = {"http": 80, "https": 443}


class Network(Enum):
    """How far an address reaches, the widest first."""

    PUBLIC = "the public network"
    PRIVATE = "a private network"
    LINK_LOCAL = "this machine's link"
    LOOPBACK = "this machine itself"


def redirect_target(location: str, *, asked: str, current: str, known: Network | None = None) -> str:
    """The URL to ask next, for a redirect to `location` met at `current` on the way from `asked`, the user's address.

    `known` is the network in which `asked` was reached; without it, what its name stands for now must do.

    Raises:
        InputError: it leads to another scheme, from HTTPS to HTTP, or to a host of a nearer network than `asked` is in.
    """
    name = public_name(current)
    try:
        target = urljoin(current, location)
        parts = urlsplit(target)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InputError(f"{name}: redirects to an address that is not valid") from None
    if parts.scheme not in _PORTS or not host:
        raise InputError(f"{name}: redirects to {parts.scheme or 'no'}://, and only http and https are followed")
    if parts.scheme == "http" and urlsplit(current).scheme == "https":
        raise InputError(f"{name}: redirects from https to http, to {public_name(target)}; that is not followed")
    ours = networks_of(urlsplit(asked).hostname or "") if known is None else {known}
    nearer = networks_of(host) - ours - {Network.PUBLIC}
    if nearer:
        raise not_followed(name, host, network=nearer.pop())
    return target


def not_followed(name: str, host: str, *, network: Network) -> InputError:
    """The error for a redirect, met at `name`, into a network that the user did not name."""
    return InputError(
        f"{name}: redirects to {host}, which is in {network.value}; that is not followed. If it is right, give that "
        "address itself"
    )


def same_server(one: str, other: str) -> bool:
    """Whether two URLs are of one host and port; http and https of one host count as one, each with its own port."""
    ours, theirs = urlsplit(one), urlsplit(other)
    if ours.hostname != theirs.hostname:
        return False
    ports = [parts.port or _PORTS.get(parts.scheme) for parts in (ours, theirs)]
    return ports[0] == ports[1] or all(port in _PORTS.values() for port in ports)


def networks_of(host: str) -> set[Network]:
    """The networks of all addresses of a host; none where its name is unknown here, as behind a proxy."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # the request itself will say it
        return set()
    return {network_of(str(address[0])) for *_, address in found}


def network_of(address_text: str) -> Network:
    """The network of one address, a scope behind `%` left out."""
    address = ipaddress.ip_address(address_text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback or address.is_unspecified:  # 0.0.0.0 is answered by this machine
        return Network.LOOPBACK
    if address.is_link_local:
        return Network.LINK_LOCAL
    return Network.PUBLIC if address.is_global else Network.PRIVATE
