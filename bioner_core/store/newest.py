"""The newest version of each document with its mentions: the one way in for exports and viewers.

They come from the current snapshot where there is one, otherwise from the committed shards.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from bioner_core.errors import StoreError
from bioner_core.store.document_mentions import DocumentMentions, joined, joined_batches
from bioner_core.store.history.current import CurrentShard, current_shards
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.parquet_files import read_parquet
from bioner_core.store.paths import StorePath
from bioner_core.store.reading import shard_batches, shown_manifests
from bioner_core.store.rows import documents_from_arrow, mentions_from_arrow
from bioner_core.store.snapshot.run_history import RunHistory, shard_rows
from bioner_core.store.snapshot.snapshot_reading import Snapshot, open_snapshot


@dataclass(frozen=True, slots=True)
class DocumentOrigin:
    """Where the newest version of a document is read from; a text or mentions that may differ have another `key`."""

    doc_id: str
    key: str


class NewestState(Protocol):
    """What was opened: it stays the same while it is read."""

    @property
    def origin(self) -> str:
        """`snapshot:<id>`, or `shards`."""
        ...

    def documents(self, *, only: Collection[str] | None = None) -> Iterator[DocumentMentions]:
        """The newest version of each document, or of `only` these ids, with all mention candidates, in bounded memory.

        Raises:
            StoreError: the store is damaged, or of a newer schema version.
        """
        ...

    def origins(self) -> Iterator[DocumentOrigin]:
        """Where each of `documents` is read from, in their order; no text is read.

        Raises:
            StoreError: as `documents`.
        """
        ...

    def document(self, doc_id: str) -> DocumentMentions | None:
        """One of `documents`, None where there is no such one; reads little more than its rows.

        Raises:
            StoreError: as `documents`.
        """
        ...


def open_newest(store: Store) -> NewestState:
    """Open the newest state of a store.

    Raises:
        StoreError: the current snapshot is damaged, or of a newer schema version.
    """
    snapshot = open_snapshot(store)
    return _Shards(store) if snapshot is None else _OfSnapshot(snapshot)


@dataclass(frozen=True, slots=True)
class _OfSnapshot:
    """The documents of a snapshot, source by source."""

    snapshot: Snapshot

    @property
    def origin(self) -> str:
        return f"snapshot:{self.snapshot.manifest.snapshot_id}"

    def documents(self, *, only: Collection[str] | None = None) -> Iterator[DocumentMentions]:
        fingerprints = self._fingerprints()
        for part in self._parts():
            documents, mentions, lineage = (
                _of(only, part.batches(table)) for table in ("documents", "mentions", "lineage")
            )
            shards = _shards_of(lineage)
            for found in joined_batches(documents, mentions):
                yield replace(found, fingerprint=fingerprints.get(next(shards, ""), ""))

    def origins(self) -> Iterator[DocumentOrigin]:
        self.snapshot.compare("shards")
        rows = (row for path in self.snapshot.paths("shards") for row in _read(path).to_pylist())
        keys = {str(row["shard"]): _shard_key(row) for row in rows}
        for part in self._parts():
            for batch in part.batches("lineage"):
                for row in batch.to_pylist():
                    yield _origin(row["doc_id"], row["version"], row["record_number"], keys[row["shard"]])

    def _parts(self) -> Iterator[Snapshot]:
        """The snapshot source by source: `joined` needs one order of `doc_id`, which the files of one source have."""
        for source in sorted({file.source for file in self.snapshot.manifest.files if file.table == "documents"}):
            yield _part(self.snapshot, source)

    def document(self, doc_id: str) -> DocumentMentions | None:
        document = self.snapshot.document(doc_id)
        if document is None:
            return None
        shards = _shards_of(self.snapshot.batches("lineage", doc_id=doc_id))
        fingerprint = self._fingerprints().get(next(shards, ""), "")
        return next(joined([document], self.snapshot.mentions_of(doc_id), fingerprint=fingerprint))

    def _fingerprints(self) -> dict[str, str]:
        """The fingerprint of each shard that the snapshot was made of."""
        found: dict[str, str] = {}
        for path in self.snapshot.paths("shards"):
            table = _read(path, columns=["shard", "fingerprint"])
            found |= dict(zip(table.column(0).to_pylist(), table.column(1).to_pylist(), strict=True))
        return found


def _part(snapshot: Snapshot, source: str) -> Snapshot:
    files = tuple(file for file in snapshot.manifest.files if file.source == source)
    return replace(snapshot, manifest=replace(snapshot.manifest, files=files))


def _shards_of(lineage: Iterable[pa.RecordBatch]) -> Iterator[str]:
    """The shard of each document, in the order of the documents of one source."""
    for batch in lineage:
        yield from batch.column("shard").to_pylist()


def _of(only: Collection[str] | None, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows of the wanted documents, which are told before anything is made of them."""
    if only is None:
        yield from batches
        return
    wanted = pa.array(sorted(only), pa.string())
    for batch in batches:
        yield batch.filter(pc.is_in(batch.column("doc_id"), value_set=wanted))


def _origin(doc_id: str, version: int, record_number: int, shard_key: str) -> DocumentOrigin:
    return DocumentOrigin(doc_id, f"{version}.{record_number}.{shard_key}")


def _shard_key(row: Mapping[str, object]) -> str:
    """A digest of what a shard says of itself: it is another one when the shard was annotated or finished again."""
    facts = sorted((name, value) for name, value in row.items() if name != "run_id")
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Shards:
    """The newest documents among the committed shards of a store."""

    store: Store

    @property
    def origin(self) -> str:
        return "shards"

    def documents(self, *, only: Collection[str] | None = None) -> Iterator[DocumentMentions]:
        for shard in current_shards(self.store):
            documents, mentions = (
                _of(only, shard_batches(self.store, shard.manifest, table=table)) for table in ("documents", "mentions")
            )
            yield from _current(shard, joined_batches(documents, mentions, fingerprint=shard.manifest.fingerprint))

    def origins(self) -> Iterator[DocumentOrigin]:
        columns = ["doc_id", "version", "meta.record_number"]
        for shard in current_shards(self.store):
            [row] = [row for batch in shard_rows([shard.manifest], RunHistory()) for row in batch.to_pylist()]
            key = _shard_key(row)
            for batch in shard_batches(self.store, shard.manifest, table="documents", columns=columns):
                for one in batch.to_pylist():
                    number = one["meta"]["record_number"]
                    if number in shard.record_numbers:
                        yield _origin(one["doc_id"], one["version"], number, key)

    def document(self, doc_id: str) -> DocumentMentions | None:
        manifests = shown_manifests(self.store)
        holders = {one.shard_id for one in manifests if self._rows(one, "documents", doc_id)}
        for shard in current_shards(self.store) if holders else ():
            if shard.manifest.shard_id in holders:
                for found in _current(shard, self._one(shard.manifest, doc_id)):
                    return found
        return None

    def _one(self, manifest: Manifest, doc_id: str) -> Iterator[DocumentMentions]:
        documents = [one for table in self._rows(manifest, "documents", doc_id) for one in documents_from_arrow(table)]
        mentions = [one for table in self._rows(manifest, "mentions", doc_id) for one in mentions_from_arrow(table)]
        return joined(documents, mentions, fingerprint=manifest.fingerprint)

    def _rows(self, manifest: Manifest, table: str, doc_id: str) -> list[pa.Table]:
        """The rows of one document, a table per file that has some; row groups without it are not read."""
        paths = [self.store.file(file.path) for file in manifest.files if file.table == table]
        found = [_read(path, filters=[("doc_id", "==", doc_id)]) for path in paths]
        return [one for one in found if one.num_rows]


def _current(shard: CurrentShard, documents: Iterator[DocumentMentions]) -> Iterator[DocumentMentions]:
    return (one for one in documents if one.document.meta.record_number in shard.record_numbers)


def _read(
    path: StorePath, *, columns: list[str] | None = None, filters: list[tuple[str, str, str]] | None = None
) -> pa.Table:
    try:
        return read_parquet(path, columns=columns, filters=filters)
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}). Run `bioner verify`, then restore the file") from error
