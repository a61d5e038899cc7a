"""What a nightly run or a backfill did, and its exit code."""

import time
from dataclasses import asdict, dataclass, field
from typing import Any

from bioner_core.errors import EXIT_COMMITTED, EXIT_FAILED, EXIT_TOO_MANY_REJECTS
from bioner_core.linking.link_table import LinkPage
from bioner_core.spoken import spoken_count
from bioner_core.store.compaction.compact import CompactionReport
from bioner_core.store.history.ledger import AppliedFile, JobRun, Reload, record_run, utc_now
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts, total
from pipelines.summary import reject_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a run did.

    `pending` counts the files that are still to be applied, `failures` say why, in words; `notes` are things that a
    person should know though the run went well. `snapshot` and `links` are None where none were asked for or could be
    made; that is known only after the run was entered in the ledger.
    """

    run_id: str
    job: str
    started: str
    seconds: float
    applied: tuple[AppliedFile, ...]
    pending: int
    max_reject_rate: float
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reload: Reload | None = None
    snapshot: CompactionReport | None = None
    links: LinkPage | None = None

    @property
    def counts(self) -> Counts:
        """The sums of the files that this run applied."""
        return total(one.counts for one in self.applied)

    @property
    def rows_sent(self) -> int:
        """How many sentence x label set pairs this run sent to the model."""
        return sum(one.rows_sent for one in self.applied)

    @property
    def reject_rate(self) -> float:
        """As `JobSummary.reject_rate`."""
        return reject_rate(self.counts)

    def exit_code(self) -> int:
        """0: all is applied, or there was nothing to do; 1: stopped by a fault; 3: more rejects than allowed."""
        if self.failures:
            return EXIT_FAILED
        return EXIT_TOO_MANY_REJECTS if self.reject_rate > self.max_reject_rate else EXIT_COMMITTED

    def as_run(self) -> JobRun:
        """The run as the ledger keeps it."""
        return JobRun(
            run_id=self.run_id,
            job=self.job,
            started=self.started,
            seconds=self.seconds,
            applied=tuple(one.name for one in self.applied),
            exit_code=self.exit_code(),
            message="; ".join(self.failures),
            counts=self.counts,
        )

    def lines(self) -> list[str]:
        """The report for a person."""
        if not self.applied and not self.failures:
            return ["nothing to do: every file is applied, no model call", *self._snapshot_line(), *self._links_line()]
        counts = self.counts
        found = [
            f"{spoken_count(len(self.applied), 'file')} applied in {self.seconds:.1f} s, {self._left()}",
            f"{spoken_count(counts.records_in, 'record')} = {counts.outcomes}",
            f"{self.rows_sent} model rows; {spoken_count(counts.unchanged, 'document')} without any",
        ]
        if self.reload is not None:
            before, after = self.reload.documents_before, self.reload.documents_after
            found.append(
                f"the release of {self.reload.year} replaces all before: {spoken_count(before, 'article')}, now {after}"
            )
        if self.exit_code() == EXIT_TOO_MANY_REJECTS:
            found.append(f"{self.reject_rate:.1%} rejects, more than the {self.max_reject_rate:.1%} allowed")
        return found + self._snapshot_line() + self._links_line()

    def _left(self) -> str:
        # A run that failed before its place was listed has planned nothing: 0 would be a promise.
        if self.failures and not self.applied and not self.pending:
            return "how many are left is not known"
        return f"{self.pending} are still to be applied"

    def _snapshot_line(self) -> list[str]:
        if self.snapshot is None:
            return []
        shown = self.snapshot.manifest
        state = "is new" if self.snapshot.made else "is of this state already"
        return [
            f"snapshot {shown.snapshot_id} {state}: {spoken_count(shown.documents, 'document')}, "
            f"{spoken_count(shown.mentions, 'mention')}"
        ]

    def _links_line(self) -> list[str]:
        if self.links is None:
            return []
        names = ", ".join(self.links.vocabularies)
        return [f"linked to {names}: {self.links.linked} of {spoken_count(self.links.mentions, 'mention')}"]

    def as_json(self) -> dict[str, Any]:
        """A flat object for `--json`: the counts at the top level, a short object per file."""
        return asdict(self.counts) | {
            "run_id": self.run_id,
            "job": self.job,
            "seconds": self.seconds,
            "files_applied": len(self.applied),
            "files_pending": self.pending,
            "rows_sent": self.rows_sent,
            "reject_rate": self.reject_rate,
            "applied": [_file(one) for one in self.applied],
            "reload": asdict(self.reload) if self.reload else None,
            "snapshot": _snapshot(self.snapshot) if self.snapshot else None,
            "links": asdict(self.links) if self.links else None,
            "notes": list(self.notes),
            "failures": list(self.failures),
            "exit_code": self.exit_code(),
        }


@dataclass(slots=True)
class RunLog:
    """Gathers what a run does while it does it."""

    run_id: str
    job: str
    applied: list[AppliedFile] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    planned: int = 0
    reload: Reload | None = None
    started: str = field(default_factory=utc_now)
    clock: float = field(default_factory=time.monotonic)

    def close(self, store: Store, *, max_reject_rate: float) -> SyncReport:
        """End the run: enter it in the ledger.

        Raises:
            StoreError: the store cannot be written.
        """
        report = SyncReport(
            run_id=self.run_id,
            job=self.job,
            started=self.started,
            seconds=round(time.monotonic() - self.clock, 3),
            applied=tuple(self.applied),
            pending=self.planned - len(self.applied),
            max_reject_rate=max_reject_rate,
            failures=tuple(self.failures),
            notes=tuple(self.notes),
            reload=self.reload,
        )
        record_run(store, report.as_run())
        return report


def _file(entry: AppliedFile) -> dict[str, Any]:
    counts = entry.counts
    return {
        "name": entry.name,
        "records_in": counts.records_in,
        "annotated": counts.annotated,
        "unchanged": counts.unchanged,
        "deleted": counts.deleted,
        "rejected": counts.rejected,
        "rows_sent": entry.rows_sent,
        "seconds": entry.seconds,
    }


def _snapshot(found: CompactionReport) -> dict[str, Any]:
    made = found.manifest
    return {
        "snapshot_id": made.snapshot_id,
        "made": found.made,
        "documents": made.documents,
        "mentions": made.mentions,
        "mentions_accepted": made.mentions_accepted,
        "seconds": made.seconds,
        "removed": list(found.removed),
    }
