"""Jobs that are killed, disks that are full, inputs that change: what is committed stays right."""

import errno
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from annotate_fakes import MustNotBeAsked, WordService, all_mentions, make_job, run, write_jsonl

from bioner_core.errors import StoreError
from bioner_core.store import atomic
from bioner_core.store.checks.comparison import store_differences
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from pipelines import annotate
from tests.stored_rows import reject_rows

pytestmark = pytest.mark.slow

_TEXTS = [f"Protein {number} binds DNA. It is new." for number in range(23)]
_RENAMES = 1 + 3 * 3 + 1  # the plan; documents, mentions and manifest of three shards; the report


_KILLED_JOB = Path(__file__).with_name("killed_job.py")


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the input, and with the store of an undisturbed run."""
    folder = tmp_path_factory.mktemp("calm")
    run(make_job(folder / "store", write_jsonl(folder / "in.jsonl", _TEXTS)))
    return folder


@pytest.mark.parametrize("countdown", range(1, _RENAMES + 1))
def test_a_job_killed_at_any_rename_resumes_to_the_same_rows(
    tmp_path: Path, run_forked: Callable[..., int], calm: Path, countdown: int
) -> None:
    """Would catch any order of durable steps that a kill can break; 4 is the first shard's manifest, after its data."""
    name, store = str(calm / "in.jsonl"), tmp_path / "store"
    assert run_forked(_KILLED_JOB, store, name, "SIGKILL", countdown) == -signal.SIGKILL
    assert verify_store(Store(store)).sound
    done = len(list(read_manifests(Store(store))))
    summary = run(make_job(store, name))
    assert (summary.exit_code(), summary.shards_skipped, summary.shards_committed) == (0, done, 3 - done)
    assert list(store_differences(Store(calm / "store"), Store(store))) == []
    assert verify_store(Store(store)).sound
    left = {path.parent.name for path in store.rglob("*.tmp")}
    assert left <= {"jobs"}  # the report of the killed run, which nobody waits for any more
    assert len(list(store.rglob("*.parquet"))) == 6


def test_ctrl_c_stops_the_job_and_a_rerun_finishes_it(
    tmp_path: Path, run_forked: Callable[..., int], calm: Path
) -> None:
    """Would catch an interrupt that hangs, is swallowed as a failed shard, or breaks the store."""
    name = str(calm / "in.jsonl")
    assert run_forked(_KILLED_JOB, tmp_path / "store", name, "SIGINT", 6) != 0
    assert len(list(read_manifests(Store(tmp_path / "store")))) < 3
    assert run(make_job(tmp_path / "store", name)).exit_code() == 0
    assert list(store_differences(Store(calm / "store"), Store(tmp_path / "store"))) == []
    assert verify_store(Store(tmp_path / "store")).sound


def test_a_full_disk_fails_the_shard_and_commits_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch half a shard that counts as done, or an error that does not say what to do."""
    name = write_jsonl(tmp_path / "in.jsonl", _TEXTS)
    replace = atomic.os.replace

    def full(source: Path, target: Path) -> None:
        if "mentions" in str(target) and "00000010-00000020" in str(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(atomic.os, "replace", full)
    summary = run(make_job(tmp_path / "store", name))
    assert (summary.shards_committed, summary.shards_failed, summary.exit_code()) == (2, 1, 1)
    assert "the disk is full" in summary.failures[0].message
    assert verify_store(Store(tmp_path / "store")).sound
    monkeypatch.undo()
    again = run(make_job(tmp_path / "store", name))
    assert (again.shards_committed, again.shards_skipped, again.exit_code()) == (1, 2, 0)
    run(make_job(tmp_path / "calm", name))
    assert list(store_differences(Store(tmp_path / "calm"), Store(tmp_path / "store"))) == []


@pytest.mark.parametrize("texts", [["Other."] * 23, _TEXTS[:5], [*_TEXTS, "One more."]])
def test_an_input_that_changes_after_it_was_planned_fails_its_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: list[str]
) -> None:
    """Would catch a shard that claims to hold records of one file and holds those of another."""
    name = write_jsonl(tmp_path / "in.jsonl", _TEXTS)
    plan_shards = annotate.plan_shards

    def plan_then_change(*arguments: Any, **settings: Any) -> Any:
        descriptors = plan_shards(*arguments, **settings)
        write_jsonl(tmp_path / "in.jsonl", texts)
        return descriptors

    monkeypatch.setattr(annotate, "plan_shards", plan_then_change)
    summary = run(make_job(tmp_path / "store", name))
    assert summary.shards_failed == 3
    assert "has changed since it was planned" in summary.failures[0].message
    assert list(read_manifests(Store(tmp_path / "store"))) == []
    monkeypatch.undo()
    assert run(make_job(tmp_path / "store", name)).counts.annotated == len(texts)


def test_a_damaged_data_file_is_computed_again(tmp_path: Path) -> None:
    """Would catch a rerun that calls a shard done whose file is gone."""
    job = make_job(tmp_path / "store", write_jsonl(tmp_path / "in.jsonl", _TEXTS))
    run(job)
    before = all_mentions(job.store.root)
    next((job.store.root / "mentions").rglob("*.parquet")).unlink()
    again = run(job)
    assert (again.shards_committed, again.shards_skipped) == (1, 2)
    assert all_mentions(job.store.root) == before


def test_a_damaged_manifest_is_made_anew(tmp_path: Path) -> None:
    """Would catch one bad file that stops a whole job, or that stays damaged after it."""
    job = make_job(tmp_path / "store", write_jsonl(tmp_path / "in.jsonl", _TEXTS))
    run(job)
    path = min((job.store.root / "manifests").iterdir())
    path.write_text("{")
    assert run(job).exit_code() == 0
    assert verify_store(job.store).sound


def test_an_input_read_again_as_another_format_replaces_what_was_there(tmp_path: Path) -> None:
    """Would catch the reject of an unrecognised file that stays in the store after --format has read it."""
    path = tmp_path / "in.dump"
    path.write_text('\n [1]\n{"id": "1", "text": "Good."}\n{"id": "2", "text": "Too."}\n')
    store = tmp_path / "store"
    first = run(make_job(store, str(path), max_reject_rate=1.0))
    assert first.counts.rejected == first.counts.records_in
    second = run(make_job(store, str(path), format_name="jsonl", max_reject_rate=1.0))
    assert (second.counts.records_in, second.counts.annotated) == (3, 2)
    assert len(list(reject_rows(Store(store)))) == 1
    assert verify_store(Store(store)).sound
    third = run(make_job(store, str(path), format_name="jsonl", max_reject_rate=1.0), MustNotBeAsked)
    assert third.shards_skipped == 1


def test_one_pass_over_the_file_serves_all_shards_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a file that is read from the start for each of its shards: quadratic in its length."""
    from pipelines import shard_input

    opened: list[int] = []
    read_records = shard_input.read_records

    def counting(*arguments: Any, **settings: Any) -> Any:
        opened.append(settings["first"])
        return read_records(*arguments, **settings)

    monkeypatch.setattr(shard_input, "read_records", counting)
    job = make_job(tmp_path / "store", write_jsonl(tmp_path / "in.jsonl", _TEXTS), shard_records=2)
    run(job)
    assert opened == [0]
    manifests = sorted((job.store.root / "manifests").iterdir())
    for path in (manifests[2], manifests[5]):
        path.unlink()
    before = WordService.rows_asked
    run(job)
    assert opened == [0, 4]
    assert WordService.rows_asked - before == 8


def test_a_report_that_cannot_be_written_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Would catch thirty lines of Beam's traceback for a full disk, and shards that count as lost though they stand."""
    name = write_jsonl(tmp_path / "in.jsonl", _TEXTS)
    replace = atomic.os.replace

    def full(source: Path, target: Path) -> None:
        if "jobs" in str(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(atomic.os, "replace", full)
    with pytest.raises(StoreError, match="disk is full"):
        run(make_job(tmp_path / "store", name))
    assert "Traceback" not in "".join(capfd.readouterr())
    assert len(list(read_manifests(Store(tmp_path / "store")))) == 3
