"""The soak's processes: which of them nobody owns any more, how much memory each has, and whether that stays flat."""

import os
import secrets
import time
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median

import psutil

from pipelines.pool.ray_processes import marked_processes

_MARK = "BIONER_SOAK"
_UNOWNED_SECONDS = 60.0
"""How long a process may be without owner: Ray's agents take half a minute to notice that they are."""

_MEGABYTE = 1024 * 1024
_STILL = (psutil.STATUS_ZOMBIE, psutil.STATUS_STOPPED, psutil.STATUS_DEAD)


def mark_this_process() -> str:
    """Mark this process and all that it starts from now on; returns the mark."""
    mark = secrets.token_hex(8)
    os.environ[_MARK] = mark
    return mark


def is_running(pid: int, mark: str) -> bool:
    """Whether the process is there, marked (ids are given out again), not ended and not stopped by a signal."""
    try:
        process = psutil.Process(pid)
        return process.environ().get(_MARK) == mark and process.status() not in _STILL
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def megabytes(pid: int) -> float | None:
    """The resident memory of a process, or None when it is gone, if only its parent has not taken note yet."""
    try:
        return round(float(psutil.Process(pid).memory_info().rss) / _MEGABYTE, 1) or None
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def _living(mark: str) -> Iterator[psutil.Process]:
    """Every living process, except this one, that inherited the mark."""
    for pid in marked_processes(mark, variable=_MARK):
        with suppress(psutil.NoSuchProcess):  # it has ended by itself meanwhile
            yield psutil.Process(pid)


def ray_feeders(mark: str) -> list[int]:
    """The process ids of feeders that are actors of Ray: those of a job with several."""
    return [process.pid for process in _living(mark) if is_ray_feeder(process)]


def is_ray_feeder(process: psutil.Process) -> bool:
    """Whether a process is a feeder that is an actor of Ray; not if it has gone."""
    try:
        return any("ray::Feeder" in word for word in process.cmdline())
    except psutil.NoSuchProcess:
        return False


class OrphanWatch:
    """Finds processes that outlive their owner. One that was just orphaned may still be about to end."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._suspects: dict[tuple[int, float], float] = {}
        self.found: list[str] = []

    def look(self, *, unwanted: Collection[int]) -> None:
        """Note every process that for so long has had no owner, was stopped, or is one of the `unwanted`."""
        now = time.monotonic()
        suspects = {key: one for key, one in self._marked() if one.pid in unwanted or _is_left_over(one)}
        self._suspects = {key: self._suspects.get(key, now) for key in suspects}
        for key, since in self._suspects.items():
            if now - since > _UNOWNED_SECONDS:
                self._note(suspects[key])

    def await_none(self) -> None:
        """Wait until every marked process has ended; note those that do not in time."""
        deadline = time.monotonic() + _UNOWNED_SECONDS
        while left := [one for _, one in self._marked()]:
            if time.monotonic() > deadline:
                for one in left:
                    self._note(one)
                return
            time.sleep(0.5)

    def _marked(self) -> Iterator[tuple[tuple[int, float], psutil.Process]]:
        return (((one.pid, one.create_time()), one) for one in _living(self._mark))

    def _note(self, process: psutil.Process) -> None:
        try:
            line = f"{process.pid} ({process.status()}): {' '.join(process.cmdline())[:120]}"
        except psutil.NoSuchProcess:
            return
        if line not in self.found:
            self.found.append(line)


def _is_left_over(process: psutil.Process) -> bool:
    """Whether it is stopped, or neither this process nor a living one that this process started has started it."""
    try:
        stopped = process.status() == psutil.STATUS_STOPPED
        return stopped or all(parent.pid != os.getpid() for parent in process.parents())
    except psutil.NoSuchProcess:  # it has ended by itself meanwhile
        return False


@dataclass(frozen=True, slots=True)
class Sample:
    """The memory of a process in megabytes after so many jobs of the soak."""

    role: str
    pid: int
    job: int
    megabytes: float


@dataclass(slots=True)
class MemorySamples:
    """All samples, in the order of time."""

    samples: list[Sample] = field(default_factory=list)

    def note(self, role: str, pid: int, *, job: int, megabytes: float | None) -> None:
        """Add a sample, unless the process was gone."""
        if megabytes is not None:
            self.samples.append(Sample(role, pid, job, megabytes))

    def as_json(self) -> dict[str, dict[str, float]]:
        """For each role: medians of the first and the last tenth of all samples, the peak, and the process that lived
        longest: how many samples it has, and the medians of its first and last tenth."""
        by_role: dict[str, list[Sample]] = defaultdict(list)
        for sample in self.samples:
            by_role[sample.role].append(sample)
        return {role: _summary(samples) for role, samples in sorted(by_role.items())}


def _summary(samples: list[Sample]) -> dict[str, float]:
    lives: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        lives[sample.pid].append(sample)
    longest = max(lives.values(), key=len)
    return {
        "samples": len(samples),
        "processes": len(lives),
        "first_tenth_mb": _tenth(samples, last=False),
        "last_tenth_mb": _tenth(samples, last=True),
        "peak_mb": max(one.megabytes for one in samples),
        "longest_life_samples": len(longest),
        "longest_life_first_mb": _tenth(longest, last=False),
        "longest_life_last_mb": _tenth(longest, last=True),
    }


def _tenth(samples: list[Sample], *, last: bool) -> float:
    size = max(1, len(samples) // 10)
    return round(median(one.megabytes for one in (samples[-size:] if last else samples[:size])), 1)
