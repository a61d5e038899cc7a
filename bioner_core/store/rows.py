"""Values to Arrow tables and back, without loss: what is read equals what was written."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

from bioner_core.documents import Correction, Document, DocumentMeta, Heading, Passage, RemovedCode
from bioner_core.mentions import Mention
from bioner_core.records import Deletion, Reject, RejectReason
from bioner_core.store.schemas import SCHEMAS


@dataclass(frozen=True, slots=True)
class RejectRow:
    """A reject as it is stored. The last three are None when the whole record is rejected, not one row of it."""

    reject: Reject
    shard: str
    label_set: str | None = None
    passage_index: int | None = None
    sentence_index: int | None = None

    @property
    def whole_record(self) -> bool:
        """Whether the record as a whole was rejected, rather than one of its sentences."""
        return self.sentence_index is None


def documents_to_arrow(documents: Sequence[Document]) -> pa.Table:
    """One row per document version, passages nested, in the order given."""
    return pa.Table.from_pylist([_document_to_row(document) for document in documents], schema=SCHEMAS["documents"])


def mentions_to_arrow(mentions: Sequence[Mention]) -> pa.Table:
    """One row per mention candidate, in the order given."""
    return flat_table(mentions, SCHEMAS["mentions"])


def deletions_to_arrow(deletions: Sequence[Deletion]) -> pa.Table:
    """One row per withdrawn document, in the order given."""
    return flat_table(deletions, SCHEMAS["deletions"])


def rejects_to_arrow(rejects: Sequence[RejectRow]) -> pa.Table:
    """One row per rejected record or sentence, in the order given."""
    return pa.Table.from_pylist([_reject_to_row(row) for row in rejects], schema=SCHEMAS["rejects"])


def documents_from_arrow(batch: pa.RecordBatch) -> Iterable[Document]:
    """The documents of a batch, in its order."""
    return map(_document_from_row, batch.to_pylist())


def mentions_from_arrow(batch: pa.RecordBatch) -> Iterable[Mention]:
    """The mentions of a batch, in its order."""
    # by column: a dict per row takes three times as long, and there are millions of rows
    return map(Mention, *(_values(batch, field.name) for field in fields(Mention)))


def deletions_from_arrow(batch: pa.RecordBatch) -> Iterable[Deletion]:
    """The deletions of a batch, in its order."""
    return (Deletion(**row) for row in batch.to_pylist())


def rejects_from_arrow(batch: pa.RecordBatch) -> Iterable[RejectRow]:
    """The rejects of a batch, in its order."""
    return map(_reject_from_row, batch.to_pylist())


def _values(batch: pa.RecordBatch, name: str) -> list[Any]:
    """The values of a column; Nones where the rows are of a schema version that did not have it."""
    return batch.column(name).to_pylist() if name in batch.schema.names else [None] * batch.num_rows


def flat_table(values: Sequence[Any], schema: pa.Schema) -> pa.Table:
    """Values whose fields are called as the columns of a schema, as a table of it."""
    columns = [pa.array([getattr(value, field.name) for value in values], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _plain(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _document_to_row(document: Document) -> dict[str, Any]:
    meta = _plain(document.meta) | {
        "ids": [{"kind": kind, "value": value} for kind, value in document.meta.ids],
        "removed_codes": [_plain(code) for code in document.meta.removed_codes],
        "headings": _plain_list(document.meta.headings),
        "corrections": _plain_list(document.meta.corrections),
    }
    return _plain(document) | {"passages": [_plain(passage) for passage in document.passages], "meta": meta}


def _plain_list(found: Sequence[Any] | None) -> list[dict[str, Any]] | None:
    return None if found is None else [_plain(one) for one in found]


def _given(found: Sequence[Any] | None, make: Callable[[Any], Any]) -> tuple[Any, ...] | None:
    return None if found is None else tuple(map(make, found))


def _document_from_row(row: dict[str, Any]) -> Document:
    meta = row["meta"]
    tuples = {
        "ids": tuple((pair["kind"], pair["value"]) for pair in meta["ids"]),
        "keywords": tuple(meta["keywords"]),
        # A store of schema version 1 has no codes: its readers left them in the text.
        "removed_codes": tuple(RemovedCode(**code) for code in meta.get("removed_codes", ())),
        # Nor did the readers before schema version 3 look for these.
        "headings": _given(meta.get("headings"), lambda one: Heading(**one)),
        "publication_types": _given(meta.get("publication_types"), str),
        "corrections": _given(meta.get("corrections"), lambda one: Correction(**one)),
    }
    return Document(
        **row
        | {
            "passages": tuple(Passage(**passage) for passage in row["passages"]),
            "meta": DocumentMeta(**meta | tuples),
        }
    )


_PLACE = ("shard", "label_set", "passage_index", "sentence_index")


def _reject_to_row(row: RejectRow) -> dict[str, Any]:
    return _plain(row.reject) | {name: getattr(row, name) for name in _PLACE}


def _reject_from_row(row: dict[str, Any]) -> RejectRow:
    place = {name: row.pop(name) for name in _PLACE}
    return RejectRow(Reject(**row | {"reason": RejectReason(row["reason"])}), **place)
