"""The check of a store finds what is broken: each test breaks one thing by hand."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from store_samples import commit_sample, descriptor, document, mention, reject, writer

from bioner_core.errors import StoreError
from bioner_core.mentions import Mention
from bioner_core.store.checks.verify import MAX_FAULTS_KEPT, verify_store
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts, Manifest
from bioner_core.store.mention_ids import document_prefix
from bioner_core.store.reading import table_files
from bioner_core.store.rows import RejectRow

_OUTER = mention(0, 0, 21)
_INNER = mention(0, 0, 4, parent=_OUTER)


def _commit(store: Path, mentions: list[Mention]) -> Manifest:
    filled = writer(store, of=descriptor(0, 1))
    filled.add_documents([document(0)])
    filled.add_mentions(mentions)
    accepted = sum(one.accepted for one in mentions)
    counts = Counts(records_in=1, annotated=1, rows=2, mentions=len(mentions), mentions_accepted=accepted)
    return filled.commit(counts, seconds=0)


def test_a_sound_store_has_no_faults(tmp_path: Path) -> None:
    """Would catch a check that cries wolf."""
    commit_sample(tmp_path)
    commit_sample(tmp_path, of=descriptor(4, 8))
    seen: list[str] = []
    report = verify_store(Store(tmp_path), on_shard=lambda manifest: seen.append(manifest.shard_id))
    assert report.sound, report.faults
    assert (report.shards, len(seen), report.counts.records_in, report.counts.mentions) == (2, 2, 8, 6)


def test_an_empty_store_is_sound(tmp_path: Path) -> None:
    """Would catch a crash on a store that no run has written to yet."""
    assert verify_store(Store(tmp_path / "none")).sound


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (replace(_INNER, text="CD29"), "does not say what its passage says"),
        (mention(0, 17, 22, kind="x"), "does not say what its passage says"),
        (replace(mention(0, 4, 4), text=""), "does not say what its passage says"),
        (replace(_INNER, passage_index=2, mention_id="pubmed:0@1:p2:0-4:genia:protein"), "lies in passage 2 of 2"),
        (replace(_INNER, passage_index=-1, mention_id="pubmed:0@1:p-1:0-4:genia:protein"), "lies in passage -1"),
        (mention(7, 0, 4), "belongs to no document"),
        (replace(_INNER, doc_id="pubmed:9"), "belongs to no document"),
        (replace(_INNER, start=1, text="D28"), "belongs to no document"),
        (replace(_INNER, parent_id="gone"), "parent that is missing"),
        (replace(_INNER, depth=2), "has depth 2"),
        (replace(_INNER, parent_id=None), "no parent but depth 1"),
        (replace(_INNER, sentence_index=1), "not enclosed by its parent"),
        (replace(_INNER, label_set="other", mention_id="pubmed:0@1:p1:0-4:other:protein"), "not enclosed"),
        (
            replace(mention(0, 5, 12), parent_id="pubmed:0@1:p1:5-12:genia:protein", depth=1),
            "not enclosed by its parent",
        ),
        (replace(mention(0, 0, 21, kind="x"), parent_id=_OUTER.mention_id, depth=1), "not enclosed by its parent"),
        (_OUTER, "occurs twice"),
    ],
)
def test_a_wrong_mention_is_found(tmp_path: Path, broken: Mention, words: str) -> None:
    """Would catch a check that passes offsets, names or nesting that are wrong."""
    _commit(tmp_path, [_OUTER, broken])
    report = verify_store(Store(tmp_path))
    assert not report.sound
    assert any(words in fault for fault in report.faults), report.faults


def test_a_mention_in_the_first_passage_at_its_start_is_sound(tmp_path: Path) -> None:
    """Would catch a check that is off by one at the lowest passage and offset."""
    title = replace(mention(0, 0, 7), passage_index=0, text="A title", mention_id="pubmed:0@1:p0:0-7:genia:protein")
    _commit(tmp_path, [title])
    assert verify_store(Store(tmp_path)).sound


def test_a_parent_that_was_turned_down_is_found(tmp_path: Path) -> None:
    """Would catch a dropped entity that stands between two kept ones."""
    _commit(tmp_path, [replace(_OUTER, accepted=False), _INNER])
    assert "turned down" in verify_store(Store(tmp_path)).faults[0]


def test_repeated_documents_are_told_apart(tmp_path: Path) -> None:
    """Would catch mentions of the second copy of a document that are checked against the text of the first."""
    other = document(1, text="IL-2 binds")
    filled = writer(tmp_path, of=descriptor(0, 2))
    filled.add_documents([document(0), replace(other, doc_id="pubmed:0")])
    prefix = document_prefix("pubmed:0", 1, repeat_of_record=1)
    second = replace(_INNER, mention_id=f"{prefix}:p1:0-4:genia:protein", text="IL-2", parent_id=None, depth=0)
    filled.add_mentions([_OUTER, _INNER, second])
    filled.commit(Counts(records_in=2, annotated=2, mentions=3, mentions_accepted=3), seconds=0)
    assert verify_store(Store(tmp_path)).sound


def _edit(store: Path, shard: str, change: Callable[[dict[str, Any]], None]) -> None:
    path = store / "manifests" / f"{shard}.json"
    manifest = json.loads(path.read_text())
    manifest.pop("checksum")  # as bioner wrote manifests before they had one
    change(manifest)
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("records_in", "lost or doubled"),
        ("annotated", "lost or doubled"),
        ("unchanged", "lost or doubled"),
        ("mentions", "manifest says mentions 4"),
        ("mentions_accepted", "manifest says mentions_accepted 3"),
        ("row_rejects", "manifest says row_rejects 1"),
        ("last", "is not its range"),
    ],
)
def test_a_count_that_is_off_by_one_is_found(tmp_path: Path, field: str, words: str) -> None:
    """Would catch a manifest whose sums say more than its files hold."""
    manifest = commit_sample(tmp_path)
    _edit(tmp_path, manifest.shard_id, lambda flat: flat.update({field: flat[field] + 1}))
    assert any(words in fault for fault in verify_store(Store(tmp_path)).faults)


def test_record_and_row_rejects_are_counted_apart(tmp_path: Path) -> None:
    """Would catch a rejected sentence that is taken for a rejected record."""
    filled = writer(tmp_path, of=descriptor(0, 1))
    filled.add_documents([document(0)])
    filled.add_rejects([RejectRow(reject(0), "s", "genia", 1, 0)])
    manifest = filled.commit(Counts(records_in=1, annotated=1, rows=2, row_rejects=1), seconds=0)
    assert verify_store(Store(tmp_path)).sound

    def swap(flat: dict[str, Any]) -> None:
        flat.update(annotated=0, rejected=1, row_rejects=0)

    _edit(tmp_path, manifest.shard_id, swap)
    assert verify_store(Store(tmp_path)).fault_count == 3


def test_a_changed_a_missing_and_a_foreign_file_are_found(tmp_path: Path) -> None:
    """Would catch silent damage on disk."""
    manifest = commit_sample(tmp_path)
    changed, missing = tmp_path / manifest.files[0].path, tmp_path / manifest.files[1].path
    changed.write_bytes(changed.read_bytes() + b"x")
    missing.unlink()
    words = " ".join(verify_store(Store(tmp_path)).faults)
    assert "has changed since it was written" in words
    assert "cannot be read" in words


def test_a_file_of_another_run_is_found(tmp_path: Path) -> None:
    """Would catch a manifest that names files which another model has made."""
    manifest = commit_sample(tmp_path)
    _edit(tmp_path, manifest.shard_id, lambda flat: flat.update(fingerprint="f9"))
    assert any("another fingerprint" in fault for fault in verify_store(Store(tmp_path)).faults)


def test_overlapping_shards_are_found(tmp_path: Path) -> None:
    """Would catch doubled rows after the shard size was changed."""
    for first, last in ((0, 4), (2, 6), (6, 10)):
        commit_sample(tmp_path, of=descriptor(first, last))
    faults = verify_store(Store(tmp_path)).faults
    assert len(faults) == 1
    assert "overlap those of shard" in faults[0]


def test_many_faults_are_all_counted_but_not_all_kept(tmp_path: Path) -> None:
    """Would catch a report that eats the memory when everything is wrong, or one that forgets how much is."""
    _commit(tmp_path, [replace(mention(0, 0, 4, kind=f"t{one}"), text="x") for one in range(MAX_FAULTS_KEPT + 5)])
    report = verify_store(Store(tmp_path))
    assert report.fault_count == MAX_FAULTS_KEPT + 5
    assert len(report.faults) == MAX_FAULTS_KEPT


def test_queries_get_only_files_that_manifests_name(tmp_path: Path) -> None:
    """Would catch a query that reads what a killed run left behind."""
    manifest = commit_sample(tmp_path)
    named = [tmp_path / file.path for file in manifest.files if file.table == "mentions"]
    (named[0].parent / "stray.parquet").write_bytes(named[0].read_bytes())
    assert list(table_files(Store(tmp_path), "mentions")) == named
    with pytest.raises(StoreError, match=r"table 'x' is not one of documents, mentions"):
        list(table_files(Store(tmp_path), "x"))


def _compacted(store: Path) -> Path:
    """The folder of a snapshot of a sample store, in a file per table."""
    commit_sample(store)
    return Store(store).snapshot(compact_store(Store(store)).manifest.snapshot_id)


def test_a_sound_snapshot_has_no_faults_and_is_counted(tmp_path: Path) -> None:
    """Would catch a check of snapshots that cries wolf, and one that looks at none."""
    folder = _compacted(tmp_path)
    seen: list[str] = []
    report = verify_store(Store(tmp_path), on_snapshot=seen.append)
    assert report.sound, report.faults
    assert (report.snapshots, seen, report.leftovers) == (1, [folder.name], ())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"documents": 9}, "says 9 rows of documents, and names files with 2"),
        ({"mentions_accepted": 3}, "says 3 accepted mentions, its files hold 2"),
        ({"rejects": 0}, "says 0 rows of rejects, and names files with 1"),
        ({"snapshot_id": "20260101T000000_000000Z-0123456789ab"}, "is that of 20260101T000000_000000Z"),
        ({"schema_version": 99}, "newer than"),
        ({"files": 3}, "is not a manifest that bioner wrote"),
    ],
)
def test_a_snapshot_whose_manifest_lies_is_found(tmp_path: Path, wrong: dict[str, Any], words: str) -> None:
    """Would catch counts of a snapshot that nobody compares with its files."""
    path = _compacted(tmp_path) / "manifest.json"
    told = json.loads(path.read_text())
    told.pop("checksum")
    path.write_text(json.dumps(told | wrong))
    faults = verify_store(Store(tmp_path)).faults
    assert any(words in fault for fault in faults), faults


def test_each_fault_of_a_snapshot_names_the_file_and_the_mend(tmp_path: Path) -> None:
    """Would catch a lost, a changed or a foreign file in a snapshot that passes, or a fault that nobody can act on."""
    folder = _compacted(tmp_path)
    [mentions] = folder.glob("mentions/*/*.parquet")
    mentions.write_bytes(mentions.read_bytes()[:-1] + b"?")
    [documents] = folder.glob("documents/*/*.parquet")
    foreign = mentions.with_name("part-00009.parquet")
    documents.rename(foreign)
    faults = verify_store(Store(tmp_path)).faults
    assert len(faults) == 3
    for fault, path, words in zip(
        sorted(faults), sorted([documents, mentions, foreign]), ("cannot be read", "has changed", "not of"), strict=True
    ):
        assert path.relative_to(tmp_path).as_posix() in fault
        assert words in fault
        assert "Remove" in fault


def test_a_pointer_to_nothing_is_a_fault_and_leftovers_are_none(tmp_path: Path) -> None:
    """Would catch a store called sound whose readers fail, and an alarm after a kill that harmed nobody."""
    folder = _compacted(tmp_path)
    hidden = folder.with_name(f".{folder.name}.building")
    hidden.mkdir()
    report = verify_store(Store(tmp_path))
    assert (report.sound, report.leftovers) == (True, (hidden.name,))
    folder.rename(folder.with_name("20260101T000000_000000Z-0123456789ab"))
    assert any("CURRENT names" in fault for fault in verify_store(Store(tmp_path)).faults)
    (tmp_path / "CURRENT").write_text("../elsewhere")
    (folder.parent / "mine").mkdir()
    faults = verify_store(Store(tmp_path)).faults
    assert any("CURRENT: names no snapshot" in fault for fault in faults)
    assert any("snapshots/mine is no snapshot" in fault for fault in faults)


def test_the_mend_of_a_snapshot_mends_it(tmp_path: Path) -> None:
    """Would catch advice that leads nowhere: after it, the store is sound and readers find every row."""
    folder = _compacted(tmp_path)
    [mentions] = folder.glob("mentions/*/*.parquet")
    mentions.write_bytes(mentions.read_bytes()[:-1] + b"?")
    [fault] = verify_store(Store(tmp_path)).faults
    assert f"Remove snapshots/{folder.name}, then run `bioner compact`" in fault
    shutil.rmtree(folder)
    compact_store(Store(tmp_path))
    report = verify_store(Store(tmp_path))
    assert (report.sound, report.snapshots) == (True, 1)
