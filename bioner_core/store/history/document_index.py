"""The document index of an input: which record of it is which document, and a digest of each document's text.

One Parquet file per input, `register/<input key>.parquet`, made from its committed shards whenever it is missing or no
longer fits them. It answers two questions without reading a single text: which version of a document is the newest, and
whether a text was annotated before. It can be removed at any time.
"""

import hashlib
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bioner_core.documents import Document
from bioner_core.errors import StoreError
from bioner_core.file_digest import sha256_of_file
from bioner_core.formats.identifiers import record_keys
from bioner_core.store.atomic import replacing, write_text
from bioner_core.store.layout import Store, input_key_of
from bioner_core.store.left_behind import temporary_folder
from bioner_core.store.manifest import Manifest
from bioner_core.store.objects.fence import fence_of
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.parquet_files import open_parquet
from bioner_core.store.paths import StorePath, sorted_paths
from bioner_core.store.reading import shard_batches, shown_manifests
from bioner_core.store.rows import deletions_from_arrow, documents_from_arrow
from bioner_core.typed_json import loaded_json

TEXT_DIGEST_BYTES = 16
"""128 bits: of 10^9 texts, two with one digest are to be expected once in 10^20 stores."""

SCHEMA = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("record_number", pa.int64(), nullable=False),
        pa.field("shard", pa.string(), nullable=False),
        pa.field("deleted", pa.bool_(), nullable=False),
        pa.field("identity", pa.string(), nullable=False),
        pa.field("other_keys", pa.list_(pa.field("element", pa.string(), nullable=False)), nullable=False),
        pa.field("text_digest", pa.binary(TEXT_DIGEST_BYTES)),
        pa.field("characters", pa.int64(), nullable=False),
    ]
)
"""`identity` is the strongest key of a record's article, `other_keys` the weaker ones in their order; `text_digest` is
null where the mentions of a document must not be used again: it is a deletion, stands in its shard twice, or one of its
sentences has no result; `characters` are those of all passages."""

EXPORT_SOURCES = frozenset({"cnki", "wanfang"})
"""Sources whose records have no stable id: one article may come under several, and is known by several keys."""

INDEX_SUFFIX = ".parquet"
_SHARDS_KEY = b"bioner.shards"
"""Under which an index says of which state of each shard it is (`shard_state`); those from before do not say it."""

_GROUP_ROWS = 50_000
"""Documents in a row group of a document index: some megabytes, and few seeks for whoever scans the digests."""
_STATE_DIGITS = 16
"""Hexadecimal digits: two states of one shard that are equal by chance are one in 2^64."""
_LAYOUT = "2"
"""Rises when the meaning of a column changes; document indexes of another layout are made anew."""


def text_digest(document: Document) -> bytes:
    """A digest of a document's id and passages: where it is equal, mentions made by the same model are equal too."""
    passages = [(one.section, one.label, one.lang, one.text) for one in document.passages]
    words = json.dumps([document.doc_id, passages], ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(words.encode(), digest_size=TEXT_DIGEST_BYTES).digest()


def article_keys(document: Document) -> tuple[str, ...]:
    """What the article of a document is known by across inputs, the strongest key first."""
    return record_keys(document) if document.source in EXPORT_SOURCES else (document.doc_id,)


def manifests_by_input(store: Store) -> Iterator[tuple[str, list[Manifest]]]:
    """The committed shards of each input that can be shown, an input at a time.

    Raises:
        StoreError: a manifest is of a newer schema version.
    """
    found: defaultdict[str, list[Manifest]] = defaultdict(list)
    for manifest in shown_manifests(store):
        found[input_key_of(manifest.shard_id)].append(manifest)
    yield from sorted(found.items())


def refresh_index(store: Store, key: str, *, manifests: Sequence[Manifest], otherwise_in: Path | None = None) -> Path:
    """Make the document index of an input fit its shards; reads their documents only if it does not. Returns its path.

    Where the store may only be read, it is made in the folder `otherwise_in`, which the caller removes. Holds the rows
    of `_GROUP_ROWS` documents, and one shard, in memory.

    Raises:
        StoreError: a shard cannot be read, or the store cannot be written and there is no other folder.
    """
    path, state = store.document_index(key), _state(manifests)
    if isinstance(path, ObjectPath):
        return _of_object(path, store, manifests, state, folder=otherwise_in)
    # Invariant: a document index that does not fit its shards, or has changed on disk, is never used. Beside it stand
    # digests of the files that it was made from and of itself, so it needs no lock and may be removed at any time.
    if is_as_written(path, state):
        return path
    try:
        return _written(path, store, manifests, state)
    except StoreError:  # the file is opened first, so that nothing was read yet where the store cannot be written
        if otherwise_in is None:
            raise
        return _written(otherwise_in / path.name, store, manifests, state)


def _of_object(
    path: ObjectPath, store: Store, manifests: Sequence[Manifest], state: str, *, folder: Path | None
) -> Path:
    """The index as a file of this machine. A job that holds the store's lock puts it into the store as well.

    Without a folder it is only brought up to date, and what is returned is gone.
    """
    with ExitStack() as stack:
        place = folder or stack.enter_context(temporary_folder("index"))
        local = place / path.name
        with suppress(FileNotFoundError):
            local.write_bytes(path.read_bytes())
        if local.is_file() and is_as_written(path, state, content=local):
            return local
        _written(local, store, manifests, state)
        if fence_of(path.bucket, path.key) is not None:
            with replacing(path) as temporary:
                shutil.copyfile(local, temporary)
            note_digest(path, state, digest=sha256_of_file(local))
        return local


def _written(path: Path, store: Store, manifests: Sequence[Manifest], state: str) -> Path:
    states = json.dumps({manifest.shard_id: shard_state(manifest) for manifest in manifests})
    schema = SCHEMA.with_metadata({_SHARDS_KEY: states.encode()})
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        for group in _row_groups(_shard_rows(store, manifest) for manifest in manifests):
            writer.write_table(group)
    note_digest(path, state)
    return path


def index_files(store: Store) -> list[StorePath]:
    """All document indexes of a store, by input key."""
    return sorted_paths(store.register.glob(f"[!.]*{INDEX_SUFFIX}"))


def text_digests(path: StorePath) -> Iterator[bytes]:
    """The digests of an index's texts, a row group at a time, one after another in `TEXT_DIGEST_BYTES` each.

    Nothing is compared: a digest may be damaged.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        with open_parquet(path) as parquet:
            for group in range(parquet.num_row_groups):
                for found in parquet.read_row_group(group, columns=["text_digest"]).column(0).drop_null().chunks:
                    start, end = (place * TEXT_DIGEST_BYTES for place in (found.offset, found.offset + len(found)))
                    yield bytes(found.buffers()[1][start:end]) if len(found) else b""
    except (OSError, ValueError) as error:
        raise unreadable_index(path, error) from error


def unreadable_index(path: StorePath, error: Exception) -> StoreError:
    """That an index cannot be read, and what to do."""
    return StoreError(f"{path}: cannot be read ({error}). Remove it: it is made anew when it is needed")


def matching_rows(path: StorePath, digests: pa.Array) -> Iterator[dict[str, Any]]:
    """The rows of a document index whose `text_digest` is one of these: `text_digest`, `doc_id`, `version` and `shard`.

    `state` is the `shard_state` of the shard that the row was read from, empty where the index does not say it.

    Where nothing matches only the column of digests is read. Where something does, the file is compared with the digest
    beside it: mentions are copied on its word, and Parquet's own checksums do not cover all of it.

    Raises:
        StoreError: the file is damaged, or nothing vouches for it.
    """
    compared = False
    try:
        with open_parquet(path) as parquet:
            states = loaded_json((parquet.schema_arrow.metadata or {}).get(_SHARDS_KEY, b"{}").decode())
            for group in range(parquet.num_row_groups):
                found = parquet.read_row_group(group, columns=["text_digest"]).column(0)
                matches = pc.is_in(found, value_set=digests)
                if pc.any(matches).as_py():
                    if not compared and not _is_intact(path):
                        raise ValueError("it is not what its digest says")
                    compared = True
                    named = parquet.read_row_group(group, columns=["text_digest", "doc_id", "version", "shard"])
                    for row in named.filter(matches).to_pylist():
                        yield row | {"state": states.get(row["shard"], "")}
    except (OSError, ValueError) as error:
        raise unreadable_index(path, error) from error


def shard_state(manifest: Manifest) -> str:
    """A digest of all of a shard that its rows in a document index depend on."""
    parts = [file.sha256 for file in manifest.files if file.table != "mentions"]
    return hashlib.sha256(json.dumps([_LAYOUT, parts]).encode()).hexdigest()[:_STATE_DIGITS]


def _state(manifests: Iterable[Manifest]) -> str:
    parts = [(one.shard_id, [file.sha256 for file in one.files if file.table != "mentions"]) for one in manifests]
    return hashlib.sha256(json.dumps([_LAYOUT, parts]).encode()).hexdigest()


def _row_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Few large tables of many small ones: a row group costs a seek and a decoder to whoever scans."""
    waiting: list[pa.Table] = []
    rows = 0
    for table in tables:
        waiting.append(table)
        rows += table.num_rows
        if rows >= _GROUP_ROWS:
            yield pa.concat_tables(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


def _shard_rows(store: Store, manifest: Manifest) -> pa.Table:
    rows = [*_document_rows(store, manifest), *_deletion_rows(store, manifest)]
    times = Counter((row["doc_id"], row["version"]) for row in rows if not row["deleted"])
    faulty = _rejected_ids(store, manifest)
    for row in rows:
        if row["doc_id"] in faulty or times[row["doc_id"], row["version"]] > 1:
            row["text_digest"] = None
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _document_rows(store: Store, manifest: Manifest) -> Iterator[dict[str, object]]:
    for batch in shard_batches(store, manifest, table="documents"):
        for document in documents_from_arrow(batch):
            identity, *others = article_keys(document)
            yield {
                "doc_id": document.doc_id,
                "version": document.version,
                "record_number": document.meta.record_number,
                "shard": manifest.shard_id,
                "deleted": False,
                "identity": identity,
                "other_keys": others,
                "text_digest": text_digest(document),
                "characters": sum(len(one.text) for one in document.passages),
            }


def _deletion_rows(store: Store, manifest: Manifest) -> Iterator[dict[str, object]]:
    for batch in shard_batches(store, manifest, table="deletions"):
        for deletion in deletions_from_arrow(batch):
            yield {
                "doc_id": deletion.doc_id,
                "version": deletion.version,
                "record_number": deletion.record_number,
                "shard": manifest.shard_id,
                "deleted": True,
                "identity": deletion.doc_id,
                "other_keys": [],
                "text_digest": None,
                "characters": 0,
            }


def _rejected_ids(store: Store, manifest: Manifest) -> set[str]:
    batches = shard_batches(store, manifest, table="rejects", columns=["doc_id"])
    return {doc_id for batch in batches for doc_id in batch.column(0).to_pylist()}


def note_digest(index: StorePath, state: str, *, digest: str = "") -> None:
    """Write down that this file, as it is now, is the index of these shards; `digest` is its own, where it is known.

    Raises:
        StoreError: the folder cannot be written.
    """
    write_text(_path(index), f"{state} {digest or sha256_of_file(index)}\n")


def is_as_written(index: StorePath, state: str, *, content: Path | None = None) -> bool:
    """Whether the index is of these shards, and its bytes are those that were written; reads all of it.

    They are read from `content`, where it was fetched to one.
    """
    try:
        return _path(index).read_text(encoding="utf-8").split() == [state, sha256_of_file(content or index)]
    except (OSError, UnicodeDecodeError):  # there is none, or nothing vouches for it: it is made anew
        return False


def _is_intact(index: StorePath) -> bool:
    """Whether the bytes of the index are those that were written, of whatever shards."""
    try:
        return _path(index).read_text(encoding="utf-8").split()[1:] == [sha256_of_file(index)]
    except (OSError, UnicodeDecodeError):
        return False


def _path(index: StorePath) -> StorePath:
    return index.with_suffix(".sha256")
