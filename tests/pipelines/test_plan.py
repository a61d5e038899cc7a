"""Cutting inputs into shards."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from annotate_fakes import make_job, run, write_jsonl
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.errors import InputError
from bioner_core.formats.input_digests import file_digest
from bioner_core.store.history.current_rows import current_documents
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from bioner_core.typed_json import with_checksum, without_checksum
from pipelines import plan
from pipelines.plan import SHARDS_PER_RUN, cut_ranges, group_runs, plan_input
from pipelines.plan_record import read_plans


@given(
    st.integers(0, 300),
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 320), st.integers(1, 60)), max_size=6),
)
def test_ranges_cover_each_record_once(records: int, size: int, pieces: list[tuple[int, int]]) -> None:
    """Would catch a record that no shard has, or that two have, around ranges that are committed already."""
    taken = [(first, first + length) for first, length in pieces]
    ranges = list(cut_ranges(records, size, taken=taken))
    covered = [number for first, last in ranges for number in range(first, last)]
    assert covered == list(range(records))
    assert all(first < last for first, last in ranges)
    assert all(last - first <= size or (first, last) in taken for first, last in ranges)


def test_committed_ranges_are_kept() -> None:
    """Would catch a changed shard size that throws committed work away."""
    assert list(cut_ranges(25, 10, taken=[(5, 20)])) == [(0, 5), (5, 20), (20, 25)]


def test_a_plan_is_deterministic_and_names_its_input(tmp_path: Path) -> None:
    """Would catch shard ids that change from run to run, under which nothing is ever resumed."""
    name = write_jsonl(tmp_path / "in.jsonl", ["Text."] * 25)
    first = plan_input(name, store=Store(tmp_path / "s1"), shard_records=10)
    assert first == plan_input(name, store=Store(tmp_path / "s2"), shard_records=10)
    assert [(one.first, one.last) for one in first] == [(0, 10), (10, 20), (20, 25)]
    assert {(one.source, one.format_name, one.input_file) for one in first} == {("jsonl", "jsonl", name)}
    assert all(one.shard_id.startswith("in.jsonl-") for one in first)


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    """Would catch a bare FileNotFoundError from deep inside."""
    with pytest.raises(InputError, match=r"none\.jsonl"):
        plan_input(str(tmp_path / "none.jsonl"), store=Store(tmp_path), shard_records=10)


def test_a_known_input_keeps_its_cut_and_is_not_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch another shard size that makes other shards of the same records, and so doubled rows."""
    name = write_jsonl(tmp_path / "in.jsonl", ["Text."] * 25)
    first = plan_input(name, store=Store(tmp_path), shard_records=10)
    monkeypatch.setattr(plan, "summarise_input", None)
    assert plan_input(name, store=Store(tmp_path), shard_records=7) == first


def test_a_lost_plan_is_made_anew_around_what_is_committed(tmp_path: Path) -> None:
    """Would catch a store that only works as long as its plan file is there."""
    name = write_jsonl(tmp_path / "in.jsonl", ["Text."] * 25)
    run(make_job(tmp_path, name))
    for path in (tmp_path / "plans").iterdir():
        path.unlink()
    manifests = sorted((tmp_path / "manifests").iterdir())
    manifests[0].unlink()
    ranges = [(one.first, one.last) for one in plan_input(name, store=Store(tmp_path), shard_records=7)]
    assert ranges == [(0, 7), (7, 10), (10, 20), (20, 25)]


def _planned_by_old_readers(store: Path, **changes: object) -> None:
    """Rewrite the plan of a store as one that other readers made."""
    [path] = (store / "plans").glob("[!.]*.json")
    flat = json.loads(path.read_text(encoding="utf-8"))
    del flat["readers_version"], flat["checksum"]
    path.write_text(json.dumps(flat | changes), encoding="utf-8")


def test_records_that_older_readers_did_not_count_are_planned(tmp_path: Path) -> None:
    """Would catch a file of several documents of which an old plan holds the first one alone, run after run."""
    name = write_jsonl(tmp_path / "in.jsonl", ["Text."] * 25)
    run(make_job(tmp_path, name))
    _planned_by_old_readers(tmp_path, records=20, ranges=[[0, 10], [10, 20]])
    found = plan_input(name, store=Store(tmp_path), shard_records=10)
    assert [(one.first, one.last) for one in found] == [(0, 10), (10, 20), (20, 25)]
    assert plan_input(name, store=Store(tmp_path), shard_records=7) == found


def test_the_reject_of_an_older_reader_is_read_again(tmp_path: Path) -> None:
    """Would catch a last shard that stays as it was committed, though its reject is a document now."""
    name = write_jsonl(tmp_path / "in.jsonl", ["Text."] * 25)
    old = plan_input(name, store=Store(tmp_path), shard_records=25)
    run(make_job(tmp_path, name))
    _planned_by_old_readers(tmp_path, records=12, ranges=[[0, 10], [10, 12]])
    plan_input(name, store=Store(tmp_path), shard_records=10)
    run(make_job(tmp_path, name))
    manifests = read_manifests(Store(tmp_path))
    assert sum(one.counts.annotated for one in manifests) == 25
    assert old[0].shard_id not in {one.shard_id for one in manifests}


def test_a_plan_of_older_readers_stays_where_they_counted_the_same(tmp_path: Path) -> None:
    """Would catch all shards of all stores cut anew with each version of the readers."""
    name = write_jsonl(tmp_path / "in.jsonl", ["Text."] * 25)
    first = plan_input(name, store=Store(tmp_path), shard_records=10)
    _planned_by_old_readers(tmp_path)
    assert plan_input(name, store=Store(tmp_path), shard_records=7) == first


def test_changed_content_is_another_input(tmp_path: Path) -> None:
    """Would catch a plan of last week's export that is used for this week's under the same name."""
    before = plan_input(write_jsonl(tmp_path / "in.jsonl", ["Old."] * 5), store=Store(tmp_path), shard_records=10)
    after = plan_input(write_jsonl(tmp_path / "in.jsonl", ["New."] * 6), store=Store(tmp_path), shard_records=10)
    assert before[0].shard_id.rsplit("-", 2)[0] != after[0].shard_id.rsplit("-", 2)[0]


def test_a_damaged_plan_is_made_anew(tmp_path: Path) -> None:
    """Would catch an input that no run gets past until somebody removes a file, or shards made of half a plan."""
    name = write_jsonl(tmp_path / "in.jsonl", ["Text."])
    planned = plan_input(name, store=Store(tmp_path), shard_records=10)
    path = next((tmp_path / "plans").iterdir())
    whole, [plan] = path.read_text(), read_plans(Store(tmp_path))
    for damaged in ('{"key": 1}', "", whole[:20], "\0" * 40):
        path.write_text(damaged)
        assert list(read_plans(Store(tmp_path))) == []
        assert plan_input(name, store=Store(tmp_path), shard_records=10) == planned
        [again] = read_plans(Store(tmp_path))
        assert again == plan


def test_a_file_in_no_known_format_is_one_shard_of_one_record(tmp_path: Path) -> None:
    """Would catch a file that leaves no trace in the store because nothing in it could be read."""
    path = tmp_path / "x.bin"
    path.write_bytes(b"\x00\x01 nothing known")
    descriptors = plan_input(str(path), store=Store(tmp_path), shard_records=10)
    assert [(one.first, one.last) for one in descriptors] == [(0, 1)]


def test_runs_hold_consecutive_shards_in_order(tmp_path: Path) -> None:
    """Would catch a shard that no worker gets, or shards in an order that makes a worker read its file twice."""
    name = write_jsonl(tmp_path / "in.jsonl", ["Text."] * (SHARDS_PER_RUN + 3))
    descriptors = plan_input(name, store=Store(tmp_path), shard_records=1)
    runs = group_runs(descriptors)
    assert [one for run in runs for one in run] == descriptors
    assert [len(run) for run in runs] == [SHARDS_PER_RUN, 3]
    assert group_runs([]) == []


def test_the_digest_of_a_plan_is_the_sha256_of_the_file(tmp_path: Path) -> None:
    """Would catch two ways to take a digest that drift apart, after which every shard seems to have changed."""
    name = write_jsonl(tmp_path / "in.jsonl", ["Text."])
    digest = hashlib.sha256(Path(name).read_bytes()).hexdigest()
    assert file_digest(name) == digest
    assert plan_input(name, store=Store(tmp_path), shard_records=10)[0].input_digest == digest


def shown_text(store: Store) -> str:
    """The text of the only newest document."""
    [shown] = current_documents(store)
    return shown.passages[0].text


@pytest.mark.parametrize("fault", ["damaged", "removed", "plan is older"])
def test_a_shard_that_is_made_anew_keeps_its_place(tmp_path: Path, fault: str) -> None:
    """Would catch an old text that replaces the new one, because the manifest of its shard was damaged, and the input
    was annotated again as `bioner verify` says."""
    store = Store(tmp_path / "s")
    january = write_jsonl(tmp_path / "january.jsonl", ["Old text."])
    run(make_job(store.root, january))
    [manifest], [written] = store.folder.glob("manifests/*.json"), store.folder.glob("plans/*.json")
    run(make_job(store.root, write_jsonl(tmp_path / "february.jsonl", ["New text."])))
    assert shown_text(store) == "New text."
    if fault == "damaged":
        manifest.write_text(manifest.read_text().replace("seconds", "sekonds"))
    else:
        manifest.unlink()
    if fault == "plan is older":
        flat = without_checksum(json.loads(written.read_text()))
        del flat["planned"]
        made = written.stat()
        written.write_text(json.dumps(with_checksum(flat)))
        os.utime(written, ns=(made.st_atime_ns, made.st_mtime_ns))
    run(make_job(store.root, january, annotator_fingerprint="model-2"))
    assert shown_text(store) == "New text."


def test_an_input_whose_plan_is_lost_keeps_the_place_of_its_shards(tmp_path: Path) -> None:
    """Would catch shards of another format, made anew around those that are committed, that count as the newest."""
    store = Store(tmp_path / "s")
    name = write_jsonl(tmp_path / "in.jsonl", ["One.", "Two."])
    run(make_job(store.root, name))
    [made] = read_manifests(store)
    [written] = store.folder.glob("plans/*.json")
    written.unlink()
    [again] = plan_input(name, store=store, shard_records=10)
    assert again.planned == made.known_since
