"""The frame of a nightly run or a backfill: options to config, store, lock, model."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bioner_core.errors import EXIT_COMMITTED, EXIT_FAILED, StoreError
from bioner_core.linking.linker import Linker
from bioner_core.spoken import spoken_count, spoken_duration
from bioner_core.store.compaction.compact import CompactionSettings
from bioner_core.store.history.input_order import PUBMED
from bioner_core.store.history.ledger import AppliedFile, applied_files, new_run_id
from bioner_core.store.history.lock import Part
from bioner_core.store.layout import Store
from bioner_core.store.reading import shown_manifests
from bioner_core.store.snapshot.snapshot_manifest import current_id, read_snapshot_manifest
from jobs.options.annotation import AnnotateConfig
from jobs.options.metrics import metrics_shown
from jobs.options.sync import SyncOptions
from jobs.runs.links import with_links
from jobs.runs.local_files import local_folder
from jobs.runs.session import AnnotationSession, make_store, open_lock
from jobs.runs.snapshot import compact_held
from jobs.terminal.console import print_result, say, say_error
from jobs.terminal.progress import ProgressBar
from pipelines.metrics.metrics import JobPhase
from pipelines.nightly import exports, pubmed
from pipelines.nightly.apply import SyncContext
from pipelines.nightly.backfill import PMC, of_part, pmc_files, pubmed_files
from pipelines.nightly.estimate import ARTICLE_GUESS, EXPORT_GUESS, RELEASE_GUESS, Estimate, Guess, estimate
from pipelines.nightly.report import SyncReport
from pipelines.sync.listing import ListedFile, list_place
from pipelines.watch.metrics_page import JobPage


def config_of(options: SyncOptions) -> AnnotateConfig:
    """The config that options make; what the store has annotated before is carried over."""
    return replace(options.run, shard_records=options.shard_records, carry_over=True)


def run_fingerprint_of(options: SyncOptions) -> str:
    """The fingerprint of the shards that these options would make; starts nothing.

    Raises:
        ConfigurationError: an option is unusable.
        ModelError: there is no such model.
    """
    return AnnotationSession(config_of(options)).run_fingerprint


def run_sync(
    options: SyncOptions,
    work: Callable[[SyncContext, AnnotationSession], SyncReport],
    *,
    purpose: str,
    places: Sequence[str] = (),
    part: Part | None = None,
    snapshot: CompactionSettings | None = None,
    linker: Linker | None = None,
) -> SyncReport:
    """Do `work` with the store locked; the model is started when the first file needs it, and ended after the last.

    Before a new store is made, `places` are listed: a mistyped one leaves no folder behind.

    With `snapshot` one is made under the same lock, of what the store holds then, also when a file has failed, and with
    `linker` what is newest then is linked.

    Raises:
        BionerError: an option is unusable, the store cannot be had, or a place of a new one cannot be listed.
    """
    page = JobPage()
    with metrics_shown(options.metrics, page, job=purpose.removeprefix("bioner ")):
        page.enter(JobPhase.WAIT)
        _tell_snapshot(page, options.store)
        config, run_id = config_of(options), new_run_id()
        session = AnnotationSession(config, page=page)
        for place_name in () if options.store.root.exists() else places:
            list_place(place_name, options.policy)
        make_store(options.store)
        with open_lock(config, purpose=purpose, run_id=run_id, part=part) as lock:
            page.enter(JobPhase.ANNOTATE)
            context = SyncContext(
                store=options.store,
                downloads=options.downloads or local_folder(options.store.downloads),
                lock=lock,
                run_id=run_id,
                policy=options.policy,
                keep_downloads=not options.discard_downloads,
            )
            with session:
                done = work(context, session)
            if snapshot is not None:
                page.enter(JobPhase.SNAPSHOT)
                done = _with_snapshot(done, context, snapshot, quiet=options.run.quiet)
                _tell_snapshot(page, options.store)
            if linker is not None:
                page.enter(JobPhase.LINK)
                done = with_links(done, options.store, lock=lock, linker=linker, quiet=options.run.quiet)
        page.end(done.exit_code())
        return done


def _tell_snapshot(page: JobPage, store: Store) -> None:
    """Show how old the store's newest snapshot is, whoever made it."""
    with suppress(StoreError):  # a damaged one is a fault of those who read it or make the next
        current = current_id(store)
        if current is not None:
            page.snapshot_made(datetime.fromisoformat(read_snapshot_manifest(store, current).created))


def _with_snapshot(done: SyncReport, context: SyncContext, settings: CompactionSettings, *, quiet: bool) -> SyncReport:
    """The report, and the snapshot that was made or already is of this state; a store without shards gets none."""
    try:
        if next(shown_manifests(context.store), None) is None:
            return done
        with ProgressBar("shard tables", quiet=quiet) as progress:
            made = compact_held(context.store, settings, lock=context.lock, progress=progress)
    except StoreError as error:
        return replace(done, failures=(*done.failures, f"the files are applied, but there is no new snapshot: {error}"))
    return replace(done, snapshot=made)


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """The files that a run would apply, in order, what it would cost, and at which fault it would stop."""

    files: tuple[str, ...]
    estimated: Estimate
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def exit_code(self) -> int:
        """0, or 1 when the run would stop at a fault."""
        return EXIT_FAILED if self.failures else EXIT_COMMITTED

    def lines(self) -> list[str]:
        """The plan for a person."""
        found = self.estimated
        if not self.files:
            stopped = (
                "nothing can be applied, see the error" if self.failures else "nothing to do: no file is new or changed"
            )
            return [stopped]
        source = "measured in this store" if found.measured else "a guess: no such run was measured in this store yet"
        files, records = spoken_count(found.files, "file"), spoken_count(found.records, "record")
        cost = f"{files}, about {records}, about {spoken_duration(found.seconds)}"
        return [*self.files, f"{cost} at {found.records_per_second:g} records/s ({source})"]

    def as_json(self) -> dict[str, Any]:
        """A flat object for `--json`."""
        return {
            "dry_run": True,
            "files_pending": len(self.files),
            "files": list(self.files),
            "estimate": self.estimated.as_json(),
            "failures": list(self.failures),
        }


def pubmed_plan(source: pubmed.ReleaseSource, options: SyncOptions) -> SyncPlan:
    """What `run_pubmed` would do.

    Raises:
        InputError: a place cannot be listed.
        StoreError: the ledger is damaged.
        ModelError: there is no such model.
    """
    fingerprint, entries = run_fingerprint_of(options), applied_files(options.store, PUBMED)
    plan = pubmed.planned_releases(source, entries, policy=options.policy)
    found = _plan(
        [one.listed for one in plan.before_gap], entries, fingerprint, guess=RELEASE_GUESS, fault=plan.gap_message
    )
    return replace(found, notes=(plan.left_out_note,) if plan.left_out else ())


def exports_plan(places: Sequence[str], options: SyncOptions) -> SyncPlan:
    """What `run_exports` would do, but for files that turn out to be copies of applied ones.

    Raises:
        InputError, StoreError, ModelError: as `pubmed_plan`.
    """
    fingerprint, entries = run_fingerprint_of(options), applied_files(options.store, exports.CNKI)
    files = exports.likely_exports(exports.files_without_entry(places, entries, policy=options.policy), entries)
    return _plan(files, entries, fingerprint, guess=EXPORT_GUESS)


def pubmed_backfill_plan(source: pubmed.ReleaseSource, part: Part, *, options: SyncOptions) -> SyncPlan:
    """What a backfill of PubMed would do on this machine.

    Raises:
        InputError, StoreError, ModelError: as `pubmed_plan`.
    """
    fingerprint, entries = run_fingerprint_of(options), applied_files(options.store, PUBMED)
    files, gap = pubmed_files(source, entries, policy=options.policy, fingerprint=fingerprint)
    return _plan([one.listed for one in of_part(files, part)], entries, fingerprint, guess=RELEASE_GUESS, fault=gap)


def pmc_backfill_plan(places: Sequence[str], part: Part, *, options: SyncOptions) -> SyncPlan:
    """What a backfill of PMC would do on this machine.

    Raises:
        InputError, StoreError, ModelError: as `pubmed_plan`.
    """
    fingerprint, entries = run_fingerprint_of(options), applied_files(options.store, PMC)
    files = pmc_files(places, entries, policy=options.policy, fingerprint=fingerprint)
    return _plan([one.listed for one in of_part(files, part)], entries, fingerprint, guess=ARTICLE_GUESS)


def _plan(
    files: Sequence[ListedFile], entries: Sequence[AppliedFile], fingerprint: str, *, guess: Guess, fault: str = ""
) -> SyncPlan:
    estimated = estimate(files, entries, fingerprint=fingerprint, guess=guess)
    return SyncPlan(tuple(one.name for one in files), estimated, (fault,) if fault else ())


def report(found: "SyncReport | SyncPlan", *, as_json: bool) -> int:
    """Print a result, faults and notes one line each on standard error; returns the exit code."""
    for fault in found.failures:
        say_error(fault)
    for note in found.notes:
        say(f"note: {note}")
    print_result(found.as_json(), as_json=as_json, show=lambda: print("\n".join(found.lines())))
    return found.exit_code()
