"""Which runs worked on a store, and which of them committed each shard, as rows of a snapshot."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import pyarrow as pa

from bioner_core.store.manifest import Counts, Manifest
from bioner_core.store.snapshot.snapshot_schemas import row_schema

_BATCH_SHARDS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run that ended by itself; `started` is ISO 8601. `exit_code` and `message` are None where nobody kept them."""

    run_id: str
    job: str
    started: str
    seconds: float
    shards_committed: int
    shards_skipped: int
    shards_failed: int
    exit_code: int | None = None
    message: str | None = None
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True, slots=True)
class RunHistory:
    """All runs, and the id of the run that committed a shard; a shard of a run that was killed has none."""

    runs: Sequence[RunRow] = ()
    run_of_shard: Mapping[str, str] = field(default_factory=dict)


def run_rows(history: RunHistory) -> pa.RecordBatch:
    """The table `runs`."""
    rows = [_flat(asdict(run)) for run in history.runs]
    return pa.RecordBatch.from_pylist(rows, schema=row_schema("runs"))


def shard_rows(manifests: Sequence[Manifest], history: RunHistory) -> Iterator[pa.RecordBatch]:
    """The table `shards`: what the manifests say, and the run that committed each."""
    schema = row_schema("shards")
    for first in range(0, len(manifests), _BATCH_SHARDS):
        rows = [_shard_row(one, history) for one in manifests[first : first + _BATCH_SHARDS]]
        yield pa.RecordBatch.from_pylist(rows, schema=schema)


def _shard_row(manifest: Manifest, history: RunHistory) -> dict[str, object]:
    row = _flat(asdict(manifest))
    shard = row.pop("shard_id")
    prints = {name: row[name] or None for name in ("decode_fingerprint", "finish_fingerprint")}
    run_id = history.run_of_shard.get(str(shard))
    return row | {"shard": shard, "committed": row["created"], "run_id": run_id} | prints


def _flat(row: dict[str, object]) -> dict[str, object]:
    counts = row.pop("counts")
    return row | (counts if isinstance(counts, dict) else {})
