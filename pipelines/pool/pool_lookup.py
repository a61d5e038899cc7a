"""A running pool as seen from another process: how it stands, what it is told, and a client for it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bioner_core.errors import ModelError, PoolError
from bioner_core.process_identity import ProcessIdentity, has_ended, is_here
from pipelines.pool.client import PoolClientFactory
from pipelines.pool.pool_kv import PoolKV
from pipelines.pool.pool_registry import PoolAddress, check_pool_name, find_address
from pipelines.pool.pool_report import PoolReport, read_report_text
from pipelines.pool.pool_settings import LOCAL, ClientSettings
from pipelines.pool.ray_session import joined_ray

_SILENT_SECONDS = 30.0
"""After that long without a new report its owner counts as dead; it notes one each second."""

_LOOK_SECONDS = 0.2
"""Between two looks at a report that its owner writes once per second."""


def pool_address(name: str, ray_address: str = LOCAL) -> PoolAddress:
    """Where the pool is: on the cluster that is named, or else where its owner said on this machine.

    Raises:
        ConfigurationError: the name cannot be one.
        PoolError: no running pool is known by this name.
    """
    if ray_address == LOCAL:
        return find_address(name)
    check_pool_name(name)
    return PoolAddress(name, ray_address)


@contextmanager
def connected_kv(address: PoolAddress) -> Iterator[PoolKV]:
    """The notes of a pool, with a connection to its Ray for the block.

    Raises:
        PoolError: its Ray cannot be joined.
    """
    with joined_ray(address.address, namespace=address.namespace, tokens=address.tokens):
        yield PoolKV(address.namespace)


def living_report(kv: PoolKV, name: str) -> PoolReport:
    """How a pool stands, once it is sure that its owner lives: it notes a newer report while one looks.

    Raises:
        PoolError: there is no such pool on this Ray, or its owner is dead or silent.
    """
    first = _report(kv, name)
    deadline = time.monotonic() + _SILENT_SECONDS
    while time.monotonic() < deadline and not _has_died(first.owner):
        report = _report(kv, name)
        if report.beat != first.beat:
            return report
        time.sleep(_LOOK_SECONDS)
    raise PoolError(
        f"the pool {name!r} is gone: its owner (process {first.owner.pid} on {first.owner.host}) does not answer. "
        "Start it again"
    )


def client_of(address: PoolAddress, report: PoolReport, *, settings: ClientSettings) -> PoolClientFactory:
    """What makes a client of a running pool in any process that reaches its Ray."""
    return PoolClientFactory(
        address=address.address,
        namespace=address.namespace,
        actor_names=tuple(one.name for one in report.actors),
        settings=settings,
        found_limits=report.limits,
        tokens=address.tokens,
        fingerprint=report.fingerprint,
    )


def check_same_model(report: PoolReport, *, fingerprint: str, model: dict[str, str]) -> None:
    """A pool that holds another model would give other answers than were asked for.

    Raises:
        ModelError: it does; the message says what differs.
    """
    if report.fingerprint == fingerprint:
        return
    differing = [
        f"{name} {report.model.get(name, 'unknown')!r} where this command has {value!r}"
        for name, value in model.items()
        if report.model.get(name) != value
    ]
    raise ModelError(
        f"--pool: {report.name!r} holds another model than this command asks for: "
        f"{'; '.join(differing) or 'the options are the same, but not the files or the version of bioner'} "
        f"(fingerprints {report.fingerprint[:16]} and {fingerprint[:16]}); give the options that the pool was started "
        "with, or start another pool"
    )


def await_end(address: PoolAddress, owner: ProcessIdentity, *, seconds: float) -> bool:
    """Wait until the owner of a pool that was told to stop is gone; False when it is not after so many seconds.

    Needs no connection to Ray where the owner is a process of this machine, since its Ray may end with it.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if _has_gone(address, owner):
            return True
        time.sleep(_LOOK_SECONDS)
    return False


def _has_gone(address: PoolAddress, owner: ProcessIdentity) -> bool:
    if is_here(owner):
        return has_ended(owner)
    with connected_kv(address) as kv:
        return not kv.report()


def _has_died(owner: ProcessIdentity) -> bool:
    return is_here(owner) and has_ended(owner)


def _report(kv: PoolKV, name: str) -> PoolReport:
    text = kv.report()
    if not text:
        raise PoolError(f"there is no pool {name!r} on this Ray: start one with `bioner pool start --name {name}`")
    try:
        return read_report_text(text)
    except (ValueError, KeyError, TypeError) as error:
        raise PoolError(f"the pool {name!r} runs another version of bioner ({error}): install the same") from error
