"""Progress and metrics of a job whose Beam workers are in other processes: read from the store that they commit to."""

from collections.abc import Iterator
from contextlib import contextmanager

from bioner_core.errors import StoreError
from bioner_core.formats.inputs import public_name
from bioner_core.store.layout import input_key_of
from bioner_core.store.manifest import Manifest, read_manifest
from bioner_core.store.reading import reject_reasons, shown_manifests
from pipelines.job import AnnotationJob
from pipelines.metrics.meters import PROCESS
from pipelines.metrics.metrics import shard_increases
from pipelines.plan_record import InputPlan, read_plan
from pipelines.watch.polling import FolderWatch, repeating
from pipelines.watch.progress import ProgressReporter

_LOOK_EVERY_SECONDS = 1.0


@contextmanager
def following(job: AnnotationJob, progress: ProgressReporter) -> Iterator[None]:
    """Tell `progress` and the metrics of this process of each shard that the job commits during the block."""
    follower = _Follower(job, progress)
    with repeating(follower.look, every_seconds=_LOOK_EVERY_SECONDS, name="bioner-store-follower"):
        yield
    follower.look()


class _Follower:
    def __init__(self, job: AnnotationJob, progress: ProgressReporter) -> None:
        self._job = job
        self._progress = progress
        self._names = {public_name(one) for one in job.inputs}
        self._planned: set[str] = set()
        self._plans = FolderWatch(job.store.plans)
        self._manifests = FolderWatch(job.store.manifests)
        self._before = _done_before(job)
        self._manifests.changed()

    def look(self) -> None:
        try:
            committed = self._manifests.changed()  # before the plans are listed, so that each has its plan there
            for key in self._plans.changed():
                plan = read_plan(self._job.store, key)
                if plan is not None and plan.input_file in self._names and key not in self._planned:
                    self._planned.add(key)
                    self._announce(plan)
            for shard in committed:
                manifest = read_manifest(self._job.store, shard) if input_key_of(shard) in self._planned else None
                if manifest is not None:
                    self._count(manifest)
        except StoreError:
            return  # the worker that finds the store damaged says so

    def _announce(self, plan: InputPlan) -> None:
        self._progress.planned(plan.records)
        if done := self._before.get(plan.key, 0):
            self._progress.done(done, skipped=True)

    def _count(self, manifest: Manifest) -> None:
        PROCESS.add_all(shard_increases(manifest.counts, reject_reasons(self._job.store, [manifest])))
        self._progress.done(manifest.last - manifest.first, skipped=False)


def _done_before(job: AnnotationJob) -> dict[str, int]:
    """How many records of each input an earlier run has committed in the way that this job wants them."""
    done = dict[str, int]()
    for manifest in shown_manifests(job.store):
        if manifest.fingerprint == job.run_fingerprint:
            key = input_key_of(manifest.shard_id)
            done[key] = done.get(key, 0) + manifest.last - manifest.first
    return done
