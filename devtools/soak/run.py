"""The soak itself: jobs one after another in one thread, faults at random times in another, a check after each job."""

import json
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bioner_core.errors import PoolError
from bioner_core.store.layout import Store
from devtools.soak.annotator import signed_in
from devtools.soak.check import store_faults
from devtools.soak.cluster import LocalCluster, local_cluster
from devtools.soak.corpus import SoakInput, make_corpus
from devtools.soak.faults import Fault, FaultKind, Harm, seconds_since, shuffled_kinds, wait_random
from devtools.soak.feeder_process import FeederGoneError, FeederProcess, FeederSettings
from devtools.soak.processes import MemoryDiary, OrphanWatch, mark_this_process, megabytes

_START_SECONDS = 600.0
_JOB_SECONDS = 600.0
_FAILED_STARTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakSettings:
    """`gap_seconds` is the mean time between two faults; `files` how many inputs there are to choose from."""

    faults: int
    seed: int
    output: Path
    kinds: tuple[FaultKind, ...] = tuple(FaultKind)
    gap_seconds: float = 4.0
    actors: int = 2
    files: int = 4
    seconds_per_batch: float = 0.2
    deadline_seconds: float = 3.0


@dataclass(slots=True)
class _Tally:
    jobs: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)
    feeders: int = 0
    records: int = 0
    mentions: int = 0
    faults: Counter[str] = field(default_factory=Counter)


def run_soak(settings: SoakSettings) -> dict[str, Any]:
    """Run jobs until so many faults were done and the last job is over; what came of it, as a flat object.

    `faults.jsonl` and `jobs.jsonl` below `output` have a line for each fault and each job as they happen. Stores that
    differ from their undisturbed run are kept there.
    """
    mark = mark_this_process()
    settings.output.mkdir(parents=True, exist_ok=True)
    inputs = make_corpus(settings.output / "corpus", seed=settings.seed, files=settings.files)
    started = time.monotonic()
    watch = OrphanWatch(mark)
    with local_cluster(cpus=1, nodes=1) as cluster:
        soak = _Soak(settings, inputs, cluster, mark=mark, watch=watch)
        soak.run()
    watch.await_none()
    return soak.summary(seconds=time.monotonic() - started)


class _Soak:
    def __init__(
        self,
        settings: SoakSettings,
        inputs: Sequence[SoakInput],
        cluster: LocalCluster,
        *,
        mark: str,
        watch: OrphanWatch,
    ) -> None:
        self.folder = settings.output.absolute()
        self.cluster = cluster
        self.mark = mark
        self._settings = settings
        self._inputs = inputs
        self._watch = watch
        self._randomness = random.Random(settings.seed)  # noqa: S311  no secret hangs on it
        self._memory = MemoryDiary()
        self._tally = _Tally()
        self._started = time.monotonic()
        self._stop = threading.Event()
        self._abandoned = threading.Event()
        self._poison: threading.Event | None = None
        self._feeder: FeederProcess | None = None

    def run(self) -> None:
        """Do harm in this thread, since only the main one may start Ray's nodes, and run jobs in another."""
        with ThreadPoolExecutor(1, thread_name_prefix="jobs") as thread:
            jobs = thread.submit(self._run_jobs)
            try:
                self._do_harm()
            except BaseException:
                self._abandoned.set()
                self.kill_feeder()
                raise
            finally:
                self._stop.set()
            jobs.result()

    def kill_feeder(self) -> int | None:
        feeder = self._feeder
        return feeder.pid if feeder is not None and feeder.kill() else None

    def feeder_number(self) -> int:
        return self._feeder.number if self._feeder else -1

    def poison_next_job(self) -> threading.Event:
        self._poison = threading.Event()
        return self._poison

    def summary(self, *, seconds: float) -> dict[str, Any]:
        tally = self._tally
        return {
            "faults": sum(tally.faults.values()),
            "faults_by_kind": dict(sorted(tally.faults.items())),
            "jobs": tally.jobs,
            "jobs_wrong": len(tally.failures),
            "feeders_started": tally.feeders,
            "records": tally.records,
            "mentions": tally.mentions,
            "orphans": self._watch.found,
            "memory": self._memory.as_json(),
            "seconds": round(seconds, 1),
            "seed": self._settings.seed,
            "failures": tally.failures,
        }

    def _do_harm(self) -> None:
        randomness = random.Random(self._settings.seed + 1)  # noqa: S311
        harm = Harm(self, randomness, self._stop)
        for number, kind in enumerate(shuffled_kinds(self._settings.kinds, self._settings.faults, randomness), 1):
            wait_random(randomness, self._settings.gap_seconds, self._stop)
            how = harm.do(kind)
            if how is None:
                break
            self._tally.faults[kind.value] += 1
            self._write("faults", Fault(number, seconds_since(self._started), kind, how, self._tally.jobs).as_json())

    def _run_jobs(self) -> None:
        try:
            feeder = self._start_feeder()
            while not self._stop.is_set() or self._poison is not None:
                feeder = self._run_job(feeder)
        finally:
            self._stop.set()
            self._end_feeder()

    def _run_job(self, feeder: FeederProcess) -> FeederProcess:
        """Run one job to its end, with further feeders if the first one is killed; returns the last one."""
        number = self._tally.jobs
        chosen, store = self._next_input(), Store(self.folder / "stores" / f"{number:06d}")
        feeders, answer, faults = 1, None, []
        while answer is None:
            try:
                feeder.tell(chosen.path, store)
                answer = feeder.answer(_JOB_SECONDS)
            except FeederGoneError as error:
                faults += [] if error.killed else [str(error)]
                feeders += 1
                feeder = self._start_feeder()
        faults += [f"failed: {message}" for message in answer["failures"]]
        if not answer["finished"] or answer["exit_code"]:
            faults.append(f"the job says it ended with {answer['exit_code']}, finished: {answer['finished']}")
        faults += store_faults(chosen.calm_store, store)
        self._note_job(number, chosen, answer, feeders=feeders, faults=faults)
        self._measure(feeder, number)
        if not faults:
            shutil.rmtree(store.folder)
        return feeder

    def _next_input(self) -> SoakInput:
        poison, self._poison = self._poison, None
        if poison is not None:
            poison.set()
        return self._randomness.choice([one for one in self._inputs if one.poisoned == (poison is not None)])

    def _start_feeder(self) -> FeederProcess:
        """Start a feeder, and another one if it is killed before its pool is up.

        Raises:
            PoolError: feeders that nobody kills do not start, or the soak was ended.
        """
        failed = 0
        while not self._abandoned.is_set() and failed < _FAILED_STARTS:
            self._end_feeder()
            settings = FeederSettings(
                self.cluster.address,
                self.folder,
                self._settings.actors,
                self._settings.seconds_per_batch,
                self._settings.deadline_seconds,
            )
            self._tally.feeders += 1
            self._feeder = FeederProcess(settings, self._tally.feeders)
            try:
                self._feeder.answer(_START_SECONDS)
            except FeederGoneError as error:
                if not error.killed:
                    failed += 1
                    self._tally.failures.append({"job": self._tally.jobs, "faults": [str(error)]})
                continue
            return self._feeder
        raise PoolError(f"no feeder is up; the logs of {self._tally.feeders} of them are in {self.folder}")

    def _end_feeder(self) -> None:
        if self._feeder is not None:
            self._feeder.end()

    def _note_job(
        self, number: int, chosen: SoakInput, answer: dict[str, Any], *, feeders: int, faults: list[str]
    ) -> None:
        self._tally.jobs += 1
        self._tally.records += answer["records"]
        self._tally.mentions += answer["mentions"]
        line = {
            "job": number,
            "input": chosen.path.name,
            "ended": seconds_since(self._started),
            "seconds": answer["seconds"],
            "feeders": feeders,
            "faults": faults,
        }
        if faults:
            self._tally.failures.append(line)
        self._write("jobs", line)

    def _measure(self, feeder: FeederProcess, job: int) -> None:
        actors = signed_in(self.folder)
        self._watch.look(unwanted={pid for owner, pid in actors if owner != feeder.number})
        self._memory.note("feeder", feeder.pid, job=job, megabytes=megabytes(feeder.pid))
        for owner, pid in actors:
            if owner == feeder.number:
                self._memory.note("actor", pid, job=job, megabytes=megabytes(pid))
        for process in psutil.Process().children():
            if "gcs_server" in process.name():
                self._memory.note("ray_tables", process.pid, job=job, megabytes=megabytes(process.pid))

    def _write(self, name: str, line: dict[str, Any]) -> None:
        with (self.folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
