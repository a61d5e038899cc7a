"""Reports of runs that a disk has damaged, made anew from what the manifests say.

What a report alone knew is lost: which shards failed, and with which words. Which shards its run committed is not: they
came into the store after it began, before the next run did, and no other report names them.
"""

from datetime import UTC, datetime

from bioner_core.errors import DamagedFileError
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.paths import StorePath
from bioner_core.store.reading import shown_manifests
from pipelines.job_report import read_report, report_paths, run_start, write_renewed_report
from pipelines.outcome import ShardOutcome, Status, finished_outcome


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
    return f"jobs/{path.name} was damaged, and is made anew: {len(outcomes)} shards, as their manifests say"


def _outcome(manifest: Manifest) -> ShardOutcome:
    return finished_outcome(Status.COMMITTED, manifest)


def _is_between(manifest: Manifest, began: datetime, next_began: datetime | None) -> bool:
    """Whether a shard was committed then; manifests tell whole seconds, so the first one counts as a whole."""
    created = datetime.fromisoformat(manifest.created).astimezone(UTC)
    return began.replace(microsecond=0) <= created and (next_began is None or created < next_began)
