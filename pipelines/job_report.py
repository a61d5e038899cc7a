"""The report of one run, kept in the store: how each shard ended.

It is how the workers of any Beam runner tell the launcher.

A report that a disk has damaged is made anew from what the manifests say. What it alone knew is lost: which shards
failed, and with which words. Which shards its run committed is not: they came into the store after it began, before the
next run did, and no other report names them.
"""

import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.spoken import spoken_count
from bioner_core.store.atomic import write_text
from bioner_core.store.history.process_identity import this_process
from bioner_core.store.layout import Store, shard_id
from bioner_core.store.manifest import Manifest
from bioner_core.store.paths import StorePath, sorted_paths
from bioner_core.store.reading import shown_manifests
from bioner_core.typed_json import loaded_json, typed, with_checksum, without_checksum
from pipelines.plan_record import damaged_plans, read_plans
from pipelines.summary import ShardOutcome, Status, finished_outcome


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
    rows = sorted((asdict(outcome) for outcome in outcomes), key=lambda row: (row["shard_id"], row["input_file"]))
    write_text(path, json.dumps(with_checksum({"shards": rows} | more), ensure_ascii=False) + "\n")


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


def read_report(path: StorePath) -> list[ShardOutcome]:
    """The outcomes of a run.

    Raises:
        DamagedFileError: there is no such report, or it is damaged.
        StoreError: it could not be written.
    """
    if path in _unwritten:
        raise _unwritten.pop(path)
    try:
        found = without_checksum(loaded_json(path.read_text(encoding="utf-8")))
        return [typed(ShardOutcome, row) for row in found["shards"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(
            f"{path}: the report of the run cannot be read ({error!r}); do all Beam workers share the store's folder?"
        ) from error


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
    damaged, named = list[StorePath](), set[str]()
    for path in paths:
        try:
            named |= {one.shard_id for one in read_report(path) if one.status is not Status.FAILED}
        except DamagedFileError:
            damaged.append(path)
    if not damaged:
        return []
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
    plans = read_plans(store)
    planned = {shard_id(plan.key, first, last=last): plan.input_file for plan in plans for first, last in plan.ranges}
    committed: set[str] = set()
    for path in report_paths(store):
        try:
            outcomes = read_report(path)
        except DamagedFileError:
            yield (
                f"jobs/{path.name} is damaged. The next run on the store makes it anew from the manifests; or remove "
                "it: it only tells how a run ended"
            )
        else:
            committed |= {one.shard_id for one in outcomes if one.status is not Status.FAILED}
    for shard in sorted(committed & planned.keys()):
        if not store.manifest(shard).exists():
            yield (
                f"shard {shard}: a run has committed it, and its manifest is gone. Restore manifests/{shard}.json, or "
                f"annotate {planned[shard]} again"
            )
