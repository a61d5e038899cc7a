"""The commit of a shard: all or nothing, with counts that add up."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from store_samples import KEY, commit_sample, descriptor, document, every_file, mention, writer

from bioner_core.errors import DamagedFileError, StoreError
from bioner_core.store import schemas, shard_writer
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.committed import committed_manifest
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts, Manifest, read_manifest
from bioner_core.store.names import list_names
from bioner_core.store.reading import read_manifests, shown_manifests
from bioner_core.store.schemas import ROW_GROUP_ROWS, SCHEMAS
from bioner_core.store.sweep import sweep_unfinished
from bioner_core.typed_json import with_checksum, without_checksum
from tests.stored_rows import deletion_rows, document_rows, mention_rows, reject_rows


def test_what_was_added_is_read_back_sorted(tmp_path: Path) -> None:
    """Would catch lost rows, wrong tables, or rows in arrival order instead of by document."""
    commit_sample(tmp_path)
    assert [one.doc_id for one in document_rows(Store(tmp_path))] == ["pubmed:0", "pubmed:1"]
    assert [(one.start, one.end) for one in mention_rows(Store(tmp_path))] == [(0, 21), (0, 4), (5, 12)]
    assert [one.reject.record_number for one in reject_rows(Store(tmp_path))] == [3]
    assert [one.doc_id for one in deletion_rows(Store(tmp_path))] == ["pubmed:2"]


def test_mentions_of_one_document_keep_their_order(tmp_path: Path) -> None:
    """Would catch an unstable sort that shuffles the sentences of a document."""
    many = [mention(number % 3, start, 21) for start in range(20) for number in range(300)]
    filled = writer(tmp_path)
    filled.add_documents([document(number) for number in range(3)])
    filled.add_mentions(many)
    counts = Counts(records_in=3, annotated=3, mentions=len(many), mentions_accepted=len(many))
    filled.commit(counts, seconds=0)
    assert [one.doc_id for one in mention_rows(Store(tmp_path))] == sorted(one.doc_id for one in many)
    starts = [one.start for one in mention_rows(Store(tmp_path))]
    assert starts == [start for _ in range(3) for start in range(20) for _ in range(100)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"records_in": 3, "annotated": 2},
        {"records_in": 1, "annotated": 2},
        {"records_in": 1, "annotated": 1},
        {"records_in": 3, "annotated": 2, "unchanged": 1},
        {"records_in": 2, "annotated": 2, "mentions": 1},
        {"records_in": 3, "annotated": 2, "rejected": 1},
        {"records_in": 2, "annotated": 2, "row_rejects": 1},
        {"records_in": 3, "annotated": 2, "deleted": 1},
    ],
)
def test_counts_that_do_not_add_up_commit_nothing(tmp_path: Path, wrong: dict[str, int]) -> None:
    """Would catch a record or a row that is lost or doubled in silence."""
    filled = writer(tmp_path)
    filled.add_documents([document(0), document(1)])
    with pytest.raises(StoreError, match=r"Nothing was committed"):
        filled.commit(Counts(**wrong), seconds=0)
    assert every_file(tmp_path) == set()


def commit_two(store: Path, text: str) -> Manifest:
    """Commit two documents of this text, always as the same work."""
    filled = writer(store, of=descriptor(0, 2))
    filled.add_documents([document(0, text=text), document(1, text=text)])
    return filled.commit(Counts(records_in=2, annotated=2), seconds=0)


def texts_of(store: Path) -> list[str]:
    """The texts of the documents that readers see."""
    return [one.passages[1].text for one in document_rows(Store(store))]


def test_a_shard_made_anew_leaves_what_it_had_until_its_manifest_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch new rows under the name that the old manifest gives: a crash between the two would tear the shard."""
    before = commit_two(tmp_path, "old")

    def refuse(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(shard_writer, "write_manifest", refuse)
        with pytest.raises(StoreError, match="full"):
            commit_two(tmp_path, "new")
    assert texts_of(tmp_path) == ["old", "old"]
    after = commit_two(tmp_path, "new")
    assert texts_of(tmp_path) == ["new", "new"]
    assert after.files[0].path != before.files[0].path
    assert after.first_created == before.created
    assert verify_store(Store(tmp_path)).sound
    again = commit_two(tmp_path, "old")
    assert again.files[0].path == before.files[0].path
    assert verify_store(Store(tmp_path)).sound


def test_a_manifest_says_when_and_how_long(tmp_path: Path) -> None:
    """Would catch local times, which say something else on the next machine, and a shard that is new and has a past."""
    filled = writer(tmp_path, of=descriptor(0, 2))
    filled.add_documents([document(0), document(1)])
    made = filled.commit(Counts(records_in=2, annotated=1, unchanged=1), seconds=1.23456)
    assert made.seconds == 1.235
    assert made.first_created == ""
    assert made.created.endswith("+00:00")
    assert made.known_since == made.created


def test_the_same_rows_keep_their_file(tmp_path: Path) -> None:
    """Would catch a shard that changes its name, and so its snapshot, whenever it is made again."""
    before = commit_two(tmp_path, "old")
    assert commit_two(tmp_path, "old").files == before.files
    assert len([name for name in every_file(tmp_path) if name.endswith(".parquet")]) == 1


def test_files_say_what_they_are(tmp_path: Path) -> None:
    """Would catch a file without schema version, fingerprint, compression, statistics, page index or sort order."""
    manifest = commit_sample(tmp_path)
    for file in manifest.files:
        with pq.ParquetFile(tmp_path / file.path) as parquet:
            assert parquet.schema_arrow.equals(SCHEMAS[file.table])
            facts = {key: value for key, value in parquet.schema_arrow.metadata.items() if key.startswith(b"bioner.")}
            assert facts[b"bioner.schema_version"] == b"3"
            assert facts[b"bioner.fingerprint"] == b"f1"
            assert facts[b"bioner.software_version"]
            column = parquet.metadata.row_group(0).column(0)
            assert column.compression == "ZSTD"
            assert column.statistics.has_min_max
            assert column.has_column_index
            assert parquet.metadata.row_group(0).sorting_columns


def test_row_groups_are_bounded_by_rows(tmp_path: Path) -> None:
    """Would catch one huge row group, which no reader can skip through or hold."""
    number = ROW_GROUP_ROWS["documents"] + 1
    filled = writer(tmp_path)
    filled.add_documents([document(one) for one in range(number)])
    file = filled.commit(Counts(records_in=number, annotated=number), seconds=0).files[0]
    assert pq.read_metadata(tmp_path / file.path).num_row_groups == 2


def test_a_replay_overwrites_itself(tmp_path: Path) -> None:
    """Would catch names that depend on time or chance, which leave doubled rows behind."""
    first = commit_sample(tmp_path)
    before = every_file(tmp_path)
    second = commit_sample(tmp_path)
    assert every_file(tmp_path) == before
    assert first.files == second.files


def test_a_new_fingerprint_takes_the_place_of_the_old_results(tmp_path: Path) -> None:
    """Would catch old and new mentions side by side after the model has changed."""
    old = commit_sample(tmp_path)
    new = commit_sample(tmp_path, fingerprint="f2")
    assert {file.path for file in old.files}.isdisjoint(file.path for file in new.files)
    assert every_file(tmp_path) == {file.path for file in new.files} | {f"manifests/{new.shard_id}.json"}
    assert committed_manifest(Store(tmp_path), descriptor(), fingerprint="f1") is None


def test_stale_temporary_files_are_swept(tmp_path: Path) -> None:
    """Would catch a store that fills with what killed runs left behind."""
    manifest = commit_sample(tmp_path)
    folder = (tmp_path / manifest.files[0].path).parent
    (folder / ".x.parquet.1234.tmp").touch()
    commit_sample(tmp_path)
    assert not list(tmp_path.rglob("*.tmp"))


_CRASH = textwrap.dedent(
    """
    import os, sys
    from pathlib import Path
    store, when, countdown, fingerprint = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    from store_samples import commit_sample
    from bioner_core.store import atomic, sweep
    def crashing(real):
        def step(*arguments):
            global countdown
            countdown -= 1
            if countdown == 0 and when == "before":
                os._exit(9)
            real(*arguments)
            if countdown == 0:
                os._exit(9)
        return step
    atomic.os.replace = crashing(atomic.os.replace)
    sweep.remove_stale = crashing(sweep.remove_stale)
    commit_sample(store, fingerprint=fingerprint)
    """
)


def _crash(store: Path, when: str, *, step: int, fingerprint: str) -> int:
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here), str(here.parents[2])])}
    arguments = [sys.executable, "-c", _CRASH, str(store), when, str(step), fingerprint]
    return subprocess.run(arguments, env=environment, check=False).returncode


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", range(1, 10))
def test_a_crash_at_any_step_leaves_the_old_state_or_the_new(tmp_path: Path, when: str, step: int) -> None:
    """Would catch a manifest that is written too early, or old files that are removed too early.

    Steps 1 to 4 rename the data, 5 renames the manifest, 6 to 9 remove the old files.
    """
    old = commit_sample(tmp_path)
    before = every_file(tmp_path)
    assert _crash(tmp_path, when, step=step, fingerprint="f2") == 9
    seen = read_manifest(Store(tmp_path), old.shard_id)
    assert seen is not None
    committed = step > 5 or (step == 5 and when == "after")
    assert seen.fingerprint == ("f2" if committed else "f1")
    assert committed or before <= every_file(tmp_path)
    assert verify_store(Store(tmp_path)).sound
    assert len(list(mention_rows(Store(tmp_path)))) == 3
    sweep_unfinished(list_names(Store(tmp_path)), KEY)
    again = commit_sample(tmp_path, fingerprint="f2")
    assert every_file(tmp_path) == {file.path for file in again.files} | {f"manifests/{again.shard_id}.json"}


def test_a_first_commit_that_crashes_does_not_exist(tmp_path: Path) -> None:
    """Would catch readers that take data files without a manifest for results."""
    assert _crash(tmp_path, "after", step=4, fingerprint="f1") == 9
    assert list(tmp_path.rglob("*.parquet"))
    assert list(read_manifests(Store(tmp_path))) == []
    assert list(mention_rows(Store(tmp_path))) == []
    assert committed_manifest(Store(tmp_path), descriptor(), fingerprint="f1") is None


def test_committed_means_this_very_work_with_its_files(tmp_path: Path) -> None:
    """Would catch stale answers: another model, format or content, or a file that has gone or shrunk."""
    manifest = commit_sample(tmp_path)
    assert committed_manifest(Store(tmp_path), descriptor(), fingerprint="f1") == manifest
    assert committed_manifest(Store(tmp_path), descriptor(format_name="jats"), fingerprint="f1") is None
    path = tmp_path / manifest.files[0].path
    path.write_bytes(path.read_bytes()[:-1])
    assert committed_manifest(Store(tmp_path), descriptor(), fingerprint="f1") is None
    path.unlink()
    assert committed_manifest(Store(tmp_path), descriptor(), fingerprint="f1") is None


def test_an_older_schema_version_is_done_again(tmp_path: Path) -> None:
    """Would catch rows of an old schema that are kept for ever after an upgrade."""
    manifest = commit_sample(tmp_path)
    path = tmp_path / "manifests" / f"{manifest.shard_id}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 0}))
    assert committed_manifest(Store(tmp_path), descriptor(), fingerprint="f1") is None


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    """Would catch an old bioner that misreads, or sweeps away, what a newer one wrote."""
    manifest = commit_sample(tmp_path)
    path = tmp_path / "manifests" / f"{manifest.shard_id}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99, "new_field": 1}))
    with pytest.raises(StoreError, match=r"schema version 99 is newer than 3.*Upgrade bioner"):
        committed_manifest(Store(tmp_path), descriptor(), fingerprint="f1")


def test_what_a_newer_bioner_wrote_under_the_same_schema_is_no_damage(tmp_path: Path) -> None:
    """Would catch an older program that hides a shard because of a count that it does not know, and overwrites it."""
    manifest = commit_sample(tmp_path)
    path = tmp_path / "manifests" / f"{manifest.shard_id}.json"
    written = without_checksum(json.loads(path.read_text()))
    path.write_text(json.dumps(with_checksum(written | {"skipped_figures": 0})))
    newer = path.read_bytes()
    for read in (list_names(Store(tmp_path)).manifests, lambda _: list(shown_manifests(Store(tmp_path)))):
        with pytest.raises(StoreError, match=r"newer bioner.*skipped_figures.*Upgrade bioner") as refused:
            read(KEY)
        assert not isinstance(refused.value, DamagedFileError)
    with pytest.raises(StoreError, match="newer bioner"):
        commit_sample(tmp_path, fingerprint="f2")
    assert path.read_bytes() == newer
    assert "newer bioner" in verify_store(Store(tmp_path)).faults[0]
    older = {name: value for name, value in written.items() if name not in ("first_created", "lossy")}
    path.write_text(json.dumps(with_checksum(older)))
    assert read_manifest(Store(tmp_path), manifest.shard_id) == manifest


def test_a_newer_data_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch columns of a newer schema that are read with the old meaning."""
    monkeypatch.setattr(schemas, "SCHEMA_VERSION", 99)
    commit_sample(tmp_path)
    monkeypatch.undo()
    with pytest.raises(StoreError, match=r"\.parquet: schema version 99 is newer"):
        list(mention_rows(Store(tmp_path)))


def test_what_a_kill_left_of_manifests_and_plans_is_swept(tmp_path: Path) -> None:
    """Would catch temporary files of killed runs that stay for ever, or a sweep that takes those of another input."""
    for folder in ("manifests", "plans"):
        (tmp_path / folder).mkdir()
        for key in (KEY, "other-0123456789ab"):
            (tmp_path / folder / f".{key}-0.json.1234.tmp").touch()
            (tmp_path / folder / f"{key}-0.json").touch()
    sweep_unfinished(list_names(Store(tmp_path)), KEY)
    assert {Path(name).name for name in every_file(tmp_path)} == {
        f"{KEY}-0.json",
        "other-0123456789ab-0.json",
        ".other-0123456789ab-0.json.1234.tmp",
    }


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema_version": 1}', '{"schema_version": "x"}'])
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    """Would catch a bare KeyError, or damage that is taken for a shard that was never done."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "s.json").write_text(text)
    with pytest.raises(StoreError, match=r"s\.json: is not a manifest that bioner wrote"):
        read_manifest(Store(tmp_path), "s")


def test_a_manifest_comes_back_equal(tmp_path: Path) -> None:
    """Would catch a field that is written but not read, or counts that are mixed up."""
    manifest = commit_sample(tmp_path)
    assert read_manifest(Store(tmp_path), manifest.shard_id) == manifest
    flat = json.loads(manifest.to_json())
    assert flat["records_in"] == 4
    assert flat["annotated"] + flat["unchanged"] + flat["deleted"] + flat["rejected"] == 4


def test_replaced_shards_go_with_the_commit_that_replaces_them(tmp_path: Path) -> None:
    """Would catch rows of an input that was first read as another format, beside the right ones."""
    old = commit_sample(tmp_path)
    of = descriptor(2, 6)
    replacing = type(of)(of.shard_id, of.source, of.input_file, "jats", 2, 6, of.input_digest, (old.shard_id,))
    new = commit_sample(tmp_path, of=replacing)
    assert [manifest.shard_id for manifest in read_manifests(Store(tmp_path))] == [new.shard_id]
    assert every_file(tmp_path) == {file.path for file in new.files} | {f"manifests/{new.shard_id}.json"}
