"""The newest version of each document with its mentions: the one way in for exports and viewers.

They come from the current snapshot where there is one, otherwise from the committed shards.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

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

_SHARDS_AT_ONCE = 1_000
"""Rows of the table `shards` that are Python's at once: each has some forty values."""


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

    def by_source(self) -> dict[str, Iterator[DocumentMentions]]:
        """`documents`, those of each source apart; a source is read as far as its documents are asked for.

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

    def shards(self) -> Iterator[Mapping[str, Any]]:
        """The rows of the table `shards` that this state was made of: label sets, fingerprints, time of the commit.

        Raises:
            StoreError: as `documents`.
        """
        ...


def open_newest(store: Store) -> NewestState:
    """Open the newest state of a store.

    Raises:
        StoreError: the current snapshot is damaged, or of a newer schema version.
    """
    return newest_of(store, open_snapshot(store))


def newest_of(store: Store, snapshot: Snapshot | None) -> NewestState:
    """The newest state of a store whose snapshot is open already; None where it has none."""
    return _Shards(store) if snapshot is None else _OfSnapshot(snapshot)


def shard_keys(newest: NewestState) -> dict[str, str]:
    """The last part of the `DocumentOrigin.key` of documents of each shard; version and record number are before it.

    Raises:
        StoreError: the store is damaged.
    """
    return {str(row["shard"]): _shard_key(row) for row in newest.shards()}


@dataclass(frozen=True, slots=True)
class _OfSnapshot:
    """The documents of a snapshot, source by source."""

    snapshot: Snapshot

    @property
    def origin(self) -> str:
        return f"snapshot:{self.snapshot.manifest.snapshot_id}"

    def documents(self, *, only: Collection[str] | None = None) -> Iterator[DocumentMentions]:
        about = self._about_shards()
        for part in self._parts():
            yield from self._documents_of(part, about, only)

    def by_source(self) -> dict[str, Iterator[DocumentMentions]]:
        about = self._about_shards()
        return {part.manifest.files[0].source: self._documents_of(part, about, None) for part in self._parts()}

    @staticmethod
    def _documents_of(
        part: Snapshot, about: Mapping[str, tuple[str, str]], only: Collection[str] | None
    ) -> Iterator[DocumentMentions]:
        documents, mentions, lineage = (
            _of(only, part.batches(table)) for table in ("documents", "mentions", "lineage")
        )
        shards = _shards_of(lineage)
        for found in joined_batches(documents, mentions):
            shard = next(shards, "")
            yield _placed(found, *about[shard]) if shard in about else found

    def _about_shards(self) -> dict[str, tuple[str, str]]:
        """The fingerprint and the key of each shard."""
        return {str(row["shard"]): (str(row["fingerprint"]), _shard_key(row)) for row in self.shards()}

    def shards(self) -> Iterator[Mapping[str, Any]]:
        self.snapshot.compare("shards")
        for path in self.snapshot.paths("shards"):
            for batch in _read(path).to_batches(max_chunksize=_SHARDS_AT_ONCE):
                yield from batch.to_pylist()

    def origins(self) -> Iterator[DocumentOrigin]:
        keys = shard_keys(self)
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
        found = next(joined([document], self.snapshot.mentions_of(doc_id)))
        shard = next(_shards_of(self.snapshot.batches("lineage", doc_id=doc_id)), "")
        tables = (_read(path, filters=[("shard", "==", shard)]) for path in self.snapshot.paths("shards"))
        row = next((row for table in tables for row in table.to_pylist()), None)
        return found if row is None else _placed(found, str(row["fingerprint"]), _shard_key(row))


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


def _placed(found: DocumentMentions, fingerprint: str, shard_key: str) -> DocumentMentions:
    document = found.document
    origin = _origin(document.doc_id, document.version, document.meta.record_number, shard_key)
    return replace(found, fingerprint=fingerprint, origin=origin.key)


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
            yield from self._documents_of(shard, only)

    def by_source(self) -> dict[str, Iterator[DocumentMentions]]:
        sources = sorted({one.source for one in shown_manifests(self.store)})
        return {source: self._of_source(source) for source in sources}

    def _of_source(self, source: str) -> Iterator[DocumentMentions]:
        for shard in current_shards(self.store):
            if shard.manifest.source == source:
                yield from self._documents_of(shard, None)

    def _documents_of(self, shard: CurrentShard, only: Collection[str] | None) -> Iterator[DocumentMentions]:
        documents, mentions = (
            _of(only, shard_batches(self.store, shard.manifest, table=table)) for table in ("documents", "mentions")
        )
        return _current(shard, joined_batches(documents, mentions))

    def shards(self) -> Iterator[Mapping[str, Any]]:
        return map(_row_of, shown_manifests(self.store))

    def origins(self) -> Iterator[DocumentOrigin]:
        columns = ["doc_id", "version", "meta.record_number"]
        for shard in current_shards(self.store):
            key = _key_of(shard.manifest)
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
        return joined(documents, mentions)

    def _rows(self, manifest: Manifest, table: str, doc_id: str) -> list[pa.Table]:
        """The rows of one document, a table per file that has some; row groups without it are not read."""
        paths = [self.store.file(file.path) for file in manifest.files if file.table == table]
        found = [_read(path, filters=[("doc_id", "==", doc_id)]) for path in paths]
        return [one for one in found if one.num_rows]


def _current(shard: CurrentShard, documents: Iterator[DocumentMentions]) -> Iterator[DocumentMentions]:
    fingerprint, key = shard.manifest.fingerprint, _key_of(shard.manifest)
    current = (one for one in documents if one.document.meta.record_number in shard.record_numbers)
    return (_placed(one, fingerprint, key) for one in current)


def _key_of(manifest: Manifest) -> str:
    return _shard_key(_row_of(manifest))


def _row_of(manifest: Manifest) -> Mapping[str, Any]:
    [row] = [row for batch in shard_rows([manifest], RunHistory()) for row in batch.to_pylist()]
    return dict(row)


def _read(
    path: StorePath, *, columns: list[str] | None = None, filters: list[tuple[str, str, str]] | None = None
) -> pa.Table:
    try:
        return read_parquet(path, columns=columns, filters=filters)
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}). Run `bioner verify`, then restore the file") from error
