"""The Prometheus page of a launcher: what its process has counted, how its job stands, and what its actors say."""

import time
from collections.abc import Iterator
from datetime import datetime

import prometheus_client as prometheus
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from pipelines.metrics.meters import PROCESS, Meters
from pipelines.metrics.metrics import (
    ACTOR_BUSY_SECONDS,
    ACTORS,
    JOB_END_TIMESTAMP,
    JOB_EXIT_CODE,
    JOB_PHASE,
    JOB_RUNNING,
    SNAPSHOT_TIMESTAMP,
    JobPhase,
    Origin,
)
from pipelines.watch.live_note import WatchedPool, live_actors

_STATES = ("busy", "idle", "silent", "starting", "given up")
"""Those that are shown where no actor is in them, too."""


class JobPage(Collector):
    """The page of one job; read it at any time, from any thread."""

    def __init__(self) -> None:
        self._job = Meters((Origin.LAUNCHER,))
        self._pool: WatchedPool | None = None
        self._actors: tuple[Family, ...] = ()
        self._name = ""
        self.registry = prometheus.CollectorRegistry()
        self.registry.register(self)

    def begin(self, job: str) -> None:
        """The job of this name runs from now on."""
        self._name = job
        self._job.set(JOB_RUNNING, 1, job)
        self._set_phase(None)

    def enter(self, phase: JobPhase) -> None:
        """The job that was begun is in this phase from now on. A job that is no annotation, as a pool, is in none."""
        if self._name:
            self._set_phase(phase)

    def snapshot_made(self, created: datetime) -> None:
        """The newest snapshot of the store is of this time."""
        self._job.set(SNAPSHOT_TIMESTAMP, created.timestamp(), self._name)

    def end(self, exit_code: int) -> None:
        """The job that was begun has ended; the first word counts."""
        if not self._name:
            return
        name, self._name = self._name, ""
        self._job.set(JOB_RUNNING, 0, name)
        self._set_phase(None)
        self._job.set(JOB_EXIT_CODE, exit_code, name)
        self._job.set(JOB_END_TIMESTAMP, time.time(), name)

    def follow(self, pool: WatchedPool) -> None:
        """Ask this pool for its actors from now on."""
        self._pool = pool

    def let_go(self) -> None:
        """Ask the pool for the last time, as long as it is there; the page keeps what its actors said."""
        pool, self._pool = self._pool, None
        if pool is not None:
            self._actors = tuple(_families(pool))

    def collect(self) -> Iterator[Family]:
        """All families of the page."""
        yield from PROCESS.registry.collect()
        yield from (family for family in self._job.registry.collect() if family.samples)
        pool = self._pool
        yield from self._actors if pool is None else _families(pool)

    def prometheus_text(self) -> str:
        """The page as Prometheus reads it."""
        return str(prometheus.generate_latest(self.registry).decode())

    def _set_phase(self, current: JobPhase | None) -> None:
        for phase in JobPhase:
            self._job.set(JOB_PHASE, float(phase is current), phase)


def _families(pool: WatchedPool) -> Iterator[Family]:
    actors = live_actors(pool)
    states = [one.state for one in actors]
    by_state = GaugeMetricFamily(ACTORS.full_name, ACTORS.help, labels=[ACTORS.label])
    for state in dict.fromkeys((*_STATES, *states)):
        by_state.add_metric([state], states.count(state))
    busy = CounterMetricFamily(ACTOR_BUSY_SECONDS.full_name, ACTOR_BUSY_SECONDS.help, labels=[ACTOR_BUSY_SECONDS.label])
    for one in actors:
        if one.busy_seconds is not None:
            busy.add_metric([one.name], one.busy_seconds)
    return iter((by_state, busy))
