"""Documents whose text the store has annotated before keep their candidates: copied, not computed.

They are copied into the new shard and finished there, so that every shard holds all it names, whatever becomes of older
ones.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bioner_core.document_pass.finish import decoder_candidates
from bioner_core.documents import Document
from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.formats.reader import UNKNOWN, read_records
from bioner_core.mentions import Mention
from bioner_core.store.atomic import remove_stale, replacing
from bioner_core.store.committed import files_are_there, needs_no_decoding, whole_manifest
from bioner_core.store.history.document_index import TEXT_DIGEST_BYTES, matching_rows, shard_state, text_digest
from bioner_core.store.history.known_texts import KnownTexts
from bioner_core.store.layout import ShardDescriptor, Store, input_key_of
from bioner_core.store.manifest import Manifest
from bioner_core.store.mention_ids import document_prefix
from bioner_core.store.parquet_files import read_parquet
from bioner_core.store.paths import StorePath
from bioner_core.store.reading import shard_batches
from bioner_core.store.rows import documents_from_arrow, mentions_from_arrow

_PLAN_SCHEMA = pa.schema(
    [
        pa.field("record_number", pa.int64(), nullable=False),
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("shard", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class _Precedent:
    """Where a text was annotated before."""

    doc_id: str
    version: int
    shard: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """The candidates of a document as a shard holds it, and the digest of the text that it holds there."""

    digest: bytes
    mentions: tuple[Mention, ...]


class CarriedMentions:
    """The candidates that the documents of one shard may keep, by record number; empty where nothing was planned."""

    def __init__(self, found: dict[int, _Kept] | None = None) -> None:
        self._found = found or {}

    def __contains__(self, document: Document) -> bool:
        """Whether the document keeps its candidates, and needs no annotation."""
        kept = self._found.get(document.meta.record_number)
        return kept is not None and kept.digest == text_digest(document)

    def of(self, document: Document, *, id_prefix: str) -> list[Mention]:
        """What the decoder gave for a document that keeps it, the ids beginning with `id_prefix`; not finished yet."""
        return [
            _readdressed(mention, document, id_prefix) for mention in self._found[document.meta.record_number].mentions
        ]


def plan_carry_over(
    store: Store,
    descriptors: Sequence[ShardDescriptor],
    *,
    fingerprint: str,
    decode: str,
    texts: KnownTexts | None = None,
) -> None:
    """Find the documents of one input whose text was decoded before as it would be now, and write down where.

    `fingerprint` is that of the run, `decode` its decode fingerprint. Shards that need no decoding are passed over.
    Whoever plans many inputs keeps one `texts` for all.

    Reads the input once, and the document indexes that have one of its texts; memory grows with the documents of this
    input alone.

    Raises:
        InputError: the input cannot be read.
        StoreError: the store cannot be written.
    """
    todo = [one for one in descriptors if not needs_no_decoding(store, one, fingerprint=fingerprint, decode=decode)]
    if not todo:
        return
    digests = _digests_of_input(descriptors[0])
    indexes = (texts or KnownTexts(store)).indexes_with(digests.values())
    # Invariant: an input never takes mentions from its own shards: these are replaced by the run that asks.
    others = [path for path in indexes if path.stem != input_key_of(todo[0].shard_id)]
    precedents = _precedents(store, digests, decode=decode, indexes=others)
    hits = [(number, precedents[digest]) for number, digest in digests.items() if digest in precedents]
    columns = {
        "record_number": [number for number, _ in hits],
        "doc_id": [precedent.doc_id for _, precedent in hits],
        "version": [precedent.version for _, precedent in hits],
        "shard": [precedent.shard for _, precedent in hits],
    }
    with replacing(_plan_path(store, todo[0])) as temporary:
        pq.write_table(pa.table(columns, schema=_PLAN_SCHEMA), temporary, write_page_checksum=True)


def carried_mentions(store: Store, descriptor: ShardDescriptor, *, decode: str) -> CarriedMentions:
    """What was planned for one shard, read from the older shards; what these no longer hold is left to the model.

    `decode` is the decode fingerprint of the run.

    Raises:
        StoreError: the plan is damaged.
    """
    planned = _planned(store, descriptor)
    by_shard: defaultdict[str, dict[tuple[str, int], list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, precedent in planned:
        by_shard[precedent.shard][precedent.doc_id, precedent.version].append(number)
    found: dict[int, _Kept] = {}
    for shard, wanted in by_shard.items():
        # Race: the shard may have been replaced since the plan was made, and since its index was. A document that it no
        # longer holds whole goes to the model; so do all of a shard that is damaged, or of another model by now.
        manifest = whole_manifest(store, shard)
        if manifest is not None and manifest.decode_fingerprint == decode:
            with suppress(DamagedFileError):
                found |= _kept(store, manifest, wanted)
    return CarriedMentions(found)


def discard_carry_over(store: Store, key: str) -> None:
    """Remove the plan of an input that is committed.

    Raises:
        StoreError: it cannot be removed.
    """
    remove_stale(store.carry_over_plan(key))


def _digests_of_input(descriptor: ShardDescriptor) -> dict[int, bytes]:
    name = None if descriptor.format_name == UNKNOWN else descriptor.format_name
    records = read_records(descriptor.input_file, format_name=name)
    return {one.meta.record_number: text_digest(one) for one in records if isinstance(one, Document)}


def _precedents(
    store: Store, digests: dict[int, bytes], *, decode: str, indexes: Sequence[StorePath]
) -> dict[bytes, _Precedent]:
    wanted = pa.array(sorted(set(digests.values())), pa.binary(TEXT_DIGEST_BYTES))
    usable: dict[tuple[str, str], bool] = {}
    found: dict[bytes, _Precedent] = {}
    for path in indexes:
        for row in _matching(path, wanted):
            digest, state, precedent = row.pop("text_digest"), row.pop("state"), _Precedent(**row)
            shard = precedent.shard, state
            if shard not in usable:
                usable[shard] = _is_usable(store, precedent.shard, decode=decode, state=state)
            if usable[shard]:
                found[digest] = precedent
    return found


def _matching(path: StorePath, wanted: pa.Array) -> list[dict[str, Any]]:
    """The rows of a document index; none of a damaged one, whose texts go to the model: no run fails because of it."""
    try:
        return list(matching_rows(path, wanted))
    except StoreError:
        return []


def _is_usable(store: Store, shard: str, *, decode: str, state: str) -> bool:
    manifest = whole_manifest(store, shard)
    # Invariant: candidates are taken from a shard of the same decode fingerprint only: another model or label set would
    # have answered otherwise. What is made of them is decided anew.
    if manifest is None or manifest.decode_fingerprint != decode:
        return False
    # A shard that was replaced since its index was made may hold less: a document may have been rejected meanwhile.
    return state in ("", shard_state(manifest)) and files_are_there(store, manifest)


def _planned(store: Store, descriptor: ShardDescriptor) -> list[tuple[int, _Precedent]]:
    path = _plan_path(store, descriptor)
    if not path.exists():
        return []
    number = pc.field("record_number")
    try:
        wanted = (number >= descriptor.first) & (number < descriptor.last)
        rows = read_parquet(path, filters=wanted).to_pylist()
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}). Remove it and run the same command again") from error
    return [(row.pop("record_number"), _Precedent(**row)) for row in rows]


def _kept(store: Store, manifest: Manifest, wanted: dict[tuple[str, int], list[int]]) -> dict[int, _Kept]:
    """What a shard holds of the wanted documents, by the numbers of the records that want them; only of those that
    stand in it once, and of which no sentence was rejected."""
    names = pa.array(sorted({doc_id for doc_id, _ in wanted}), pa.string())
    mentions: defaultdict[tuple[str, int], list[Mention]] = defaultdict(list)
    for hits in _rows_of(store, manifest, "mentions", names):
        for mention in decoder_candidates(mentions_from_arrow(hits)):
            mentions[mention.doc_id, mention.doc_version].append(mention)
    digests: defaultdict[tuple[str, int], list[bytes]] = defaultdict(list)
    for hits in _rows_of(store, manifest, "documents", names):
        for document in documents_from_arrow(hits):
            digests[document.doc_id, document.version].append(text_digest(document))
    faulty = {one for hits in _rows_of(store, manifest, "rejects", names) for one in hits.column("doc_id").to_pylist()}
    whole = {key: held[0] for key, held in digests.items() if len(held) == 1 and key[0] not in faulty}
    return {
        number: _Kept(whole[key], tuple(mentions[key]))
        for key, numbers in wanted.items()
        if key in whole
        for number in numbers
    }


def _rows_of(store: Store, manifest: Manifest, table: str, names: pa.Array) -> Iterator[pa.RecordBatch]:
    for batch in shard_batches(store, manifest, table=table):
        yield batch.filter(pc.is_in(batch.column("doc_id"), value_set=names))


def _readdressed(mention: Mention, document: Document, id_prefix: str) -> Mention:
    old = document_prefix(mention.doc_id, mention.doc_version)
    return replace(
        mention,
        mention_id=id_prefix + mention.mention_id.removeprefix(old),
        doc_version=document.version,
        parent_id=None if mention.parent_id is None else id_prefix + mention.parent_id.removeprefix(old),
    )


def _plan_path(store: Store, descriptor: ShardDescriptor) -> StorePath:
    return store.carry_over_plan(input_key_of(descriptor.shard_id))
