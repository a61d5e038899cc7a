"""Documents and mentions as flat rows, gathered in a database on disk from which the graph's tables are made."""

from collections.abc import Iterable, Iterator
from typing import Any

import duckdb
import pyarrow as pa

from bioner_core.export.biolink import category_of, document_curie, entity_curie, mention_curie, normal_form
from bioner_core.store.document_mentions import DocumentMentions

_AT_ONCE = 20_000

_DOCUMENTS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("id", "name", "source", "lang", "journal", "year", "xref")),
        pa.field("version", pa.int64()),
        pa.field("input_file", pa.string()),
        pa.field("record_number", pa.int64()),
        pa.field("model_fingerprint", pa.string()),
    ]
)
_MENTIONS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("id", "document", "entity", "parent", "name")),
        *(pa.field(name, pa.string()) for name in ("concept_name", "normal_form")),
        *(pa.field(name, pa.string()) for name in ("entity_category", "type", "label_set", "lang", "section")),
        *(pa.field(name, pa.int32()) for name in ("passage_index", "sentence_index", "start_offset", "end_offset")),
        *(pa.field(name, pa.float64()) for name in ("selector_score", "tag_score")),
        pa.field("accepted", pa.bool_()),
        pa.field("model_fingerprint", pa.string()),
    ]
)


def gather_rows(database: duckdb.DuckDBPyConnection, documents: Iterable[DocumentMentions]) -> None:
    """BatchFill the tables `documents` and `mentions`; holds some ten thousand rows in memory.

    Raises:
        duckdb.Error: the disk refuses.
    """
    _insert(database, "documents", _DOCUMENTS.empty_table())
    _insert(database, "mentions", _MENTIONS.empty_table())
    document_rows: list[tuple[Any, ...]] = []
    mention_rows: list[tuple[Any, ...]] = []
    for found in documents:
        document_rows.append(_document_row(found))
        mention_rows += _mention_rows(found)
        if len(mention_rows) + len(document_rows) >= _AT_ONCE:
            _flush(database, document_rows, mention_rows)
    _flush(database, document_rows, mention_rows)


def _flush(
    database: duckdb.DuckDBPyConnection, documents: list[tuple[Any, ...]], mentions: list[tuple[Any, ...]]
) -> None:
    for name, schema, rows in (("documents", _DOCUMENTS, documents), ("mentions", _MENTIONS, mentions)):
        if rows:
            columns = [
                pa.array(column, kind.type) for column, kind in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            _insert(database, name, pa.Table.from_arrays(columns, schema=schema))
            rows.clear()


def _insert(database: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    database.register("rows", rows)
    if rows.num_rows:
        database.execute(f"INSERT INTO {name} SELECT * FROM rows")  # noqa: S608 - the name is one of two of ours
    else:
        database.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")  # noqa: S608 - as above
    database.unregister("rows")


def _document_row(found: DocumentMentions) -> tuple[Any, ...]:
    document = found.document
    meta = document.meta
    title = next((one.text for one in document.passages if one.section == "title"), "")
    xref = "|".join(f"{kind}:{value}" for kind, value in meta.ids)
    words = (document_curie(document.doc_id), title, document.source, document.lang, meta.journal, meta.year, xref)
    return (*words, document.version, meta.input_file, meta.record_number, found.fingerprint)


def _mention_rows(found: DocumentMentions) -> Iterator[tuple[Any, ...]]:
    document = document_curie(found.document.doc_id)
    for one in found.mentions:
        concept = found.concepts.get(one.mention_id)
        # one concept is one node, in whatever words and language; a mention without one stands for its own words
        entity = concept.concept_id if concept else entity_curie(one.text, one.label_set, one.type)
        yield (
            mention_curie(one.mention_id),
            document,
            entity,
            None if one.parent_id is None else mention_curie(one.parent_id),
            one.text,
            concept.name if concept else None,
            normal_form(one.text),
            category_of(one.label_set, one.type),
            one.type,
            one.label_set,
            one.lang,
            one.section,
            one.passage_index,
            one.sentence_index,
            one.start,
            one.end,
            one.selector_score,
            one.tag_score,
            one.accepted,
            found.fingerprint,
        )
