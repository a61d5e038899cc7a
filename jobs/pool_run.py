"""The work behind `bioner pool`: own a pool, look after it, change its size, stop it."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bioner_core.errors import PoolError
from bioner_core.store.history.process_identity import this_process
from jobs.annotation_options import ActorOptions
from jobs.annotator_choice import AnnotatorChoice
from jobs.console import say
from jobs.interrupts import interrupted_exit_code
from jobs.open_pool import memory_wish, open_pool, planned_settings
from pipelines.pool.pool_access import await_end, living_report, pool_notes, pool_place
from pipelines.pool.pool_places import Announce, check_pool_name, claimed_place, pool_namespace
from pipelines.pool.pool_report import PoolReport
from pipelines.pool.pool_service import PoolService, order_scale, order_stop
from pipelines.pool.pool_settings import LOCAL, PoolSettings
from pipelines.pool.ray_session import uses_tokens
from pipelines.watch.metrics_page import JobPage

_TAKEN_SECONDS = 30.0
"""How long an order may wait for the owner to take it."""

_END_SECONDS = 60.0
"""How long, beyond the time to drain, the owner may take to end its actors and its Ray."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolWishes:
    """What a user asks of a pool.

    `cpus_per_actor` is Ray's resource on a cluster; on this machine nothing but the pool uses its Ray. `page` shows
    how the actors are.
    """

    name: str
    annotator: AnnotatorChoice
    actors: ActorOptions
    cpus_per_actor: float = 1.0
    ray_address: str = LOCAL
    drain_seconds: float = 60.0
    quiet: bool = False
    page: JobPage = field(default_factory=JobPage)


@dataclass(frozen=True, slots=True)
class PoolEnd:
    """How a pool ended: `cut_short` actors had not ended their batch when the time to drain was up."""

    name: str
    seconds: float
    cut_short: int

    def as_json(self) -> dict[str, Any]:
        """A flat object for `--json`."""
        return {"name": self.name, "seconds": round(self.seconds, 1), "cut_short": self.cut_short}


def keep_pool(wishes: PoolWishes) -> PoolEnd:
    """Start a pool, and keep it until it is told to stop, or Ctrl-C or SIGTERM comes: then drain it.

    Raises:
        ConfigurationError: an option is unusable; nothing was started.
        ModelError: there is no such model.
        PoolError: the pool cannot be started, a pool of this name runs, or all its actors were given up.
    """
    started = time.monotonic()
    settings = service_settings(wishes)
    spec = wishes.annotator.spec(memory_wish(wishes.actors, settings))
    wishes.annotator.check_ready()
    with claimed_place(wishes.name) as announce, ExitStack() as opened:
        pool = open_pool(opened, settings, spec, quiet=wishes.quiet)
        wishes.page.follow(pool)
        opened.callback(wishes.page.let_go)
        report = PoolReport(
            name=wishes.name,
            address=pool.address,
            owner=this_process(),
            fingerprint=pool.fingerprint,
            model=wishes.annotator.in_words(),
            limits=pool.limits,
            wanted=settings.actors,
            drain_seconds=wishes.drain_seconds,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        cut_short = _serve(PoolService(pool, report, drain_seconds=wishes.drain_seconds), announce, report, wishes)
    return PoolEnd(wishes.name, time.monotonic() - started, cut_short)


def service_settings(wishes: PoolWishes) -> PoolSettings:
    """The settings of a pool for everybody.

    On this machine its actors take no CPUs of Ray's, so that there may be more of them later than Ray was started for.

    Raises:
        ConfigurationError: the name or a number is unusable.
    """
    check_pool_name(wishes.name)
    planned = planned_settings(wishes.actors, wishes.ray_address)
    return replace(
        planned,
        namespace=pool_namespace(wishes.name),
        cpus_per_actor=0.0 if wishes.ray_address == LOCAL else wishes.cpus_per_actor,
        drain_seconds=max(planned.drain_seconds, wishes.drain_seconds),
    )


def pool_status(name: str, ray_address: str) -> PoolReport:
    """How a pool stands.

    Raises:
        ConfigurationError, PoolError: it is not there, or its owner is dead.
    """
    with pool_notes(pool_place(name, ray_address)) as bulletin:
        return living_report(bulletin, name)


def scale_pool(name: str, ray_address: str, *, actors: int, wait_seconds: float) -> PoolReport:
    """Order another number of actors, and return once the owner has taken the order, or `wait_seconds` after that.

    With a wait it returns as soon as exactly so many actors are ready.

    Raises:
        ConfigurationError: fewer than one.
        PoolError: the pool is not there, it takes no order, or not all are ready in time.
    """
    with pool_notes(pool_place(name, ray_address)) as bulletin:
        living_report(bulletin, name)
        order_scale(bulletin, actors)
        deadline = time.monotonic() + _TAKEN_SECONDS
        while (report := living_report(bulletin, name)).wanted != actors:
            if time.monotonic() > deadline:
                raise PoolError(f"the owner of the pool {name!r} takes no order: see what it last said")
        deadline = time.monotonic() + wait_seconds
        while wait_seconds and not report.ready == len(report.actors) == actors:
            if time.monotonic() > deadline:
                raise PoolError(
                    f"--wait: {report.ready} of {actors} actors are ready after {wait_seconds:g} s: {_faults(report)}"
                )
            report = living_report(bulletin, name)
    return report


def stop_pool(name: str, ray_address: str, *, drain_seconds: float | None) -> float:
    """Order a pool to stop, and return when it is gone, with the seconds that it took.

    None is the time to drain that it was started with.

    Raises:
        ConfigurationError, PoolError: it is not there, or does not end in time.
    """
    started = time.monotonic()
    place = pool_place(name, ray_address)
    with pool_notes(place) as bulletin:
        report = living_report(bulletin, name)
        order_stop(bulletin, drain_seconds)
    seconds = _END_SECONDS + (drain_seconds if drain_seconds is not None else report.drain_seconds)
    if not await_end(place, report.owner, seconds):
        owner = f"process {report.owner.pid} on {report.owner.host}"
        raise PoolError(f"the pool {name!r} has not ended in {seconds:g} s: see what its owner, {owner}, last said")
    return time.monotonic() - started


def _serve(service: PoolService, announce: Announce, report: PoolReport, wishes: PoolWishes) -> int:
    try:
        announce(report.address, uses_tokens())
        if not wishes.quiet:
            say(f"pool {wishes.name!r} is ready at {report.address}; `bioner pool stop --name {wishes.name}` ends it")
        service.run()
    except KeyboardInterrupt:
        if interrupted_exit_code() is None:
            raise
    if not wishes.quiet:
        say(f"pool {wishes.name!r} is being stopped: its actors end what they run ...")
    return service.stop()


def _faults(report: PoolReport) -> str:
    faults = [f"{one.name}: {one.last_error.strip().splitlines()[-1]}" for one in report.actors if one.last_error]
    return "; ".join(faults) or "the rest are still starting"
