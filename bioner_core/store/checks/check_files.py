"""Are a shard's files there, whole, of the declared schema, and with as many rows as its counts promise?"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bioner_core.store.manifest import Manifest, StoredFile
from bioner_core.store.reading import shard_batches
from bioner_core.store.schemas import SCHEMAS, file_fact


def file_faults(store: Path, manifest: Manifest) -> Iterator[str]:
    """What is wrong with the files of a shard, in words; nothing when all is well."""
    damaged = [fault for file in manifest.files for fault in _one_file(store, file, manifest)]
    yield from damaged
    if not damaged:
        yield from _row_counts(store, manifest)


def _one_file(store: Path, file: StoredFile, manifest: Manifest) -> Iterator[str]:
    path = store / file.path
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != file.sha256:
            yield f"{file.path} has changed since it was committed (sha256 {digest}, not {file.sha256})"
            return
        yield from _parquet_faults(path, file, manifest)
    except (OSError, pa.ArrowInvalid) as error:
        yield f"{file.path} cannot be read ({error})"


def _parquet_faults(path: Path, file: StoredFile, manifest: Manifest) -> Iterator[str]:
    with pq.ParquetFile(path) as parquet:
        if parquet.metadata.num_rows != file.rows:
            yield f"{file.path} has {parquet.metadata.num_rows} rows, not {file.rows}"
        if not parquet.schema_arrow.equals(SCHEMAS[file.table]):
            yield f"{file.path} does not have the declared schema of {file.table}"
        if file_fact(parquet.schema_arrow, "fingerprint") != manifest.fingerprint:
            yield f"{file.path} was written under another fingerprint than its manifest"


def _row_counts(store: Path, manifest: Manifest) -> Iterator[str]:
    counts, found = manifest.counts, _count_rows(store, manifest)
    promises = {
        "documents": ("annotated + unchanged", counts.annotated + counts.unchanged),
        "mentions": ("mentions", counts.mentions),
        "accepted": ("mentions_accepted", counts.mentions_accepted),
        "deletions": ("deleted", counts.deleted),
        "rejected records": ("rejected", counts.rejected),
        "rejected rows": ("row_rejects", counts.row_rejects),
    }
    for kind, (name, promised) in promises.items():
        if found[kind] != promised:
            yield f"{found[kind]} {kind} are stored, but its manifest says {name} {promised}"


def _count_rows(store: Path, manifest: Manifest) -> Counter[str]:
    found: Counter[str] = Counter()
    for file in manifest.files:
        found[file.table] += file.rows
    for batch in shard_batches(store, manifest, "mentions", columns=["accepted"]):
        found["accepted"] += batch.column(0).true_count
    for batch in shard_batches(store, manifest, "rejects", columns=["sentence_index"]):
        found["rejected records"] += batch.column(0).null_count
        found["rejected rows"] += len(batch) - batch.column(0).null_count
    return found
