"""The one way into the store: gather the rows of a shard, then commit them all or none (DESIGN 4.7)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import bioner_core
from bioner_core.documents import Document
from bioner_core.errors import StoreError
from bioner_core.mentions import Mention
from bioner_core.records import Deletion
from bioner_core.store import rows
from bioner_core.store.atomic import replacing
from bioner_core.store.layout import TABLES, ShardDescriptor, table_file_name, table_folder
from bioner_core.store.manifest import Counts, Manifest, StoredFile, write_manifest
from bioner_core.store.rows import RejectRow
from bioner_core.store.schemas import ROW_GROUP_ROWS, SCHEMA_VERSION, SCHEMAS, SORT_COLUMNS, schema_for
from bioner_core.store.sweep import sweep_shard


@dataclass(frozen=True, slots=True)
class ShardHeader:
    """What a manifest says of its shard beside the counts.

    `input_name` is the public name of the input, without credentials; `fingerprint` covers all that results depend on.
    """

    descriptor: ShardDescriptor
    input_name: str
    fingerprint: str
    label_sets: tuple[str, ...]


class ShardWriter:
    """Gathers the rows of one shard as compact Arrow tables; nothing touches the disk before `commit`.

    Rows may be added in any number of calls; they keep their order within one document.
    """

    def __init__(self, store: Path, header: ShardHeader) -> None:
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
        files = tuple(self._write(name, table) for name, table in tables.items() if table.num_rows)
        manifest = self._manifest(counts, seconds, files)
        write_manifest(self._store, manifest)
        sweep_shard(self._store, manifest, replaced=self._header.descriptor.replaces)
        return manifest

    def _write(self, name: str, table: pa.Table) -> StoredFile:
        descriptor, fingerprint = self._header.descriptor, self._header.fingerprint
        folder = table_folder(self._store, name, descriptor.source, descriptor.shard_id)
        path = folder / table_file_name(descriptor.shard_id, fingerprint, descriptor.format_name)
        with replacing(path) as temporary:
            _write_parquet(table.replace_schema_metadata(schema_for(name, fingerprint).metadata), name, temporary)
            with temporary.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            size = temporary.stat().st_size
        return StoredFile(name, path.relative_to(self._store).as_posix(), table.num_rows, size, digest)

    def _manifest(self, counts: Counts, seconds: float, files: tuple[StoredFile, ...]) -> Manifest:
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
        )


def _sorted(name: str, parts: Sequence[pa.Table]) -> pa.Table:
    table = pa.concat_tables([SCHEMAS[name].empty_table(), *parts]).combine_chunks()
    order = pc.sort_indices(table, sort_keys=[(column, "ascending") for column in SORT_COLUMNS[name]])
    return table.take(order)


def _write_parquet(table: pa.Table, name: str, path: Path) -> None:
    pq.write_table(
        table,
        path,
        compression="zstd",
        row_group_size=ROW_GROUP_ROWS[name],
        write_statistics=True,
        write_page_index=True,
        sorting_columns=[pq.SortingColumn(table.schema.get_field_index(column)) for column in SORT_COLUMNS[name]],
    )


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
