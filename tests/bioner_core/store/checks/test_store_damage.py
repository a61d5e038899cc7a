"""Damage on disk is noticed: what `verify` passes and what `compact` takes is what was written."""

import contextlib
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from store_samples import commit_sample, descriptor, every_file

from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.history.ledger import AppliedFile, record_applied, utc_now
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts
from bioner_core.store.reading import read_manifests
from bioner_core.store.snapshot.snapshot_reading import open_snapshot
from tests.stored_rows import deletion_rows, document_rows, mention_rows, reject_rows

FLIPS = 1_000
SEED = 18


def _flip(path: Path, chance: random.Random, within: tuple[int, int] | None = None) -> bytes:
    """Flip one bit of a file, of its bytes from one place to another if they are given; returns what it held."""
    before = path.read_bytes()
    first, last = within or (0, len(before))
    place = chance.randrange(first * 8, last * 8)
    changed = bytearray(before)
    changed[place // 8] ^= 1 << place % 8
    path.write_bytes(changed)
    return before


def test_no_flipped_bit_comes_into_a_snapshot(tmp_path: Path) -> None:
    """Catches bit rot that compaction copies: without digests 22 of 100 flips gave other rows in silence."""
    manifest = commit_sample(tmp_path)
    chance = random.Random(SEED)
    paths = [tmp_path / file.path for file in manifest.files]
    assert len(paths) == 4
    for number in range(FLIPS):
        path = paths[number % len(paths)]
        before = _flip(path, chance)
        with pytest.raises(StoreError, match="has changed since it was written") as told:
            compact_store(Store(tmp_path))
        assert path.name in str(told.value)
        path.write_bytes(before)
    assert not list((tmp_path / "snapshots").glob("*")) or open_snapshot(Store(tmp_path)) is None
    assert compact_store(Store(tmp_path)).made


def test_readers_of_shards_give_no_changed_row(tmp_path: Path) -> None:
    """Catches a reader that trusts Parquet's checksums: they cover pages and not their heads, nor the footer."""
    assert _rows(tmp_path, commit=True)
    chance = random.Random(SEED)
    paths = [tmp_path / file.path for one in read_manifests(Store(tmp_path)) for file in one.files]
    for number in range(400):
        path = paths[number % len(paths)]
        before = _flip(path, chance)
        with pytest.raises(DamagedFileError, match=path.name):
            _rows(tmp_path)
        path.write_bytes(before)


def test_one_document_is_read_with_the_checksums_of_its_pages(tmp_path: Path) -> None:
    """Catches files of a snapshot that are written without page checksums, or read without a look at them: of one
    document a whole file is not compared."""
    commit_sample(tmp_path)
    compact_store(Store(tmp_path))
    snapshot = open_snapshot(Store(tmp_path))
    assert snapshot is not None
    expected = snapshot.document("pubmed:1")
    assert expected is not None
    chance = random.Random(SEED)
    [path] = (tmp_path / "snapshots").glob("*/documents/*/*.parquet")
    for number in range(100):
        before = _flip(path, chance, _within_a_page(path))
        with contextlib.suppress(StoreError):
            assert snapshot.document("pubmed:1") == expected, f"flip {number}"
        path.write_bytes(before)


def _within_a_page(path: Path) -> tuple[int, int]:
    """The last bytes of a file's longest column, which are of a page and not of its head."""
    group = pq.read_metadata(path).row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    found = max(columns, key=lambda one: one.total_compressed_size)
    end = (found.dictionary_page_offset or found.data_page_offset) + found.total_compressed_size
    return end - 12, end


def _rows(store: Path, *, commit: bool = False) -> list[object]:
    if commit:
        commit_sample(store)
    tables = (
        document_rows(Store(store)),
        mention_rows(Store(store)),
        reject_rows(Store(store)),
        deletion_rows(Store(store)),
    )
    return [row for table in tables for row in table]


def test_a_lost_file_is_named_by_compact(tmp_path: Path) -> None:
    """Catches `free some space` said of a file that is gone, with a traceback in the message."""
    manifest = commit_sample(tmp_path)
    (tmp_path / manifest.files[1].path).unlink()
    with pytest.raises(StoreError, match=manifest.files[1].path) as told:
        compact_store(Store(tmp_path))
    assert "Traceback" not in str(told.value)
    assert "space" not in str(told.value)
    assert f"manifests/{manifest.shard_id}.json" in str(told.value)


def test_a_manifest_under_another_name_does_not_double_its_shard(tmp_path: Path) -> None:
    """Catches a copy that a sync tool left: each document of its shard would be shown twice."""
    manifest = commit_sample(tmp_path)
    path = tmp_path / "manifests" / f"{manifest.shard_id}.json"
    shutil.copy(path, path.with_name(f"{manifest.shard_id} (conflict).json"))
    with pytest.raises(StoreError, match="under another name"):
        list(document_rows(Store(tmp_path)))
    report = verify_store(Store(tmp_path))
    assert report.fault_count == 1
    assert "Remove that file" in report.faults[0]
    assert report.shards == 1


def test_verify_lists_all_that_is_wrong(tmp_path: Path) -> None:
    """Catches a check that stops at the first bad file, so that the next is found a night later."""
    first = commit_sample(tmp_path)
    second = commit_sample(tmp_path, of=descriptor(4, 8))
    third = commit_sample(tmp_path, of=descriptor(8, 12))
    record_applied(Store(tmp_path), _entry(first.input_digest))
    (tmp_path / "manifests" / f"{first.shard_id}.json").write_text("")
    (tmp_path / second.files[0].path).unlink()
    _flip(tmp_path / third.files[1].path, random.Random(SEED))
    [entry] = (tmp_path / "ledger" / "pubmed").iterdir()
    entry.write_text("{")
    faults = "\n".join(verify_store(Store(tmp_path)).faults)
    for words in (first.shard_id, second.files[0].path, third.files[1].path, entry.name):
        assert words in faults
    assert faults.count("emove") >= 4
    assert any(name.endswith(".parquet") for name in every_file(tmp_path))


def _entry(digest: str) -> AppliedFile:
    return AppliedFile(
        kind="pubmed",
        name="a.xml",
        order=(1,),
        input_key="k",
        bytes=1,
        md5="",
        sha256=digest,
        stamp="s",
        fingerprint="f",
        run_id="r",
        applied=utc_now(),
        seconds=0.0,
        rows_sent=0,
        counts=Counts(),
    )


def test_a_manifest_is_of_the_shard_that_it_names(tmp_path: Path) -> None:
    """Catches a manifest that was renamed whole: its rows would count under a range that is not theirs."""
    manifest = commit_sample(tmp_path)
    other = replace(descriptor(4, 8))
    path = tmp_path / "manifests" / f"{manifest.shard_id}.json"
    path.rename(path.with_name(f"{other.shard_id}.json"))
    with pytest.raises(StoreError, match=manifest.shard_id):
        list(read_manifests(Store(tmp_path)))
