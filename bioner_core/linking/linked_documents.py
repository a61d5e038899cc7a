"""Documents with the concepts that their mentions are linked to, in bounded memory."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
import pyarrow as pa

from bioner_core.errors import StoreError
from bioner_core.linking.earlier_links import RowsInOrder, file_batches
from bioner_core.linking.link_table import LINKED, LinkPage, current_links
from bioner_core.store.document_mentions import DocumentMentions, MentionConcept
from bioner_core.store.layout import Store
from bioner_core.store.newest import open_newest
from bioner_core.store.parquet_files import read_parquet
from bioner_core.store.paths import StorePath

_COLUMNS = ["mention_id", "concept_id", "name", "rank"]

_LOOKS_AHEAD = 1000
"""How many of the documents that were linked are looked through for one that is not the next of them."""

_Rows = list[pa.RecordBatch]


def with_concepts(store: Store, documents: Iterable[DocumentMentions]) -> Iterator[DocumentMentions]:
    """The newest documents with their links of rank 1; as they are where the store was never linked.

    A document that was read elsewhere, or in another state, when the store was linked has no concepts: a record that is
    corrected under its old version has mentions of the same ids, and the links are of its old text.

    Links and documents stand in one order. A document that is new, or stands elsewhere, is looked up alone; links of a
    document that is gone are passed over. Where the two differ, 12 bytes are held for each document of the store.
    `with_own_concepts` is for one document alone.

    Raises:
        StoreError: the links are damaged.
    """
    page = current_links(store)
    if page is None:
        yield from documents
        return
    path = page.path(store, "links")
    places: _Places | None = None
    try:
        ahead = _LinksAhead(store, page)
        for place, found in enumerate(documents):
            doc_id = found.document.doc_id
            if ahead.doc_id not in (doc_id, None):
                places = places or _Places(one.doc_id for one in open_newest(store).origins())
                ahead.pass_to(doc_id, place=place, places=places)
            linked_as, rows = ahead.taken() if ahead.doc_id == doc_id else _looked_up(store, page, found)
            yield replace(found, concepts=_concepts(rows) if linked_as == found.origin else {})
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}). Run `bioner link` again") from error


def with_own_concepts(store: Store, found: DocumentMentions) -> DocumentMentions:
    """One of the newest documents with its links of rank 1, as `with_concepts`; nothing but its own rows is read.

    Raises:
        StoreError: the links are damaged.
    """
    page = current_links(store)
    if page is None:
        return found
    path = page.path(store, "links")
    try:
        linked_as, rows = _looked_up(store, page, found)
        return replace(found, concepts=_concepts(rows) if linked_as == found.origin else {})
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}). Run `bioner link` again") from error


class _Places:
    """At which place each of the newest documents stands; kept as numbers, since there may be tens of millions."""

    def __init__(self, doc_ids: Iterable[str]) -> None:
        keys = np.fromiter(map(hash, doc_ids), np.int64)
        self._order = np.argsort(keys).astype(np.int32)
        self._keys = keys[self._order]

    def of(self, doc_id: str) -> int | None:
        """The place of a document from 0; None where it is gone."""
        at = int(np.searchsorted(self._keys, hash(doc_id)))
        return int(self._order[at]) if at < len(self._keys) and self._keys[at] == hash(doc_id) else None


class _LinksAhead:
    """The links of all documents that were linked, in their order.

    A page from before it was kept which documents were linked has none ahead, and nothing tells of what text they are.
    """

    def __init__(self, store: Store, page: LinkPage) -> None:
        linked = page.path(store, LINKED)
        self._linked = _linked_documents(linked) if linked.is_file() else iter(())
        self._rows = RowsInOrder(page.path(store, "links"), _COLUMNS)
        self._ahead = deque(islice(self._linked, 1))

    @property
    def doc_id(self) -> str | None:
        """The next document; None at the end."""
        return self._ahead[0][0] if self._ahead else None

    def pass_to(self, doc_id: str, *, place: int, places: _Places) -> None:
        """Pass over links of documents that are gone or were looked up before this `place`; over others if it pays.

        Each document whose links are passed is looked up later, and each that comes before the next one's turn now.
        """
        while (ahead := self.doc_id) not in (doc_id, None) and not self._waits(ahead, place, places) > 0:
            self.taken()
        self._ahead += islice(self._linked, max(0, _LOOKS_AHEAD - len(self._ahead)))
        between = next((number for number, (one, _, _) in enumerate(self._ahead) if one == doc_id), None)
        if between and between < self._waits(self.doc_id, place, places):
            for _ in range(between):
                self.taken()

    @staticmethod
    def _waits(doc_id: str | None, place: int, places: _Places) -> int:
        """How many documents come before the turn of one; 0 where it has passed, or does not come."""
        its_place = None if doc_id is None else places.of(doc_id)
        return 0 if its_place is None else max(0, its_place - place)

    def taken(self) -> tuple[str, _Rows]:
        """Of what origin the next document was linked, and its links; it is passed."""
        _, origin, count = self._ahead.popleft()
        if not self._ahead:
            self._ahead += islice(self._linked, 1)
        return origin, self._rows.take(count)


def _linked_documents(path: StorePath) -> Iterator[tuple[str, str, int]]:
    names = ["doc_id", "origin", "links"]
    for batch in file_batches(path, names):
        yield from zip(*(batch.column(name).to_pylist() for name in names), strict=True)


def _looked_up(store: Store, page: LinkPage, found: DocumentMentions) -> tuple[str, _Rows]:
    """The origin of one document if it was linked as it is, else an empty one, and its links among those of all.

    Where it has no mention nothing is asked.
    """
    linked = page.path(store, LINKED)
    if not found.mentions or not linked.is_file():
        return "", []
    wanted = [("doc_id", "==", found.document.doc_id)]
    origins = read_parquet(linked, columns=["origin"], filters=wanted, verified=False).column(0).to_pylist()
    if found.origin not in origins:
        return "", []
    rows = read_parquet(page.path(store, "links"), columns=_COLUMNS, filters=wanted, verified=False)
    return found.origin, rows.to_batches()


def _concepts(rows: _Rows) -> dict[str, MentionConcept]:
    return {
        mention_id: MentionConcept(concept_id, name)
        for batch in rows
        for mention_id, concept_id, name, rank in zip(
            *(batch.column(column).to_pylist() for column in _COLUMNS), strict=True
        )
        if rank == 1 and concept_id is not None
    }
