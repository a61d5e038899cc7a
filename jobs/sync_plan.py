"""What a nightly run or a backfill would do, for `--dry-run`: lists, compares, estimates, and changes nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bioner_core.duration import spoken_duration
from bioner_core.store.history.ledger import AppliedFile, applied_files
from bioner_core.store.history.lock import Part
from bioner_core.store.history.succession import PUBMED
from jobs.sync_options import SyncOptions
from jobs.sync_run import run_fingerprint_of
from pipelines.nightly import exports, pubmed
from pipelines.nightly.backfill import PMC, of_part, pmc_files, pubmed_files
from pipelines.nightly.estimate import ARTICLE_GUESS, EXPORT_GUESS, RELEASE_GUESS, Estimate, Guess, estimate
from pipelines.summary import EXIT_COMMITTED, EXIT_FAILED
from pipelines.sync.listing import ListedFile
from pipelines.sync.retry import Patience


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
            return ["nothing to do: no file is new or changed"]
        source = "measured in this store" if found.measured else "a guess: no such run was measured in this store yet"
        cost = f"{found.files} files, about {found.records} records, about {spoken_duration(found.seconds)}"
        return [*self.files, f"{cost} at {found.records_a_second:g} records/s ({source})"]

    def as_json(self) -> dict[str, Any]:
        """A flat object for `--json`."""
        return {
            "dry_run": True,
            "files_pending": len(self.files),
            "files": list(self.files),
            "estimate": asdict(self.estimated),
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
    plan = pubmed.look(source, entries, Patience())
    return _plan(
        [one.listed for one in plan.before_gap], entries, fingerprint, guess=RELEASE_GUESS, fault=plan.gap_message
    )


def exports_plan(places: Sequence[str], options: SyncOptions) -> SyncPlan:
    """What `run_exports` would do, but for files that turn out to be copies of applied ones.

    Raises:
        InputError, StoreError, ModelError: as `pubmed_plan`.
    """
    fingerprint, entries = run_fingerprint_of(options), applied_files(options.store, exports.CNKI)
    return _plan(exports.look(places, entries, Patience()), entries, fingerprint, guess=EXPORT_GUESS)


def pubmed_backfill_plan(source: pubmed.ReleaseSource, part: Part, options: SyncOptions) -> SyncPlan:
    """What a backfill of PubMed would do on this machine.

    Raises:
        InputError, StoreError, ModelError: as `pubmed_plan`.
    """
    fingerprint, entries = run_fingerprint_of(options), applied_files(options.store, PUBMED)
    files, gap = pubmed_files(source, entries, Patience(), fingerprint=fingerprint)
    return _plan([one.listed for one in of_part(files, part)], entries, fingerprint, guess=RELEASE_GUESS, fault=gap)


def pmc_backfill_plan(places: Sequence[str], part: Part, options: SyncOptions) -> SyncPlan:
    """What a backfill of PMC would do on this machine.

    Raises:
        InputError, StoreError, ModelError: as `pubmed_plan`.
    """
    fingerprint, entries = run_fingerprint_of(options), applied_files(options.store, PMC)
    files = pmc_files(places, entries, Patience(), fingerprint=fingerprint)
    return _plan([one.listed for one in of_part(files, part)], entries, fingerprint, guess=ARTICLE_GUESS)


def _plan(
    files: Sequence[ListedFile], entries: Sequence[AppliedFile], fingerprint: str, *, guess: Guess, fault: str = ""
) -> SyncPlan:
    estimated = estimate(files, entries, fingerprint=fingerprint, guess=guess)
    return SyncPlan(tuple(one.name for one in files), estimated, (fault,) if fault else ())
