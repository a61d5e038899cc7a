"""The tables of a snapshot: those of the store, and where each document comes from.

Tables that are cut by source have it in the name of their folders, `source=...`, and not in their files, as query
engines expect of a partition.
"""

from dataclasses import fields

import pyarrow as pa

from bioner_core.store.manifest import Counts
from bioner_core.store.schemas import SCHEMAS, SORT_COLUMNS, file_metadata, many, number, text, whole

PARTITION_COLUMN = "source"

SORTED_TABLES = ("documents", "mentions", "rejects", "deletions", "lineage")
"""Tables with a folder per source, in the order in which a snapshot writes them."""

SUMMARY_TABLES = ("entity_years", "nested_entities", "entity_pairs", "entity_choices")
"""Counts over all documents, made of the tables above when a snapshot is made."""

FLAT_TABLES = ("shards", "runs", *SUMMARY_TABLES)
"""Tables about the whole store, in one folder each."""


_SOURCE = text("source", "the collection that the record is of", example="pubmed")
_SHARD = text("shard", "id of the shard", example="a.xml-0123456789ab-00000000-00000200")
_RUN_ID = text("run_id", "the run that committed it; null where it was killed", example="20260101T000000-ab12")
_SECONDS = number("seconds", "how long it took, wall time", unit="seconds", example="61.5")

_COUNT_MEANINGS = {
    "records_in": "records of the input",
    "annotated": "documents annotated now, with or without mentions",
    "unchanged": "documents whose mentions were copied from an earlier shard",
    "deleted": "deletions",
    "rejected": "records without any annotation",
    "sentences": "sentences of the documents that were annotated now",
    "rows": "pairs of sentence and label set that were sent to the model",
    "row_rejects": "of these pairs those without a result",
    "mentions": "candidates written",
    "mentions_accepted": "of these those that were accepted",
    "lost_bytes": "unpacked bytes of files that could not be read to their end",
    "lost_records": "records that those bytes are reckoned to hold",
    "not_sent": "documents with text of which nothing was sent to the model",
    "lossy": "documents some of whose text is in no passage though nothing says that it is not read",
    "lost_characters": "characters of that text",
}
_COUNT_UNITS = {"lost_bytes": "bytes", "lost_characters": "characters"}
_COUNTS = [
    whole(field.name, _COUNT_MEANINGS[field.name], unit=_COUNT_UNITS.get(field.name, "count"), example="7")
    for field in fields(Counts)
]

_FULL: dict[str, pa.Schema] = SCHEMAS | {
    "lineage": pa.schema(
        [
            text("doc_id", "which document", example="pubmed:12345678"),
            _SOURCE,
            whole("version", "version of the document, from 1", unit="number", example="1"),
            whole("record_number", "place of its record in the input, from 0", unit="records", example="17"),
            _SHARD,
        ]
    ),
    "shards": pa.schema(
        [
            _SHARD,
            _SOURCE,
            text("input_file", "file or URL that was read, without credentials", example="pubmed26n0001.xml.gz"),
            text("format_name", "the format that it was read as", example="pubmed"),
            text("input_digest", "sha256 of the input file, in hex", example="9f86d081884c7d65"),
            whole("first", "first record of the shard, from 0", unit="records"),
            whole("last", "end of its records, exclusive", unit="records", example="200"),
            text("fingerprint", "digest of all that results depend on beside the input", example="b4a19563d49e9b67"),
            many("label_sets", pa.string(), meaning="names of its label sets", example="bc5cdr"),
            whole("schema_version", "schema version of its files", unit="number", example="3"),
            text("software_version", "the bioner that wrote it", example="0.1.0"),
            text("committed", "when it was committed, ISO 8601, UTC", example="2026-01-01T00:00:00+00:00"),
            _SECONDS,
            _RUN_ID.with_nullable(True),
            *_COUNTS,
            text(
                "decode_fingerprint",
                "digest of what the candidates depend on: model, label sets, splitter; null before schema version 3",
                example="5feceb66ffc86f38",
                null=True,
            ),
            text(
                "finish_fingerprint",
                "digest of what is made of the candidates without the model; null before schema version 3",
                example="6b86b273ff34fce1",
                null=True,
            ),
        ]
    ),
    "runs": pa.schema(
        [
            text("run_id", "id of the run", example="20260101T000000-ab12"),
            text("job", "what it was", example="annotate"),
            text("started", "when, ISO 8601, UTC", example="2026-01-01T00:00:00+00:00"),
            _SECONDS,
            whole("shards_committed", "shards that it committed", unit="count", example="12"),
            whole("shards_skipped", "shards that were done before", unit="count"),
            whole("shards_failed", "shards that failed", unit="count"),
            whole("exit_code", "as the command ended; null where nobody kept it", unit="code", null=True),
            text("message", "what the command said at its end; null where nobody kept it", example="", null=True),
            *_COUNTS,
        ]
    ),
}

_TYPE = text("type", "type of the entity", example="Chemical")
_ENTITY = text("entity", "text of the mentions, in lower case", example="aspirin")
_MENTIONS = whole("mentions", "accepted mentions", unit="count", example="31")
_DOCUMENTS = whole("documents", "documents that have them", unit="count", example="12")
_FULL |= {
    "entity_years": pa.schema(
        [
            _TYPE,
            text("year", "year of publication, empty when unknown", example="2024"),
            _ENTITY,
            _MENTIONS,
            _DOCUMENTS,
            whole("rank", "place among those of this type and year, 1 the most mentioned", unit="rank", example="1"),
        ]
    ),
    "nested_entities": pa.schema(
        [
            text("outer_type", "type of the enclosing entity", example="Disease"),
            text("inner_type", "type of the enclosed one", example="Anatomy"),
            text("outer_entity", "its text, in lower case", example="liver cancer"),
            text("inner_entity", "text of the enclosed one", example="liver"),
            _MENTIONS,
            _DOCUMENTS,
        ]
    ),
    "entity_pairs": pa.schema(
        [
            text("first_entity", "the lesser text of the two, in lower case", example="aspirin"),
            text("first_type", "its type", example="Chemical"),
            text("second_entity", "the other one", example="headache"),
            text("second_type", "its type", example="Disease"),
            whole("sentences", "sentences that have both", unit="count", example="5"),
            _DOCUMENTS,
        ]
    ),
    "entity_choices": pa.schema(
        [
            text("label_set", "label set of the type", example="bc5cdr"),
            _TYPE,
            _ENTITY,
            whole("dropped", "mentions that the selector turned down", unit="count", example="3"),
            whole("kept", "mentions that it accepted", unit="count", example="40"),
            number("mean_dropped_score", "mean selector score of the former", unit="probability", example="0.11"),
            number("best_dropped_score", "greatest selector score of the former", unit="probability", example="0.42"),
            number(
                "least_kept_score",
                "least selector score of the latter; null where none was kept",
                unit="probability",
                example="0.55",
                null=True,
            ),
            number("mean_dropped_tag_score", "mean tag score of the former", unit="nats", example="1.7"),
            text("example", "mention_id of one that was turned down", example="pubmed:1@1:p0:0-7:bc5cdr:Chemical"),
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
