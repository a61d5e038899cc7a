"""What came of a soak: its faults and jobs line by line as they happen, and the sums. Several threads write here."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psutil

from devtools.soak.annotator import signed_in
from devtools.soak.faults import Fault, FaultKind, seconds_since
from devtools.soak.processes import MemorySamples, OrphanWatch, megabytes


class SoakRecord:
    """Counts, `faults.jsonl` and `jobs.jsonl` below `folder`, the memory of the processes, and what is left over."""

    def __init__(self, folder: Path, *, watch: OrphanWatch) -> None:
        self.folder = folder
        self.failures: list[dict[str, Any]] = []
        self._watch = watch
        self._memory = MemorySamples()
        self._faults: Counter[str] = Counter()
        self._jobs_by_store: Counter[str] = Counter()
        self._begun = self._feeders = self._records = self._mentions = 0
        self._started = time.monotonic()
        # Invariant: everything above is changed under this lock alone, since each pool has a thread of its own.
        self._lock = threading.RLock()

    @property
    def jobs(self) -> int:
        """How many jobs have ended."""
        return sum(self._jobs_by_store.values())

    @property
    def feeders(self) -> int:
        """How many feeders were started."""
        return self._feeders

    def next_job(self) -> int:
        """The number of a job that begins, from 0."""
        with self._lock:
            self._begun += 1
            return self._begun - 1

    def next_feeder(self) -> int:
        """The number of a feeder that is started, from 1; none is given twice."""
        with self._lock:
            self._feeders += 1
            return self._feeders

    def note_fault(self, kind: FaultKind, how: str) -> None:
        """Note a fault that was done."""
        with self._lock:
            self._faults[kind.value] += 1
            number = sum(self._faults.values())
            self._write("faults", Fault(number, seconds_since(self._started), kind, how, self.jobs).as_json())

    def note_job(self, line: dict[str, Any], *, answer: dict[str, Any], faults: Sequence[str]) -> None:
        """Note a job that has ended; `answer` is what its feeder said, `faults` what is wrong with its store."""
        with self._lock:
            self._jobs_by_store[line["store"]] += 1
            self._records += answer["records"]
            self._mentions += answer["mentions"]
            line |= {"ended": seconds_since(self._started), "seconds": answer["seconds"], "faults": list(faults)}
            if faults:
                self.failures.append(line)
            self._write("jobs", line)

    def note_lost_feeder(self, message: str) -> None:
        """Note a feeder that ended though nobody killed it."""
        with self._lock:
            self.failures.append({"job": self._begun, "faults": [message]})

    def measure(self, feeders: Iterable[tuple[int, int]]) -> None:
        """Look for processes that are left over, and at the memory of the others.

        `feeders` are the numbers and process ids of those that work now.
        """
        with self._lock:
            pids = dict(feeders)
            actors = signed_in(self.folder)
            self._watch.look(unwanted={pid for owner, pid in actors if owner not in pids})
            self._note_memory("feeder", pids.values())
            self._note_memory("actor", (pid for owner, pid in actors if owner in pids))
            tables = (one.pid for one in psutil.Process().children() if "gcs_server" in one.name())
            self._note_memory("ray_tables", tables)

    def summary(self, *, seconds: float, seed: int) -> dict[str, Any]:
        """All of it as a flat object."""
        return {
            "faults": sum(self._faults.values()),
            "faults_by_kind": dict(sorted(self._faults.items())),
            "jobs": self.jobs,
            "jobs_by_store": dict(sorted(self._jobs_by_store.items())),
            "jobs_wrong": len(self.failures),
            "feeders_started": self._feeders,
            "records": self._records,
            "mentions": self._mentions,
            "orphans": self._watch.found,
            "memory": self._memory.as_json(),
            "seconds": round(seconds, 1),
            "seed": seed,
            "failures": self.failures,
        }

    def _note_memory(self, role: str, pids: Iterable[int]) -> None:
        for pid in pids:
            self._memory.note(role, pid, job=self.jobs, megabytes=megabytes(pid))

    def _write(self, name: str, line: dict[str, Any]) -> None:
        with (self.folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
