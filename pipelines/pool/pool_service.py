"""A pool that outlives its clients: its owner notes how it stands, and obeys the orders that are left for it."""

import json
import time
from dataclasses import replace

import ray

from bioner_core.errors import ConfigurationError, PoolError
from pipelines.pool.pool import Pool
from pipelines.pool.pool_kv import PoolKV
from pipelines.pool.pool_report import PoolReport, report_text

BEAT_SECONDS = 1.0
"""How often the owner notes a report and looks for orders."""

_STOP = "stop"
_SCALE = "scale"
_DRAIN_BEAT_SECONDS = 0.2
"""While a pool stops somebody waits for it, so its report is noted more often."""


def order_scale(kv: PoolKV, actors: int) -> None:
    """Leave the order to have so many actors.

    Raises:
        ConfigurationError: fewer than one.
    """
    if actors < 1:
        raise ConfigurationError(f"--actors: is {actors}; use 1 or more, or `bioner pool stop`")
    kv.give_order(json.dumps({_SCALE: actors}))


def order_stop(kv: PoolKV, drain_seconds: float | None) -> None:
    """Leave the order to stop; None for the time that the owner was started with."""
    kv.give_order(json.dumps({_STOP: drain_seconds}))


class PoolService:
    """Keeps a running pool for whoever comes, until it is told to stop. `report` is the pool's, as it begins."""

    def __init__(self, pool: Pool, report: PoolReport, *, drain_seconds: float) -> None:
        self._pool = pool
        self._report = report
        self._drain_seconds = drain_seconds
        self._kv = PoolKV(pool.settings.namespace)
        self._node_names: dict[str, str] = {}

    def run(self) -> None:
        """Note reports and obey, until an order says to stop.

        Raises:
            PoolError: all actors were given up, or Ray is lost.
        """
        while True:
            if failure := self._pool.supervisor.failure:
                raise PoolError(f"the pool {self._report.name!r} gave up: {failure}")
            if self._obey():
                return
            self._note(stopping=False)
            time.sleep(BEAT_SECONDS)

    def stop(self) -> int:
        """Let every actor end the batch that it runs; returns how many had to be cut short when the time was up."""
        supervisor = self._pool.supervisor
        supervisor.dismiss(self._drain_seconds)
        deadline = time.monotonic() + self._drain_seconds
        while supervisor.reports() and not supervisor.failure and time.monotonic() < deadline:
            self._note(stopping=True)
            time.sleep(_DRAIN_BEAT_SECONDS)
        return len(supervisor.reports())

    def _node_name(self, node_id: str) -> str:
        if node_id and node_id not in self._node_names:
            self._node_names = {one["NodeID"]: one["NodeManagerHostname"] for one in ray.nodes()}
        return self._node_names.get(node_id, "")

    def _obey(self) -> bool:
        """Obey an order if there is one; whether it was to stop."""
        order = self._kv.take_order()
        values = json.loads(order) if order else {}
        if _SCALE in values:
            self._pool.scale(int(values[_SCALE]))
        if values.get(_STOP) is not None:
            self._drain_seconds = float(values[_STOP])
        return _STOP in values

    def _note(self, *, stopping: bool) -> None:
        supervisor = self._pool.supervisor
        self._report = replace(
            self._report,
            beat=self._report.beat + 1,
            wanted=supervisor.wanted,
            stopping=stopping,
            actors=[replace(one, node=self._node_name(one.node_id)) for one in supervisor.reports()],
        )
        self._kv.note_report(report_text(self._report))
