"""The soak itself: jobs on pools, each in a thread of its own, faults at random times in the main one.

    main thread                                   a thread per pool (`pool_runner.py`)
    -----------                                   -----------------------------
    cluster, pools' threads  -------------------> feeder process, its pool of actors
    wait, do a fault, wait, do a fault ...        job, check against the undisturbed store, job, check ...
    stop  --------------------------------------> the job that runs is the last

Whatever ends one pool, or this thread, stops all of it.
"""

import random
import threading
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools.soak.cluster import LocalCluster, local_cluster
from devtools.soak.corpus import SoakInput, make_corpus
from devtools.soak.faults import FaultInjector, FaultKind, shuffled_kinds, wait_random
from devtools.soak.feeder_process import FeederSettings
from devtools.soak.object_storage import StorageFaults, StoreKind, object_storage
from devtools.soak.pool_runner import Orders, PoolRunner
from devtools.soak.processes import OrphanWatch, mark_this_process
from devtools.soak.record import SoakRecord

_MEASURE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakSettings:
    """`gap_seconds` is the mean time between two faults; `files` how many inputs there are to choose from.

    `pools` run jobs side by side, each with `actors`; with more than one of `feeders` the shards of a job are given to
    so many processes. The store of each job is of one of the kinds of `stores`, by chance.
    """

    faults: int
    seed: int
    output: Path
    kinds: tuple[FaultKind, ...] = tuple(FaultKind)
    gap_seconds: float = 4.0
    pools: int = 1
    actors: int = 2
    feeders: int = 1
    stores: tuple[StoreKind, ...] = (StoreKind.LOCAL,)
    files: int = 4
    seconds_per_batch: float = 0.2
    deadline_seconds: float = 3.0

    @property
    def possible_kinds(self) -> tuple[FaultKind, ...]:
        """The kinds that have a victim with these settings."""
        impossible = set()
        if self.feeders == 1:
            impossible.add(FaultKind.KILL_RAY_FEEDER)
        if StoreKind.S3 not in self.stores:
            impossible.add(FaultKind.SPOIL_REQUESTS)
        return tuple(kind for kind in self.kinds if kind not in impossible)


def run_soak(settings: SoakSettings) -> dict[str, Any]:
    """Run jobs until so many faults were done and the last jobs are over; what came of it, as a flat object.

    `faults.jsonl` and `jobs.jsonl` below `output` have a line for each fault and each job as they happen. Stores that
    differ from their undisturbed run are kept there.
    """
    mark = mark_this_process()
    settings.output.mkdir(parents=True, exist_ok=True)
    inputs = make_corpus(settings.output / "corpus", seed=settings.seed, files=settings.files)
    started = time.monotonic()
    watch = OrphanWatch(mark)
    with ExitStack() as opened:
        storage = opened.enter_context(object_storage()) if StoreKind.S3 in settings.stores else None
        cluster = opened.enter_context(local_cluster(cpus=settings.pools, nodes=1))
        soak = _Soak(settings, inputs, cluster, storage=storage, mark=mark, watch=watch)
        soak.run()
    watch.await_none()
    return soak.record.summary(seconds=time.monotonic() - started, seed=settings.seed)


class _Soak:
    """The scene of the faults, and the pools that they befall."""

    def __init__(
        self,
        settings: SoakSettings,
        inputs: Sequence[SoakInput],
        cluster: LocalCluster,
        *,
        storage: StorageFaults | None,
        mark: str,
        watch: OrphanWatch,
    ) -> None:
        self.folder = settings.output.absolute()
        self.cluster = cluster
        self.mark = mark
        self.storage = storage
        self.record = SoakRecord(self.folder, watch=watch)
        self._settings = settings
        self._orders = Orders()
        self._runners = [self._runner(inputs, number) for number in range(settings.pools)]

    def run(self) -> None:
        """Inject faults in this thread, since only the main one may start Ray's nodes, and run jobs in others."""
        with ThreadPoolExecutor(len(self._runners) + 1, thread_name_prefix="soak") as threads:
            runners = [threads.submit(runner.run) for runner in self._runners]
            measuring = threads.submit(self._measure)
            try:
                self._inject_faults()
            except BaseException:
                self._orders.abandon.set()
                for runner in self._runners:
                    runner.kill_feeder()
                raise
            finally:
                self._orders.stop.set()
            for one in (*runners, measuring):
                one.result()

    def kill_feeder(self, randomness: random.Random) -> int | None:
        return randomness.choice(self._runners).kill_feeder()

    def feeder_numbers(self) -> Collection[int]:
        return {number for number, _ in self._feeders()}

    def poison_next_job(self) -> threading.Event:
        return self._orders.poison_next_job()

    def _feeders(self) -> list[tuple[int, int]]:
        return [feeder for runner in self._runners if (feeder := runner.feeder) is not None]

    def _runner(self, inputs: Sequence[SoakInput], number: int) -> PoolRunner:
        settings = self._settings
        feeder = FeederSettings(
            self.cluster.address,
            self.folder,
            settings.actors,
            settings.seconds_per_batch,
            settings.deadline_seconds,
            settings.feeders,
        )
        return PoolRunner(
            feeder,
            inputs,
            stores=settings.stores,
            orders=self._orders,
            record=self.record,
            randomness=random.Random(settings.seed + 100 * number),  # noqa: S311  no secret hangs on it
        )

    def _inject_faults(self) -> None:
        settings = self._settings
        randomness = random.Random(settings.seed + 1)  # noqa: S311
        injector = FaultInjector(self, randomness, self._orders.stop)
        for kind in shuffled_kinds(settings.possible_kinds, settings.faults, randomness=randomness):
            wait_random(randomness, settings.gap_seconds, stop=self._orders.stop)
            how = injector.do(kind)
            if how is None:
                break
            self.record.note_fault(kind, how)

    def _measure(self) -> None:
        while not self._orders.stop.wait(_MEASURE_SECONDS):
            self.record.measure(self._feeders())
