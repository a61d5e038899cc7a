"""The one way into the store: gather the rows of a shard, then commit them all or none."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import bioner_core
from bioner_core.documents import Document
from bioner_core.errors import StoreError
from bioner_core.mentions import Mention
from bioner_core.records import Deletion
from bioner_core.store import rows
from bioner_core.store.atomic import write_bytes
from bioner_core.store.committed import whole_manifest
from bioner_core.store.layout import TABLES, ShardDescriptor, Store, table_file_name
from bioner_core.store.manifest import Counts, Manifest, StoredFile, write_manifest
from bioner_core.store.manifest_cache import manifest_cache
from bioner_core.store.paths import StorePath
from bioner_core.store.rows import RejectRow
from bioner_core.store.schemas import ROW_GROUP_ROWS, SCHEMA_VERSION, SCHEMAS, SORT_COLUMNS, schema_for
from bioner_core.store.sweep import sweep_shard


@dataclass(frozen=True, slots=True)
class ShardHeader:
    """What a manifest says of its shard beside the counts.

    `input_name` is the public name of the input, without credentials; the fingerprints are as in `Manifest`.
    """

    descriptor: ShardDescriptor
    input_name: str
    fingerprint: str
    label_sets: tuple[str, ...]
    decode_fingerprint: str = ""
    finish_fingerprint: str = ""


class ShardWriter:
    """Gathers the rows of one shard as compact Arrow tables; nothing touches the disk before `commit`.

    Rows may be added in any number of calls; they keep their order within one document.
    """

    def __init__(self, store: Store, header: ShardHeader) -> None:
        self._store = store
        self._header = header
        self._parts: dict[str, list[pa.Table]] = {table: [] for table in TABLES}

    def add_documents(self, documents: Sequence[Document]) -> None:
        """Add documents, annotated now or carried over."""
        self._parts["documents"].append(rows.documents_to_arrow(documents))

    def add_mentions(self, mentions: Sequence[Mention]) -> None:
        """Add mention candidates, accepted or not."""
        self._parts["mentions"].append(rows.mentions_to_arrow(mentions))

    def add_rejects(self, rejects: Sequence[RejectRow]) -> None:
        """Add rejected records and rejected sentences."""
        self._parts["rejects"].append(rows.rejects_to_arrow(rejects))

    def add_deletions(self, deletions: Sequence[Deletion]) -> None:
        """Add documents that the source has withdrawn."""
        self._parts["deletions"].append(rows.deletions_to_arrow(deletions))

    def add_rows(self, table: str, found: pa.Table) -> None:
        """Add rows of a table that are Arrow columns already, in its declared schema."""
        self._parts[table].append(found)

    def commit(self, counts: Counts, *, seconds: float) -> Manifest:
        """Write the files, then the manifest, then sweep away what the manifest has made stale.

        Raises:
            StoreError: the counts do not add up (nothing is written), or the disk refuses (the shard is as before).
        """
        tables = {name: _sorted(name, parts) for name, parts in self._parts.items()}
        _check_counts(self._header.descriptor.shard_id, counts, tables)
        # Invariant: a shard exists by its manifest. A kill before `write_manifest` leaves the old shard whole, and
        # files that nobody names; a kill after it leaves the new one whole, and stale files, which the next commit
        # removes. So a file that the old manifest names is neither overwritten nor removed before the new manifest is
        # on disk.
        earlier = whole_manifest(self._store, self._header.descriptor.shard_id)
        taken = {file.path: file.sha256 for file in earlier.files} if earlier else {}
        files = tuple(self._write(name, table, taken) for name, table in tables.items() if table.num_rows)
        # The plan is the other witness of when the shard came: where a manifest was damaged, or removed, the shard that
        # is made anew would else be the newest of all, and its old text replace newer ones.
        since = earlier.known_since if earlier else self._header.descriptor.planned
        manifest = self._manifest(counts, seconds, files, first_created=since)
        write_manifest(self._store, manifest)
        manifest_cache(self._store).forget(manifest.shard_id)
        sweep_shard(self._store, manifest, replaced=self._header.descriptor.replaces, earlier=earlier)
        return manifest

    def _write(self, name: str, table: pa.Table, taken: Mapping[str, str]) -> StoredFile:
        metadata = schema_for(name, self._header.fingerprint).metadata
        content = _parquet_of(table.replace_schema_metadata(metadata), name)
        digest = hashlib.sha256(content).hexdigest()
        path = self._free_path(name, digest, taken)
        write_bytes(path, content)
        return StoredFile(name, self._store.name_of(path), table.num_rows, content.size, digest)

    def _free_path(self, name: str, digest: str, taken: Mapping[str, str]) -> StorePath:
        """A name that the manifest does not give to other content, which must stay until the new one is written."""
        descriptor = self._header.descriptor
        folder = self._store.table_folder(name, source=descriptor.source, shard=descriptor.shard_id)
        named = partial(
            table_file_name,
            descriptor.shard_id,
            fingerprint=self._header.fingerprint,
            format_name=descriptor.format_name,
        )
        if self._store.is_remote:
            return folder / named(content=digest)
        first = folder / named()
        holds = taken.get(self._store.name_of(first), digest)
        return first if holds == digest else folder / named(taken=True)

    def _manifest(
        self, counts: Counts, seconds: float, files: tuple[StoredFile, ...], *, first_created: str
    ) -> Manifest:
        descriptor = self._header.descriptor
        return Manifest(
            shard_id=descriptor.shard_id,
            source=descriptor.source,
            input_file=self._header.input_name,
            format_name=descriptor.format_name,
            input_digest=descriptor.input_digest,
            first=descriptor.first,
            last=descriptor.last,
            fingerprint=self._header.fingerprint,
            label_sets=self._header.label_sets,
            counts=counts,
            seconds=round(seconds, 3),
            files=files,
            schema_version=SCHEMA_VERSION,
            software_version=bioner_core.__version__,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            first_created=first_created,
            decode_fingerprint=self._header.decode_fingerprint,
            finish_fingerprint=self._header.finish_fingerprint,
        )


def _sorted(name: str, parts: Sequence[pa.Table]) -> pa.Table:
    table = pa.concat_tables([SCHEMAS[name].empty_table(), *parts]).combine_chunks()
    order = pc.sort_indices(table, sort_keys=[(column, "ascending") for column in SORT_COLUMNS[name]])
    return table.take(order)


def _parquet_of(table: pa.Table, name: str) -> pa.Buffer:
    """The file in memory: a shard's tables are there anyway, and what a file is called depends on what it holds."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        row_group_size=ROW_GROUP_ROWS[name],
        write_statistics=True,
        write_page_index=True,
        write_page_checksum=True,
        sorting_columns=[pq.SortingColumn(table.schema.get_field_index(column)) for column in SORT_COLUMNS[name]],
    )
    return sink.getvalue()


def _check_counts(shard: str, counts: Counts, tables: dict[str, pa.Table]) -> None:
    if not counts.balanced:
        raise StoreError(f"shard {shard}: records are lost or doubled: {counts.accounts}. Nothing was committed")
    expected = {
        "documents": counts.annotated + counts.unchanged,
        "mentions": counts.mentions,
        "rejects": counts.rejected + counts.row_rejects,
        "deletions": counts.deleted,
    }
    for name, number in expected.items():
        if tables[name].num_rows != number:
            raise StoreError(
                f"shard {shard}: {tables[name].num_rows} rows of {name} were added, but the counts promise {number}. "
                "Nothing was committed"
            )
