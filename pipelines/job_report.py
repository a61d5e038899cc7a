"""The report of one run, kept in the store: how each shard ended.

It is how the workers of any Beam runner tell the launcher. Shards that were skipped are counted, input by input: a
backfill that is run again and again would else write each time what it had committed before.

A report that a disk has damaged is made anew from what the manifests say. What it alone knew is lost: which shards
failed, and with which words. Which shards its run committed is not: they came into the store after it began, before the
next run did, and no other report names them.
"""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.process_identity import this_process
from bioner_core.spoken import spoken_count
from bioner_core.store.atomic import write_text
from bioner_core.store.layout import Store, shard_id
from bioner_core.store.manifest import Manifest
from bioner_core.store.paths import StorePath, sorted_paths
from bioner_core.store.reading import shown_manifests
from bioner_core.store.stored_record import record_of
from bioner_core.typed_json import has_checksum, loaded_json, with_checksum, without_checksum
from pipelines.plan_record import InputPlan, damaged_plans, read_plans
from pipelines.summary import ShardOutcome, SkippedShards, Status, finished_outcome, skipped_shards


def new_report_path(store: Store) -> StorePath:
    """Where the report of a run that begins now is to be: named after the time, and no two alike."""
    return store.report(f"{datetime.now(UTC):%Y%m%dT%H%M%S_%fZ}-{secrets.token_hex(4)}")


def report_paths(store: Store) -> list[StorePath]:
    """The reports of all runs that ended, in the order of their starting."""
    return sorted_paths(store.jobs.glob("[!.]*.json"))


def latest_report(store: Store) -> StorePath | None:
    """The report of the run that ended last in the order of starting, or None when no run has ended yet."""
    return next(reversed(report_paths(store)), None)


def run_start(job_id: str) -> datetime | None:
    """When a run began, by its id; None if the id tells no time."""
    try:
        found = datetime.strptime(job_id.partition("-")[0], "%Y%m%dT%H%M%S_%fZ")
    except ValueError:
        return None
    return found.replace(tzinfo=UTC)


def write_report(outcomes: Iterable[ShardOutcome], path: StorePath, *, finish: FinishSettings) -> None:
    """Write the outcomes sorted by shard, and how the run made mentions of candidates.

    Raises:
        StoreError: the store cannot be written.
    """
    _write(path, outcomes, {"finish": _finish_row(finish)})


def write_renewed_report(outcomes: Iterable[ShardOutcome], path: StorePath) -> None:
    """Write what is known of a run whose own report is damaged; how it made mentions of candidates is not.

    Raises:
        StoreError: the store cannot be written.
    """
    _write(path, outcomes, {"renewed": True})


def _write(path: StorePath, outcomes: Iterable[ShardOutcome], more: dict[str, Any]) -> None:
    found = list(outcomes)
    named = (asdict(one) for one in found if one.status is not Status.SKIPPED)
    rows = sorted(named, key=lambda row: (row["shard_id"], row["input_file"]))
    skipped = [asdict(one) for one in skipped_shards(found)]
    write_text(path, json.dumps(with_checksum({"shards": rows, "skipped": skipped} | more), ensure_ascii=False) + "\n")


_unwritten: dict[StorePath, StoreError] = {}
"""Why reports of this process could not be written.

An error that leaves a Beam worker is printed by Beam with its whole traceback and comes back as text; so it waits here
for the launcher, where both are one process.
"""


def write_report_in_worker(
    outcomes: Iterable[ShardOutcome], path: StorePath, *, finish: FinishSettings, launcher: str
) -> None:
    """As `write_report`; in the process of the launcher (`this_process`) an error is raised by `read_report` only.

    Raises:
        StoreError: in any other process.
    """
    try:
        write_report(outcomes, path, finish=finish)
    except StoreError as error:
        if str(this_process()) != launcher:
            raise
        _unwritten[path] = error


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended: an outcome of each shard but those that were skipped, and how many these were."""

    outcomes: tuple[ShardOutcome, ...]
    skipped: tuple[SkippedShards, ...] = ()


def read_report(path: StorePath) -> RunReport:
    """How a run ended.

    Raises:
        DamagedFileError: there is no such report, or it is damaged.
        StoreError: it could not be written, or a newer bioner wrote it.
    """
    if path in _unwritten:
        raise _unwritten.pop(path)
    try:
        return _of_json(loaded_json(path.read_text(encoding="utf-8")), where=str(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(
            f"{path}: the report of the run cannot be read ({error!r}); do all Beam workers share the store's folder?"
        ) from error


def _of_json(flat: Any, *, where: str) -> RunReport:
    found, is_whole = without_checksum(flat), has_checksum(flat)
    rows = [record_of(ShardOutcome, row, is_whole=is_whole, where=where) for row in found["shards"]]
    skipped = [record_of(SkippedShards, row, is_whole=is_whole, where=where) for row in found.get("skipped", [])]
    # Reports from before shards were counted name those that were skipped.
    named = tuple(one for one in rows if one.status is not Status.SKIPPED)
    return RunReport(named, (*skipped, *skipped_shards(rows)))


def _is_damaged(path: StorePath) -> bool:
    """Looks at the checksum alone: to make records of all rows of all runs would take seconds of each run."""
    try:
        flat = loaded_json(path.read_text(encoding="utf-8"))
        if has_checksum(flat):
            without_checksum(flat)
        else:
            _of_json(flat, where=str(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return True
    return False


def _finish_row(finish: FinishSettings) -> dict[str, Any]:
    return {"thresholds": dict(finish.thresholds), "document_pass": finish.document_pass} | {
        "fingerprint": finish.fingerprint
    }


def renew_reports(store: Store) -> list[str]:
    """Make damaged reports anew; returns what was done, in words. Hold the store's lock for it.

    Raises:
        StoreError: the store cannot be written, or a manifest is of a newer schema version.
    """
    paths = report_paths(store)
    damaged = [path for path in paths if _is_damaged(path)]
    if not damaged:
        return []
    whole = [read_report(path) for path in paths if path not in damaged]
    named = {one.shard_id for report in whole for one in report.outcomes if one.status is not Status.FAILED}
    free = [one for one in shown_manifests(store) if one.shard_id not in named]
    return [_renewed(path, paths, free) for path in damaged]


def _renewed(path: StorePath, paths: list[StorePath], free: list[Manifest]) -> str:
    began = run_start(path.stem)
    after = (run_start(one.stem) for one in paths if one.stem > path.stem)
    next_began = next((one for one in after if one is not None), None)
    outcomes = [_outcome(one) for one in free if began is not None and _is_between(one, began, next_began)]
    write_renewed_report(outcomes, path)
    return f"jobs/{path.name} was damaged, and is made anew from manifests: {spoken_count(len(outcomes), 'shard')}"


def _outcome(manifest: Manifest) -> ShardOutcome:
    return finished_outcome(Status.COMMITTED, manifest)


def _is_between(manifest: Manifest, began: datetime, next_began: datetime | None) -> bool:
    """Whether a shard was committed then; manifests tell whole seconds, so the first one counts as a whole."""
    created = datetime.fromisoformat(manifest.created).astimezone(UTC)
    return began.replace(microsecond=0) <= created and (next_began is None or created < next_began)


def lost_shard_faults(store: Store) -> Iterator[str]:
    """What plans and reports promise and manifests do not keep, in words; damaged plans and reports too.

    A shard that is planned and was never committed is work to do, and no fault.
    """
    yield from damaged_plans(store)
    plans = {plan.key: plan for plan in read_plans(store)}
    planned = {shard: plan.input_file for plan in plans.values() for shard in _shards_of(plan)}
    committed: set[str] = set()
    for path in report_paths(store):
        try:
            report = read_report(path)
        except DamagedFileError:
            yield (
                f"jobs/{path.name} is damaged. The next run on the store makes it anew from the manifests; or remove "
                "it: it only tells how a run ended"
            )
        else:
            committed |= _committed_by(report, plans)
    for shard in sorted(committed & planned.keys()):
        if not store.manifest(shard).exists():
            yield (
                f"shard {shard}: a run has committed it, and its manifest is gone. Restore manifests/{shard}.json, or "
                f"annotate {planned[shard]} again"
            )


def _committed_by(report: RunReport, plans: Mapping[str, InputPlan]) -> set[str]:
    """The shards that a run committed, or found committed. Those that it skipped are known where they must be all that
    its outcomes do not name."""
    named = {one.shard_id for one in report.outcomes}
    found = {one.shard_id for one in report.outcomes if one.status is not Status.FAILED}
    for one in report.skipped:
        rest = _shards_of(plans[one.input_key]) - named if one.input_key in plans else set()
        if len(rest) == one.shards:
            found |= rest
    return found


def _shards_of(plan: InputPlan) -> set[str]:
    return {shard_id(plan.key, first, last=last) for first, last in plan.ranges}
