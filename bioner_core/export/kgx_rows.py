"""Documents and mentions as flat rows, gathered in a database on disk from which the graph's tables are made."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import duckdb
import pyarrow as pa

from bioner_core.export.biolink import (
    article_curie,
    category_of,
    document_curie,
    entity_curie,
    mention_curie,
    normal_form,
)
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.text.sentences import split_passage

_AT_ONCE = 20_000
_SEPARATORS = str.maketrans({"%": "%25", ";": "%3B", "|": "%7C"})
"""Between the values of a list stands `|` in KGX and `;` for Neo4j; older DOIs have a `;` of their own."""

_DOCUMENTS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("id", "article", "name", "source", "lang")),
        *(pa.field(name, pa.string()) for name in ("journal", "year", "xref")),
        pa.field("version", pa.int64()),
        pa.field("input_file", pa.string()),
        pa.field("record_number", pa.int64()),
        pa.field("model_fingerprint", pa.string()),
    ]
)
_MENTIONS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("id", "document", "article", "entity", "parent", "name")),
        *(pa.field(name, pa.string()) for name in ("concept_name", "normal_form")),
        *(pa.field(name, pa.string()) for name in ("entity_category", "type", "label_set", "lang", "section")),
        *(pa.field(name, pa.int32()) for name in ("passage_index", "sentence_index", "start_offset", "end_offset")),
        *(pa.field(name, pa.float64()) for name in ("selector_score", "tag_score")),
        pa.field("accepted", pa.bool_()),
        pa.field("model_fingerprint", pa.string()),
    ]
)
_SENTENCES = pa.schema(
    [
        pa.field("document", pa.string()),
        *(pa.field(name, pa.int32()) for name in ("passage_index", "sentence_index", "sentence_start")),
        pa.field("sentence", pa.string()),
    ]
)
_SCHEMAS = {"documents": _DOCUMENTS, "mentions": _MENTIONS, "sentences": _SENTENCES}


def gather_rows(database: duckdb.DuckDBPyConnection, documents: Iterable[DocumentMentions]) -> None:
    """Fill the tables `documents`, `mentions` and `sentences`; holds some ten thousand rows in memory.

    Sentences are those with two mentions or more: what supports an edge between them.

    Raises:
        duckdb.Error: the disk refuses.
    """
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _SCHEMAS}
    for name, schema in _SCHEMAS.items():
        _insert(database, name, schema.empty_table())
    for found in documents:
        rows["documents"].append(_document_row(found))
        rows["mentions"] += _mention_rows(found)
        rows["sentences"] += _sentence_rows(found)
        if sum(map(len, rows.values())) >= _AT_ONCE:
            _flush(database, rows)
    _flush(database, rows)


def _flush(database: duckdb.DuckDBPyConnection, gathered: dict[str, list[tuple[Any, ...]]]) -> None:
    for name, rows in gathered.items():
        schema = _SCHEMAS[name]
        if rows:
            columns = [
                pa.array(column, kind.type) for column, kind in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            _insert(database, name, pa.Table.from_arrays(columns, schema=schema))
            rows.clear()


def _insert(database: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    database.register("rows", rows)
    if rows.num_rows:
        database.execute(f"INSERT INTO {name} SELECT * FROM rows")  # noqa: S608 - the name is one of ours
    else:
        database.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")  # noqa: S608 - as above
    database.unregister("rows")


def _document_row(found: DocumentMentions) -> tuple[Any, ...]:
    document = found.document
    meta = document.meta
    title = next((one.text for one in document.passages if one.section == "title"), "")
    xref = "|".join(f"{kind}:{value}".translate(_SEPARATORS) for kind, value in meta.ids)
    names = (document_curie(document.doc_id), article_curie(document))
    words = (*names, title, document.source, document.lang, meta.journal, meta.year, xref)
    return (*words, document.version, meta.input_file, meta.record_number, found.fingerprint)


def _mention_rows(found: DocumentMentions) -> Iterator[tuple[Any, ...]]:
    document, article = document_curie(found.document.doc_id), article_curie(found.document)
    for one in found.mentions:
        concept = found.concepts.get(one.mention_id)
        # one concept is one node, in whatever words and language; a mention without one stands for its own words
        own = entity_curie(one.text, label_set=one.label_set, type_name=one.type)
        entity = concept.concept_id if concept else own
        yield (
            mention_curie(one.mention_id),
            document,
            article,
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


def _sentence_rows(found: DocumentMentions) -> Iterator[tuple[Any, ...]]:
    counts = Counter((one.passage_index, one.sentence_index) for one in found.mentions)
    wanted = {place for place, count in counts.items() if count > 1}
    document = document_curie(found.document.doc_id)
    for passage_index in sorted({passage for passage, _ in wanted}):
        for one in split_passage(found.document.passages[passage_index], passage_index):
            if (passage_index, one.index) in wanted:
                yield document, passage_index, one.index, one.start, one.text
