"""How a store stands: what is planned, what is committed, what was rejected, what failed last time."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.store.history.ledger import damaged_entries, job_runs
from bioner_core.store.history.lock import live_claims
from bioner_core.store.history.model_notes import model_in_words
from bioner_core.store.layout import Store, shard_id
from bioner_core.store.manifest import Counts, Manifest, total
from bioner_core.store.paths import StorePath
from bioner_core.store.reading import reject_reasons, shown_manifests
from pipelines.job_report import latest_report, read_report, report_paths
from pipelines.plan_record import read_plans
from pipelines.summary import ShardOutcome, Status


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """The state of a store. `counts` are the sums of all manifests; `pending` are planned shards without a manifest.

    `fingerprints` and `reject_reasons` say how many shards and rejects there are of each; `failures` are those of the
    run that ended last, and of runs before it those whose shard is still missing: each file of a backfill is a run.
    `failed_jobs` say in words how nightly jobs and backfills ended whose last run was no success. `damaged` are shards,
    reports and ledger entries that cannot be read, with what to do; they do not count.
    `jobs` say in words who holds the store's lock, and `models` what each fingerprint stands for, where that is noted.
    """

    inputs: int
    shards_committed: int
    shards_pending: int
    counts: Counts
    seconds: float
    fingerprints: dict[str, int]
    reject_reasons: dict[str, int]
    failures: tuple[ShardOutcome, ...]
    damaged: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    models: dict[str, str] = field(default_factory=dict)
    failed_jobs: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """A flat object for `--json`: the counts at the top level."""
        flat = asdict(self)
        counts: dict[str, Any] = flat.pop("counts")
        failures = [
            {"shard_id": one.shard_id, "input_file": one.input_file, "message": one.message} for one in self.failures
        ]
        return counts | flat | {"failures": failures}


def store_status(store: Store) -> StoreStatus:
    """Read the state of a store; one that does not exist yet is empty. Reads manifests and reject codes only.

    Raises:
        StoreError: a manifest is of a newer schema version.
    """
    damaged: list[str] = []
    manifests = list(shown_manifests(store, on_left_out=damaged.append))
    plans = list(read_plans(store))
    planned = {shard_id(plan.key, first, last=last) for plan in plans for first, last in plan.ranges}
    committed = {manifest.shard_id for manifest in manifests}
    failures = _standing_failures(store, committed, damaged)
    fingerprints = dict(Counter(manifest.fingerprint for manifest in manifests))
    return StoreStatus(
        inputs=len(plans),
        shards_committed=len(manifests),
        shards_pending=len(planned - committed),
        counts=total(manifest.counts for manifest in manifests),
        seconds=round(sum(manifest.seconds for manifest in manifests), 3),
        fingerprints=fingerprints,
        reject_reasons=dict(_reject_reasons(store, manifests, damaged).most_common()),
        failures=failures,
        damaged=(*damaged, *damaged_entries(store)),
        jobs=tuple(map(str, live_claims(store))),
        models={one: model_in_words(store, one) for one in fingerprints},
        failed_jobs=tuple(_failed_jobs(store)),
    )


def _reject_reasons(store: Store, manifests: Sequence[Manifest], damaged: list[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for manifest in manifests:
        try:
            found += reject_reasons(store, [manifest])
        except StoreError as error:
            damaged.append(str(error))
    return found


def _standing_failures(store: Store, committed: Collection[str], damaged: list[str]) -> tuple[ShardOutcome, ...]:
    last = latest_report(store)
    found: dict[str, ShardOutcome] = {}
    for path in report_paths(store):
        is_last = path == last
        if is_last or _names_a_failure(path):
            for one in _failed(path, damaged):
                if is_last or (one.shard_id and one.shard_id not in committed):
                    found[one.shard_id or one.input_file] = one
    return tuple(found.values())


def _names_a_failure(path: StorePath) -> bool:
    """A look at the text: to parse the reports of all runs, of which few name a failure, would take seconds."""
    try:
        return f'"status": "{Status.FAILED}"' in path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return True  # who reads it tells that it is damaged


def _failed(path: StorePath, damaged: list[str]) -> list[ShardOutcome]:
    try:
        return [one for one in read_report(path).outcomes if one.status is Status.FAILED]
    except DamagedFileError:
        damaged.append(f"{path}: cannot be read. The next run on the store makes it anew")
        return []


def _failed_jobs(store: Store) -> Iterator[str]:
    """How the last run of each job ended, where it was no success; damaged entries are told elsewhere."""
    last = {run.job: run for run in job_runs(store, on_damaged=lambda _: None)}
    for run in last.values():
        if run.exit_code:
            said = f": {run.message}" if run.message else ""
            yield f"{run.job}, begun {run.started}, ended with {run.exit_code}{said}"
