"""Are a shard's files there, whole, of the declared schema, and with as many rows as its counts promise?"""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pyarrow as pa

from bioner_core.store.checks.promised_file import promised_file_faults
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.reading import shard_batches
from bioner_core.store.schemas import SCHEMA_VERSION, SCHEMAS, file_fact


def file_faults(store: Store, manifest: Manifest) -> Iterator[str]:
    """What is wrong with the files of a shard, in words; nothing when all is well."""
    damaged = [
        fault
        for file in manifest.files
        for fault in promised_file_faults(store.root, file, schema_faults=partial(_schema_faults, file.table, manifest))
    ]
    yield from damaged
    if not damaged:
        yield from _row_counts(store, manifest)


def _schema_faults(table: str, manifest: Manifest, schema: pa.Schema) -> Iterator[str]:
    if manifest.schema_version == SCHEMA_VERSION and not schema.equals(SCHEMAS[table]):
        yield f"does not have the declared schema of {table}"
    if file_fact(schema, "fingerprint") != manifest.fingerprint:
        yield "was written under another fingerprint than its manifest"


def _row_counts(store: Store, manifest: Manifest) -> Iterator[str]:
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


def _count_rows(store: Store, manifest: Manifest) -> Counter[str]:
    found: Counter[str] = Counter()
    for file in manifest.files:
        found[file.table] += file.rows
    for batch in shard_batches(store, manifest, table="mentions", columns=["accepted"]):
        found["accepted"] += batch.column(0).true_count
    for batch in shard_batches(store, manifest, table="rejects", columns=["sentence_index"]):
        found["rejected records"] += batch.column(0).null_count
        found["rejected rows"] += len(batch) - batch.column(0).null_count
    return found
