"""The frame of a nightly run or a backfill: options to wishes, store, lock, model."""

from collections.abc import Callable
from dataclasses import replace

from bioner_core.errors import StoreError
from bioner_core.store.compaction.compact import CompactionSettings
from bioner_core.store.history.ledger import new_run_id
from bioner_core.store.history.lock import Part
from bioner_core.store.reading import read_manifests
from jobs.annotation_run import AnnotationSession, AnnotationWishes, make_store, open_lock
from jobs.annotator_choice import chosen_annotator
from jobs.compact import compact_held
from jobs.metrics_outlet import metrics_shown
from jobs.progress_bar import ProgressBar
from jobs.sync_options import SyncOptions
from pipelines.nightly.apply import Workplace
from pipelines.nightly.report import SyncReport

DOWNLOADS = "downloads"


def wishes_of(options: SyncOptions) -> AnnotationWishes:
    """The wishes that options make; what the store has annotated before is carried over.

    Raises:
        ConfigurationError: a label set, the annotator or the precision is unknown.
    """
    return AnnotationWishes(
        store=options.store,
        annotator=chosen_annotator(options.run.annotator),
        run=options.run,
        shard_records=options.shard_records,
        carry_over=True,
    )


def run_fingerprint_of(options: SyncOptions) -> str:
    """The fingerprint of the shards that these options would make; starts nothing.

    Raises:
        ConfigurationError: an option is unusable.
        ModelError: there is no such model.
    """
    return AnnotationSession(wishes_of(options)).run_fingerprint


def run_sync(
    options: SyncOptions,
    work: Callable[[Workplace, AnnotationSession], SyncReport],
    *,
    purpose: str,
    part: Part | None = None,
    snapshot: CompactionSettings | None = None,
) -> SyncReport:
    """Do `work` with the store locked; the model is started when the first file needs it, and ended after the last.

    With `snapshot` one is made under the same lock, of what the store holds then, also when a file has failed.

    Raises:
        BionerError: an option is unusable, or the store cannot be had.
    """
    wishes, run_id = wishes_of(options), new_run_id()
    session = AnnotationSession(wishes)
    make_store(options.store)
    with (
        metrics_shown(options.metrics, wishes.page, job=purpose.removeprefix("bioner ")),
        open_lock(wishes, purpose=purpose, run_id=run_id, part=part) as lock,
    ):
        place = Workplace(
            store=options.store,
            downloads=options.downloads or options.store / DOWNLOADS,
            lock=lock,
            run_id=run_id,
            keep_downloads=not options.discard_downloads,
        )
        with session:
            done = work(place, session)
        if snapshot is not None:
            done = _with_snapshot(done, place, snapshot, quiet=options.run.quiet)
        wishes.page.end(done.exit_code())
        return done


def _with_snapshot(done: SyncReport, place: Workplace, settings: CompactionSettings, *, quiet: bool) -> SyncReport:
    """The report, and the snapshot that was made or already is of this state; a store without shards gets none."""
    try:
        if next(read_manifests(place.store), None) is None:
            return done
        with ProgressBar("shard tables", quiet=quiet) as progress:
            made = compact_held(place.store, settings, lock=place.lock, progress=progress)
    except StoreError as error:
        return replace(done, failures=(*done.failures, f"the files are applied, but there is no new snapshot: {error}"))
    return replace(done, snapshot=made)
