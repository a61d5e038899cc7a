"""The declared Arrow schemas of the four tables, and what their files say about themselves.

Each column says in its field's metadata what it means, its unit and an example of it.
Offsets are Unicode code points into the passage, end exclusive.
"""

from collections.abc import Iterable

import pyarrow as pa

import bioner_core
from bioner_core.errors import StoreError
from bioner_core.store.schema_version import SCHEMA_VERSION as SCHEMA_VERSION

MEANING, UNIT, EXAMPLE = b"meaning", b"unit", b"example"
"""The keys of a field's metadata."""


def column(
    name: str, kind: pa.DataType, *, meaning: str, unit: str = "text", example: str = "", null: bool = False
) -> pa.Field:
    """A column that says what it holds; `null` ones may be empty, and their meaning says when."""
    about = {MEANING: meaning.encode(), UNIT: unit.encode(), EXAMPLE: example.encode()}
    return pa.field(name, kind, nullable=null, metadata=about)


def text(name: str, meaning: str, *, example: str, null: bool = False) -> pa.Field:
    """A column of text."""
    return column(name, pa.string(), meaning=meaning, example=example, null=null)


def whole(name: str, meaning: str, *, unit: str, example: str = "0", bits: int = 64, null: bool = False) -> pa.Field:
    """A column of whole numbers."""
    return column(
        name, pa.int32() if bits == 32 else pa.int64(), meaning=meaning, unit=unit, example=example, null=null
    )


def number(name: str, meaning: str, *, unit: str, example: str, null: bool = False) -> pa.Field:
    """A column of double precision, so that what was computed is what is stored."""
    return column(name, pa.float64(), meaning=meaning, unit=unit, example=example, null=null)


def many(name: str, element: pa.DataType, *, meaning: str, example: str = "", null: bool = False) -> pa.Field:
    """A column of lists, whose elements are never null."""
    kind = pa.list_(pa.field("element", element, nullable=False))
    return column(name, kind, meaning=meaning, unit="list", example=example, null=null)


def group(fields: Iterable[pa.Field]) -> pa.StructType:
    """The type of a column that has columns of its own."""
    return pa.struct(list(fields))


def about(field: pa.Field) -> tuple[str, str, str]:
    """Meaning, unit and example of a column; empty where it says none, as the elements of lists."""
    found = field.metadata or {}
    meaning, unit, example = (bytes(found.get(key, b"")).decode() for key in (MEANING, UNIT, EXAMPLE))
    return meaning, unit, example


_KEY_PREFIX = b"bioner."

_POINTS = "code points"
_DOC_ID = text("doc_id", "which document: its source and its id there", example="pubmed:12345678")
_SOURCE = text("source", "the collection that the record is of", example="pubmed")
_VERSION = whole("version", "version of the document at its source, from 1", unit="number", example="1")
_INPUT_FILE = text(
    "input_file", "file or URL that the record was read from, without credentials", example="pubmed26n0001.xml.gz"
)
_RECORD_NUMBER = whole("record_number", "place of the record in its file, from 0", unit="records", example="17")

_PASSAGE = group(
    [
        text("section", "place of the passage in the document", example="abstract"),
        text("label", "printed heading of a structured abstract, or empty", example="METHODS"),
        text("lang", "language, ISO 639-1", example="en"),
        text(
            "text",
            "what a reader of the article sees: markup removed, entities resolved, nothing else changed",
            example="Aspirin eased the headache.",
        ),
    ]
)
_REMOVED_CODE = group(
    [
        whole("passage_index", "the passage that it stood in, from 0", unit="passages", bits=32),
        whole("offset", "the code stood before this place of the passage's text", unit=_POINTS, example="4", bits=32),
        text("code", "the characters that were taken out", example="~"),
    ]
)
_ID = group(
    [
        text("kind", "of which kind the id is", example="doi"),
        text("value", "the id", example="10.1000/example"),
    ]
)
_HEADING = group(
    [
        text("vocabulary", "where the heading is from", example="mesh"),
        text("id", "its id there, or empty", example="D000001"),
        text("name", "its name", example="Headache"),
        text("qualifier", "the qualifier beside it, or empty; a heading with two qualifiers is two", example="therapy"),
        column(
            "major", pa.bool_(), meaning="whether it is a main topic of the article", unit="yes or no", example="true"
        ),
    ]
)
_CORRECTION = group(
    [
        text("kind", "what the notice says of this document, as its source names it", example="RetractionIn"),
        text("reference", "the notice as the source cites it", example="J Example. 2020;1(2):3"),
        text("doc_id", "the document that is the notice, or empty", example="pubmed:12345679"),
    ]
)
_META = group(
    [
        many("ids", _ID, meaning="every id that the record gives"),
        text("journal", "name of the journal, or empty", example="Journal of Examples"),
        text("year", "year of publication, empty when unknown", example="2024"),
        many("keywords", pa.string(), meaning="keywords of the authors or the database", example="headache"),
        _INPUT_FILE,
        _RECORD_NUMBER,
        many(
            "removed_codes",
            _REMOVED_CODE,
            meaning="typography codes that the reader took out of the passages, in order",
        ),
        many(
            "headings",
            _HEADING,
            meaning="subject headings, in the record's order; null where none were read",
            null=True,
        ),
        many(
            "publication_types",
            pa.string(),
            meaning="what kind of publication it is, as its source names it; null where it was not read",
            example="Journal Article",
            null=True,
        ),
        many(
            "corrections",
            _CORRECTION,
            meaning="retractions, errata and expressions of concern that concern it; null where they were not read",
            null=True,
        ),
    ]
)

SCHEMAS: dict[str, pa.Schema] = {
    "documents": pa.schema(
        [
            _DOC_ID,
            _SOURCE,
            _VERSION,
            text("lang", "language of the document, ISO 639-1", example="en"),
            many("passages", _PASSAGE, meaning="its texts, in the order of the document"),
            column("meta", _META, meaning="what is known of it beside its text", unit="group"),
        ]
    ),
    "mentions": pa.schema(
        [
            text(
                "mention_id",
                "name of the mention, made of its place, label set and type; unique within a shard",
                example="pubmed:12345678@1:p0:0-7:bc5cdr:Chemical",
            ),
            _DOC_ID,
            whole("doc_version", "version of that document", unit="number", example="1"),
            whole("passage_index", "its passage, from 0", unit="passages", bits=32),
            text("section", "section of that passage", example="title"),
            text("lang", "language of its sentence, ISO 639-1", example="en"),
            whole("sentence_index", "its sentence within the passage, from 0", unit="sentences", bits=32),
            whole("start", "where it begins in passages[passage_index].text", unit=_POINTS, bits=32),
            whole("end", "where it ends there, exclusive", unit=_POINTS, example="7", bits=32),
            text("text", "passages[passage_index].text[start:end]", example="Aspirin"),
            text("label_set", "the label set that its type is of", example="bc5cdr"),
            text("type", "its type", example="Chemical"),
            text(
                "parent_id",
                "smallest accepted mention of the same label set that encloses it; null where none does",
                example="pubmed:12345678@1:p0:0-16:bc5cdr:Disease",
                null=True,
            ),
            whole("depth", "how many mentions enclose it, parent by parent", unit="mentions", bits=32),
            number("tag_score", "mean log-margin of its tag decisions over their rivals", unit="nats", example="4.2"),
            number(
                "selector_score",
                "of what the decoder proposed: calibrated probability of the entity selector, 1 without one; of origin "
                "repeat and abbreviation: an estimate by weights that were set by hand, which is not calibrated",
                unit="0 to 1",
                example="0.93",
            ),
            column(
                "accepted",
                pa.bool_(),
                meaning="whether it counts as an entity; the others are kept as candidates",
                unit="yes or no",
                example="true",
            ),
            text(
                "origin",
                "what proposed it: decoder, abbreviation or repeat; null means decoder",
                example="decoder",
                null=True,
            ),
            text(
                "assertion",
                "what its sentence says of it: present, negated, uncertain or other; null where it was not judged",
                example="negated",
                null=True,
            ),
        ]
    ),
    "rejects": pa.schema(
        [
            text("doc_id", "which document, empty where the record was too broken to say", example="pubmed:12345678"),
            _SOURCE,
            _INPUT_FILE,
            _RECORD_NUMBER,
            text("stage", "where it failed: read or annotate", example="read"),
            text("reason", "code of the reason; codes never change their meaning", example="malformed"),
            text("message", "what is wrong, in words", example="the record has no id"),
            whole("attempts", "how often it was tried", unit="attempts", example="1", bits=32),
            text("input_digest", "sha256 of the input file, in hex", example="9f86d081884c7d65"),
            text("traceback", "of an unexpected error, otherwise empty", example=""),
            text("shard", "the shard that it is counted in", example="a.xml-0123456789ab-00000000-00000200"),
            text("label_set", "label set of a rejected sentence; null for a whole record", example="bc5cdr", null=True),
            whole(
                "passage_index",
                "passage of a rejected sentence, from 0; null for a whole record",
                unit="passages",
                bits=32,
                null=True,
            ),
            whole(
                "sentence_index",
                "place of a rejected sentence in its passage, from 0; null for a whole record",
                unit="sentences",
                bits=32,
                null=True,
            ),
        ]
    ),
    "deletions": pa.schema([_DOC_ID, _SOURCE, _VERSION, _INPUT_FILE, _RECORD_NUMBER]),
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
