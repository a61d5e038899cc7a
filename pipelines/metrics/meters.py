"""The numbers of one process, by the names of `pipelines.metrics.metrics`: for Prometheus, and for Ray if it runs.

Counting takes some microseconds, and is done once per batch or per shard.
"""

import sys
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

import prometheus_client as prometheus

from pipelines.metrics.metrics import METRICS, Increase, Kind, Metric, Origin


class Meters:
    """Counts for one process, or one actor; safe in several threads. `value` is that of the metric's label."""

    def __init__(self, origins: Iterable[Origin]) -> None:
        self.registry = prometheus.CollectorRegistry()
        wanted = set(origins)
        self._meters = {one: _prometheus(one, self.registry) for one in METRICS if one.origin in wanted}
        self._ray: dict[Metric, Any] = {}
        self._levels: Counter[Metric] = Counter()
        self._lock = threading.Lock()

    def add(self, metric: Metric, amount: float, value: str = "") -> None:
        """Let a counter grow."""
        self._of(metric, value).inc(amount)
        if amount and (mirror := self._mirror(metric)) is not None:
            mirror.inc(amount, _tags(metric, value))

    def add_all(self, increases: Iterable[Increase]) -> None:
        """Let several counters grow."""
        for one in increases:
            self.add(one.metric, one.amount, one.value)

    def set(self, metric: Metric, amount: float, value: str = "") -> None:
        """Set a gauge."""
        self._of(metric, value).set(amount)
        if (mirror := self._mirror(metric)) is not None:
            mirror.set(amount, _tags(metric, value))

    def shift(self, metric: Metric, by: int) -> None:
        """Let a gauge without label go up or down, where several threads change it."""
        with self._lock:
            self._levels[metric] += by
            level = self._levels[metric]
        self.set(metric, level)

    def observe(self, metric: Metric, amount: float, value: str = "") -> None:
        """Sort one observation into a histogram."""
        self._of(metric, value).observe(amount)
        if (mirror := self._mirror(metric)) is not None:
            mirror.observe(amount, _tags(metric, value))

    def prometheus_text(self) -> str:
        """All numbers as Prometheus reads them."""
        return str(prometheus.generate_latest(self.registry).decode())

    def _of(self, metric: Metric, value: str) -> Any:
        meter = self._meters[metric]
        return meter.labels(value) if metric.label else meter

    def _mirror(self, metric: Metric) -> Any | None:
        """Ray's metric of the same name, or None in a process that is not connected to Ray."""
        ray = sys.modules.get("ray")  # who has not imported it is not connected, and need not wait for the import
        if ray is None or not ray.is_initialized():
            return None
        with self._lock:
            if metric not in self._ray:
                self._ray[metric] = _ray_metric(metric)
            return self._ray[metric]


def _prometheus(metric: Metric, registry: prometheus.CollectorRegistry) -> Any:
    labels = (metric.label,) if metric.label else ()
    if metric.kind is Kind.HISTOGRAM:
        return prometheus.Histogram(metric.full_name, metric.help, labels, registry=registry, buckets=metric.buckets)
    meter = prometheus.Counter if metric.kind is Kind.COUNTER else prometheus.Gauge
    made = meter(metric.full_name, metric.help, labels, registry=registry)
    for value in metric.values:
        made.labels(value)
    return made


def _ray_metric(metric: Metric) -> Any:
    from ray.util import metrics

    tags = (metric.label,) if metric.label else ()
    if metric.kind is Kind.HISTOGRAM:
        return metrics.Histogram(metric.full_name, metric.help, boundaries=list(metric.buckets), tag_keys=tags)
    if metric.kind is Kind.COUNTER:
        return metrics.Counter(metric.series[0], metric.help, tag_keys=tags)
    return metrics.Gauge(metric.full_name, metric.help, tag_keys=tags)


def _tags(metric: Metric, value: str) -> dict[str, str]:
    return {metric.label: value} if metric.label else {}


PROCESS = Meters((Origin.SHARD, Origin.CLIENT))
"""The numbers of the Beam worker, or of the launcher where the Beam workers are its threads."""
