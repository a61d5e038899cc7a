"""The tables of a snapshot: those of the store, and where each document comes from.

Tables that are cut by source have it in the name of their folders, `source=...`, and not in their files, as query
engines expect of a partition.
"""

from dataclasses import fields

import pyarrow as pa

from bioner_core.store.manifest import Counts
from bioner_core.store.schemas import SCHEMAS, SORT_COLUMNS, file_metadata

PARTITION_COLUMN = "source"

SORTED_TABLES = ("documents", "mentions", "rejects", "deletions", "lineage")
"""Tables with a folder a source, in the order in which a snapshot writes them."""

SUMMARY_TABLES = ("entity_years", "nested_entities", "entity_pairs", "entity_choices")
"""Counts over all documents, made of the tables above when a snapshot is made."""

FLAT_TABLES = ("shards", "runs", *SUMMARY_TABLES)
"""Tables about the whole store, in one folder each."""


def _columns(**kinds: pa.DataType) -> list[pa.Field]:
    return [pa.field(name, kind, nullable=False) for name, kind in kinds.items()]


_COUNTS = _columns(**{field.name: pa.int64() for field in fields(Counts)})

_FULL: dict[str, pa.Schema] = SCHEMAS | {
    "lineage": pa.schema(
        _columns(
            doc_id=pa.string(), source=pa.string(), version=pa.int64(), record_number=pa.int64(), shard=pa.string()
        )
    ),
    "shards": pa.schema(
        [
            *_columns(
                shard=pa.string(),
                source=pa.string(),
                input_file=pa.string(),
                format_name=pa.string(),
                input_digest=pa.string(),
                first=pa.int64(),
                last=pa.int64(),
                fingerprint=pa.string(),
                label_sets=pa.list_(pa.field("element", pa.string(), nullable=False)),
                schema_version=pa.int64(),
                software_version=pa.string(),
                committed=pa.string(),
                seconds=pa.float64(),
            ),
            pa.field("run_id", pa.string()),
            *_COUNTS,
        ]
    ),
    "runs": pa.schema(
        [
            *_columns(
                run_id=pa.string(),
                job=pa.string(),
                started=pa.string(),
                seconds=pa.float64(),
                shards_committed=pa.int64(),
                shards_skipped=pa.int64(),
                shards_failed=pa.int64(),
            ),
            pa.field("exit_code", pa.int64()),
            pa.field("message", pa.string()),
            *_COUNTS,
        ]
    ),
}

_NAMES = pa.string()
_FULL |= {
    "entity_years": pa.schema(
        _columns(type=_NAMES, year=_NAMES, entity=_NAMES, mentions=pa.int64(), documents=pa.int64(), rank=pa.int64())
    ),
    "nested_entities": pa.schema(
        _columns(
            outer_type=_NAMES,
            inner_type=_NAMES,
            outer_entity=_NAMES,
            inner_entity=_NAMES,
            mentions=pa.int64(),
            documents=pa.int64(),
        )
    ),
    "entity_pairs": pa.schema(
        _columns(
            first_entity=_NAMES,
            first_type=_NAMES,
            second_entity=_NAMES,
            second_type=_NAMES,
            sentences=pa.int64(),
            documents=pa.int64(),
        )
    ),
    "entity_choices": pa.schema(
        [
            *_columns(label_set=_NAMES, type=_NAMES, entity=_NAMES, dropped=pa.int64(), kept=pa.int64()),
            *_columns(mean_dropped_score=pa.float64(), best_dropped_score=pa.float64()),
            pa.field("least_kept_score", pa.float64()),
            *_columns(mean_dropped_tag_score=pa.float64(), example=_NAMES),
        ]
    ),
}

_SORT_COLUMNS = SORT_COLUMNS | {"lineage": ("doc_id", "version")}


def row_schema(table: str) -> pa.Schema:
    """The columns of a table while its rows are on their way into a snapshot."""
    return _FULL[table]


def view_schema(table: str) -> pa.Schema:
    """The columns of a table as a query sees them, `source` among them."""
    schema = _FULL[table]
    if table in FLAT_TABLES or PARTITION_COLUMN in schema.names:
        return schema
    return schema.append(pa.field(PARTITION_COLUMN, pa.string(), nullable=False))


def file_schema(table: str) -> pa.Schema:
    """The columns that the files of a snapshot's table have."""
    schema = _FULL[table]
    if table in FLAT_TABLES or PARTITION_COLUMN not in schema.names:
        return schema
    return schema.remove(schema.get_field_index(PARTITION_COLUMN))


def described_file_schema(table: str, *, fingerprint: str, snapshot: str) -> pa.Schema:
    """`file_schema` with what a file says about itself: as in a shard, and the snapshot that it belongs to."""
    about = file_metadata(table, fingerprint) | {b"bioner.snapshot": snapshot.encode()}
    return file_schema(table).with_metadata(about)


def sort_columns(table: str) -> tuple[str, ...]:
    """By what the rows of a table are sorted."""
    return _SORT_COLUMNS[table]
