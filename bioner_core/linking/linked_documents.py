"""Documents with the concepts that their mentions are linked to, in bounded memory."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

from bioner_core.errors import StoreError
from bioner_core.linking.link_table import current_links
from bioner_core.store.document_mentions import DocumentMentions, MentionConcept
from bioner_core.store.layout import Store
from bioner_core.store.parquet_files import open_parquet, read_parquet
from bioner_core.store.paths import StorePath

_BATCH_ROWS = 10_000
_COLUMNS = ["doc_id", "mention_id", "concept_id", "name", "rank"]


def with_concepts(store: Store, documents: Iterable[DocumentMentions]) -> Iterator[DocumentMentions]:
    """The documents with their links of rank 1; as they are where the store was never linked.

    Links stand in the order in which the documents were read; of documents that came since, or stand elsewhere now, the
    rows are looked up one by one.

    Raises:
        StoreError: the links are damaged.
    """
    page = current_links(store)
    if page is None:
        yield from documents
        return
    path = page.path(store, "links")
    try:
        groups = groupby(_rows(path), key=lambda row: row["doc_id"])
        ahead = next(groups, None)
        held = (ahead[0], list(ahead[1])) if ahead else None
        for found in documents:
            doc_id = found.document.doc_id
            if held is not None and held[0] == doc_id:
                rows = held[1]
                ahead = next(groups, None)
                held = (ahead[0], list(ahead[1])) if ahead else None
            else:
                rows = _looked_up(path, doc_id) if found.mentions else []
            yield replace(found, concepts=_concepts(rows))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}). Run `bioner link` again") from error


def _rows(path: StorePath) -> Iterator[dict[str, Any]]:
    with open_parquet(path) as parquet:
        for batch in parquet.iter_batches(_BATCH_ROWS, columns=_COLUMNS):
            yield from batch.to_pylist()


def _looked_up(path: StorePath, doc_id: str) -> list[dict[str, Any]]:
    found = read_parquet(path, columns=_COLUMNS, filters=[("doc_id", "==", doc_id)])
    return list(found.to_pylist())


def _concepts(rows: list[dict[str, Any]]) -> dict[str, MentionConcept]:
    return {
        row["mention_id"]: MentionConcept(row["concept_id"], row["name"])
        for row in rows
        if row["rank"] == 1 and row["concept_id"] is not None
    }
