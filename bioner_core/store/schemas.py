"""The declared Arrow schemas of the four tables, and what their files say about themselves.

Offsets are Unicode code points into the passage, end exclusive.
"""

import pyarrow as pa

import bioner_core
from bioner_core.errors import StoreError

SCHEMA_VERSION = 2
"""Rises when a column changes its name, type or meaning; a store written by a higher one is refused."""

_KEY_PREFIX = b"bioner."


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


def _text(*names: str) -> list[pa.Field]:
    return [_required(name, pa.string()) for name in names]


_PASSAGE = pa.struct(_text("section", "label", "lang", "text"))
_REMOVED_CODE = pa.struct([_required("passage_index", pa.int32()), _required("offset", pa.int32()), *_text("code")])
_META = pa.struct(
    [
        _required("ids", pa.list_(_required("element", pa.struct(_text("kind", "value"))))),
        *_text("journal", "year"),
        _required("keywords", pa.list_(_required("element", pa.string()))),
        *_text("input_file"),
        _required("record_number", pa.int64()),
        _required("removed_codes", pa.list_(_required("element", _REMOVED_CODE))),
    ]
)

SCHEMAS: dict[str, pa.Schema] = {
    "documents": pa.schema(
        [
            *_text("doc_id", "source"),
            _required("version", pa.int64()),
            *_text("lang"),
            _required("passages", pa.list_(_required("element", _PASSAGE))),
            _required("meta", _META),
        ]
    ),
    "mentions": pa.schema(
        [
            *_text("mention_id", "doc_id"),
            _required("doc_version", pa.int64()),
            _required("passage_index", pa.int32()),
            *_text("section", "lang"),
            _required("sentence_index", pa.int32()),
            _required("start", pa.int32()),
            _required("end", pa.int32()),
            *_text("text", "label_set", "type"),
            pa.field("parent_id", pa.string()),
            _required("depth", pa.int32()),
            _required("tag_score", pa.float64()),
            _required("selector_score", pa.float64()),
            _required("accepted", pa.bool_()),
        ]
    ),
    "rejects": pa.schema(
        [
            *_text("doc_id", "source", "input_file"),
            _required("record_number", pa.int64()),
            *_text("stage", "reason", "message"),
            _required("attempts", pa.int32()),
            *_text("input_digest", "traceback", "shard"),
            pa.field("label_set", pa.string()),
            pa.field("passage_index", pa.int32()),
            pa.field("sentence_index", pa.int32()),
        ]
    ),
    "deletions": pa.schema(
        [
            *_text("doc_id", "source"),
            _required("version", pa.int64()),
            *_text("input_file"),
            _required("record_number", pa.int64()),
        ]
    ),
}

SORT_COLUMNS: dict[str, tuple[str, ...]] = {
    "documents": ("doc_id", "version"),
    "mentions": ("doc_id", "doc_version"),
    "rejects": ("doc_id",),
    "deletions": ("doc_id", "version"),
}
"""Rows that are equal in these columns keep the order of the input: passage, sentence, label set, start."""

ROW_GROUP_ROWS: dict[str, int] = {"documents": 1_000, "mentions": 20_000, "rejects": 20_000, "deletions": 20_000}
"""How many rows a Parquet row group holds at most."""


def schema_for(table: str, fingerprint: str) -> pa.Schema:
    """The schema of a table with schema version, fingerprint and software version in its key-value metadata."""
    return SCHEMAS[table].with_metadata(file_metadata(table, fingerprint))


def file_metadata(table: str, fingerprint: str) -> dict[bytes, bytes]:
    """What each file of a table says about itself in its key-value metadata."""
    about = {
        "table": table,
        "schema_version": str(SCHEMA_VERSION),
        "fingerprint": fingerprint,
        "software_version": bioner_core.__version__,
    }
    return {_KEY_PREFIX + key.encode(): text.encode() for key, text in about.items()}


def file_fact(schema: pa.Schema, key: str) -> str:
    """What a file says about itself under `key` (`fingerprint`, `schema_version`, ...); empty if it says nothing."""
    found = (schema.metadata or {}).get(_KEY_PREFIX + key.encode(), b"")
    return bytes(found).decode("utf-8", "replace")


def check_schema_version(found: int, *, where: str) -> None:
    """Refuse what a newer bioner wrote.

    Raises:
        StoreError: `found` is higher than the version that this software knows; the message names `where`.
    """
    if found > SCHEMA_VERSION:
        raise StoreError(
            f"{where}: schema version {found} is newer than {SCHEMA_VERSION}, the newest that bioner "
            f"{bioner_core.__version__} knows. Upgrade bioner, or use another store"
        )
