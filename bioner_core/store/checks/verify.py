"""The check of a whole store that anyone can run: every count, every file, every mention's place in its text.

Memory is bounded by the largest shard.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from bioner_core.errors import StoreError
from bioner_core.linking.link_table import changed_link_files, current_links
from bioner_core.spoken import spoken_count
from bioner_core.store.checks.check_files import file_faults
from bioner_core.store.checks.check_mentions import mention_faults
from bioner_core.store.checks.check_snapshots import leftovers, pointer_faults, snapshot_faults
from bioner_core.store.history.ledger import AppliedFile, applied_files, damaged_entries, ledger_kinds
from bioner_core.store.history.model_notes import damaged_notes, read_pin
from bioner_core.store.layout import Store, input_key_of
from bioner_core.store.left_behind import left_behind
from bioner_core.store.manifest import Counts, Manifest, total
from bioner_core.store.reading import read_manifests
from bioner_core.store.snapshot.snapshot_manifest import snapshot_ids

MAX_FAULTS_KEPT = 100
"""How many faults a report spells out; all are counted."""


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What was checked and what is wrong; `faults` holds the first `MAX_FAULTS_KEPT` of `fault_count`.

    `leftovers` are folders of a compaction that is at work or was killed: no reader sees them, and the next one removes
    them, so they are no fault. `left_behind` are temporary files and folders of processes that were killed: the next
    job on the store removes them.
    """

    shards: int
    snapshots: int
    counts: Counts
    fault_count: int
    faults: tuple[str, ...]
    leftovers: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault_count == 0


@dataclass(slots=True)
class _Findings:
    count: int = 0
    kept: list[str] = field(default_factory=list)

    def add(self, fault: str) -> None:
        self.count += 1
        if self.count <= MAX_FAULTS_KEPT:
            self.kept.append(fault)


def verify_store(
    store: Store,
    *,
    on_shard: Callable[[Manifest], None] | None = None,
    on_snapshot: Callable[[str], None] | None = None,
) -> VerificationReport:
    """Check every committed shard and every snapshot; `on_shard` and `on_snapshot` are called after each, for progress.

    Checked are: the records of each manifest add up; each file has its size, digest, rows, schema and fingerprint; the
    rows of each table match the counts; `passage.text[start:end] == text` for every mention; each parent exists, is
    accepted and encloses; depths follow from parents; no `mention_id` occurs twice in a shard; no two shards of one
    input overlap; each file in the ledger has all its records in the store. Of snapshots: CURRENT names one that is
    there; each file has its digest, rows and schema; counts add up; no other file lies in their folders. The files of
    the links have the digests that their page says; that page, the store's precision and the notes of models can be
    read.

    A manifest or a ledger entry that cannot be read is a fault like others, and the rest is checked.
    """
    findings, counts = _Findings(), Counts()
    shards, ranges = 0, _Ranges()
    records: Counter[str] = Counter()
    for manifest in read_manifests(store, on_fault=lambda error: findings.add(str(error))):
        shards, counts = shards + 1, total((counts, manifest.counts))
        records[input_key_of(manifest.shard_id)] += manifest.counts.records_in
        for fault in _shard_faults(store, manifest, ranges):
            findings.add(f"shard {manifest.shard_id}: {fault}")
        if on_shard:
            on_shard(manifest)
    for fault in (*_ledger_faults(store, records), *_note_faults(store)):
        findings.add(fault)
    snapshots = _check_snapshots(store, findings, on_snapshot)
    return VerificationReport(
        shards,
        snapshots,
        counts,
        findings.count,
        tuple(findings.kept),
        tuple(leftovers(store)),
        tuple(store.name_of(path) for path in left_behind(store)),
    )


def _check_snapshots(store: Store, findings: _Findings, on_snapshot: Callable[[str], None] | None) -> int:
    for fault in pointer_faults(store):
        findings.add(fault)
    found = snapshot_ids(store)
    for snapshot_id in found:
        for fault in snapshot_faults(store, snapshot_id):
            findings.add(fault)
        if on_snapshot:
            on_snapshot(snapshot_id)
    return len(found)


def _ledger_faults(store: Store, records: Counter[str]) -> Iterator[str]:
    """A file that counts as applied is not looked at again, so a shard of it that is lost would stay lost."""
    yield from damaged_entries(store)
    for kind in ledger_kinds(store):
        with suppress(StoreError):  # an entry of a newer bioner, which is named above
            yield from _lost_records(applied_files(store, kind, on_damaged=lambda _: None), records)


def _lost_records(entries: Iterable[AppliedFile], records: Counter[str]) -> Iterator[str]:
    for entry in entries:
        if records[entry.input_key] != entry.counts.records_in:
            yield (
                f"{entry.name}: the ledger says {spoken_count(entry.counts.records_in, 'record')}, its shards hold "
                f"{records[entry.input_key]}. Remove its entries below ledger/{entry.kind}, and it is applied again"
            )


def _shard_faults(store: Store, manifest: Manifest, ranges: "_Ranges") -> Iterator[str]:
    """What is wrong with a shard, in words."""
    if not manifest.counts.balanced:
        yield f"records are lost or doubled: {manifest.counts.accounts}"
    if manifest.counts.records_in != manifest.last - manifest.first:
        yield f"records_in {manifest.counts.records_in} is not its range {manifest.first} to {manifest.last}"
    yield from ranges.overlaps(manifest)
    damaged = list(file_faults(store, manifest))
    remedy = f"Remove manifests/{manifest.shard_id}.json and annotate {manifest.input_file} again, or restore the file"
    yield from (f"{fault}. {remedy}" for fault in damaged)
    if not damaged:  # rows of a damaged file prove nothing
        yield from mention_faults(store, manifest)


def _note_faults(store: Store) -> Iterator[str]:
    """What is wrong with the small files beside the shards: precision, notes of models, page of the links."""
    try:
        read_pin(store)
    except StoreError as error:
        yield str(error)
    yield from damaged_notes(store)
    yield from _link_faults(store)


def _link_faults(store: Store) -> Iterator[str]:
    try:
        page = current_links(store)
    except StoreError as error:
        yield str(error)
        return
    if page is not None:
        yield from changed_link_files(store, page)


class _Ranges:
    """Remembers the last range of the input at hand: manifests come sorted by input and first record."""

    def __init__(self) -> None:
        self._input: tuple[str, str] | None = None
        self._last = 0
        self._shard = ""

    def overlaps(self, manifest: Manifest) -> Iterator[str]:
        """A fault if this shard's records overlap those of an earlier shard of the same input."""
        key = (input_key_of(manifest.shard_id), manifest.input_digest)
        if key == self._input and manifest.first < self._last:
            yield f"its records overlap those of shard {self._shard}"
        if key != self._input or manifest.last > self._last:
            self._input, self._last, self._shard = key, manifest.last, manifest.shard_id
