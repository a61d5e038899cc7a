"""A store while a job works on it: what is done, how fast, and when the rest will be. A look reads only what is new."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bioner_core.errors import StoreError
from bioner_core.store.history.lock import live_claims
from bioner_core.store.layout import Store, shard_id
from bioner_core.store.manifest import Counts, Manifest, read_manifest, total
from bioner_core.store.reading import reject_reasons
from pipelines.plan_record import InputPlan, read_plan
from pipelines.watch.live_note import LiveActor, read_live_note
from pipelines.watch.polling import FolderWatch

RATE_SECONDS = 300.0
"""Speed is that of the last so many seconds, or since the job began if that is later."""


@dataclass(frozen=True, slots=True)
class StoreView:
    """A store at one moment.

    `jobs` say in words who is at work, empty when nobody is. `records_per_second` counts records of the inputs over the
    last minutes, `documents_per_second` those of them that have annotations; `seconds_left` is None while there is no
    telling. `actors` are those of the running jobs, where these say, and `memory_kills` how many processes of theirs
    Ray has ended because their machine ran out of memory. `damaged` are shards that cannot be read, with what to do:
    they do not count.
    """

    time: str
    jobs: tuple[str, ...]
    shards_committed: int
    shards_pending: int
    records_pending: int
    counts: Counts
    reject_reasons: dict[str, int]
    documents_per_second: float
    records_per_second: float
    seconds_left: float | None
    actors: tuple[LiveActor, ...]
    memory_kills: int = 0
    damaged: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """A flat object for `--json`: the counts at the top level."""
        flat = asdict(self)
        counts: dict[str, Any] = flat.pop("counts")
        return counts | flat


@dataclass(frozen=True, slots=True)
class _Shard:
    counts: Counts
    reasons: Counter[str]
    created: datetime


class StoreWatch:
    """Looks at one store again and again; the first look reads all manifests. Not for two threads at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._manifests = FolderWatch(store.manifests)
        self._plans = FolderWatch(store.plans)
        self._shards: dict[str, _Shard] = {}
        self._planned: dict[str, dict[str, int]] = {}
        self._damaged: dict[str, str] = {}

    def look(self, now: datetime | None = None) -> StoreView:
        """The store now.

        Raises:
            StoreError: a plan or a claim cannot be read.
        """
        now = now or datetime.now(UTC)
        claims = live_claims(self._store)
        self._read_shards()
        self._read_plans()
        pending = {
            shard: records
            for shards in self._planned.values()
            for shard, records in shards.items()
            if shard not in self._shards
        }
        began = min((datetime.fromisoformat(claim.since) for claim in claims), default=now)
        documents, records = self._rates(began, now)
        live = read_live_note(self._store)
        return StoreView(
            time=now.isoformat(timespec="seconds"),
            jobs=tuple(map(str, claims)),
            shards_committed=len(self._shards),
            shards_pending=len(pending),
            records_pending=sum(pending.values()),
            counts=total(shard.counts for shard in self._shards.values()),
            reject_reasons=dict(sum((one.reasons for one in self._shards.values()), Counter[str]()).most_common()),
            documents_per_second=round(documents, 2),
            records_per_second=round(records, 2),
            seconds_left=round(sum(pending.values()) / records, 1) if records and claims else None,
            actors=live.actors,
            memory_kills=live.memory_kills,
            damaged=tuple(self._damaged.values()),
        )

    def _read_shards(self) -> None:
        for name in self._manifests.changed():
            self._shards.pop(name, None)
            self._damaged.pop(name, None)
            try:
                manifest = read_manifest(self._store, name)
                if manifest is not None:
                    self._shards[name] = self._shard(manifest)
            except StoreError as error:
                self._damaged[name] = str(error)
        for known in (self._shards, self._damaged):
            for name in known.keys() - self._manifests.present:
                known.pop(name)

    def _shard(self, manifest: Manifest) -> _Shard:
        reasons = reject_reasons(self._store, [manifest])
        return _Shard(manifest.counts, reasons, datetime.fromisoformat(manifest.created))

    def _read_plans(self) -> None:
        for key in self._plans.changed():
            plan = read_plan(self._store, key)
            if plan is not None:
                self._planned[key] = _shards_of(plan)

    def _rates(self, began: datetime, now: datetime) -> tuple[float, float]:
        """Documents and records per second, over the last minutes of the job."""
        seconds = min(RATE_SECONDS, (now - began).total_seconds())
        if seconds <= 0:
            return 0.0, 0.0
        recent = [one.counts for one in self._shards.values() if (now - one.created).total_seconds() <= seconds]
        counts = total(recent)
        return (counts.annotated + counts.unchanged) / seconds, counts.records_in / seconds


def _shards_of(plan: InputPlan) -> dict[str, int]:
    """How many records each shard of a plan has."""
    return {shard_id(plan.key, first, last=last): last - first for first, last in plan.ranges}
