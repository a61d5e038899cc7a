"""Rejects that may pass are annotated again, with no model call but for them, and leave the store of a calm run."""

import json
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from annotate_fakes import WordService, all_mentions, make_job, run, take_over, write_jsonl

from bioner_core.errors import PoolError, StoreError
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.records import RejectReason
from bioner_core.store import atomic
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.current_rows import current_documents
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Manifest
from bioner_core.store.reading import read_manifests
from pipelines.job import AnnotationJob
from pipelines.retry import PASSING_REASONS, Retried, faulty_shards, located_inputs, retry_shards
from pipelines.summary import Status
from tests.stored_rows import document_rows, reject_rows

_TEXTS = [
    "Protein A binds. It is new.",
    "Ill B. Well B.",
    "Ill C.",
    "Protein D binds.",
    "Late E. Well E.",
    "Well F.",
    "Well G.",
]


class MoodyService(WordService):
    """Fails for sentences that begin with an ill word, as long as it is `ill`."""

    ill: ClassVar[dict[str, RejectReason]] = {}
    asked: ClassVar[list[str]] = []

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Candidates, or an error of the word's reason."""
        type(self).asked += [request.text for request in requests]
        answers = super().annotate(requests)
        return [self._error(one.text) or answer for one, answer in zip(requests, answers, strict=True)]

    def _error(self, text: str) -> RowError | None:
        reason = self.ill.get(text.split()[0])
        return RowError(reason, f"{reason} it was", attempts=2) if reason else None


@pytest.fixture(autouse=True)
def moods() -> None:
    """At first some words make the service fail."""
    MoodyService.ill = {"Ill": RejectReason.ACTOR_DIED, "Late": RejectReason.DEADLINE}
    MoodyService.asked = []


def _job(folder: Path, name: str) -> AnnotationJob:
    return make_job(folder, name, shard_records=3)


def _faulty_store(tmp_path: Path) -> AnnotationJob:
    """A store with a document without answers, and two with one failed sentence, in two of three shards."""
    job = _job(tmp_path / "store", write_jsonl(tmp_path / "in.jsonl", _TEXTS))
    run(job, MoodyService)
    MoodyService.ill, MoodyService.asked = {}, []
    return job


def _retried(job: AnnotationJob, *reasons: RejectReason, places: Sequence[str] = ()) -> Retried:
    wanted = reasons or PASSING_REASONS
    shards = faulty_shards(job.store, wanted)
    return retry_shards(shards, job=job, service=MoodyService(), reasons=wanted, places=located_inputs(places))


def _said(store: Path) -> list[Manifest]:
    """The manifests but for times and bytes."""
    return [replace(one, created="", first_created="", seconds=0.0, files=()) for one in read_manifests(Store(store))]


def test_a_retry_leaves_the_store_of_a_calm_run_and_asks_for_the_rejects_alone(tmp_path: Path) -> None:
    """Would catch a row that stays lost or is doubled, mentions that change on the way, and work done twice."""
    job = _faulty_store(tmp_path)
    before = [one.rejects for one in faulty_shards(job.store, PASSING_REASONS)]
    assert [(one.documents, one.rows) for one in before] == [(1, 2), (0, 1)]
    assert before[0].reasons == {"actor_died": 3}
    retried = _retried(job)
    assert [one.status for one in retried.outcomes] == [Status.COMMITTED] * 2
    assert sorted(MoodyService.asked) == ["Ill B.", "Ill C.", "Late E."]
    assert retried.rows_asked == 3
    calm = _job(tmp_path / "calm", job.inputs[0])
    run(calm, MoodyService)
    assert all_mentions(job.store.root) == all_mentions(calm.store.root)
    assert sorted(document_rows(job.store), key=repr) == sorted(document_rows(calm.store), key=repr)
    assert list(reject_rows(job.store)) == []
    assert _said(job.store.root) == _said(calm.store.root)
    assert faulty_shards(job.store, PASSING_REASONS) == []
    assert verify_store(job.store).sound


def test_a_retry_that_lost_its_lock_commits_nothing(tmp_path: Path) -> None:
    """Catches a retry that writes over shards of the job which took its store over."""
    job = _faulty_store(tmp_path)
    before = list(read_manifests(job.store))
    with StoreLock(job.store, purpose="test"):
        take_over(job.store)
        retried = _retried(job)
    assert [one.status for one in retried.outcomes] == [Status.FAILED] * 2
    assert all("lost its lock" in one.message for one in retried.outcomes)
    assert list(read_manifests(job.store)) == before


def test_only_the_reasons_asked_for_are_tried_again(tmp_path: Path) -> None:
    """Would catch rejects of other reasons that are lost, or sent to the model unasked."""
    job = _faulty_store(tmp_path)
    _retried(job, RejectReason.DEADLINE)
    assert MoodyService.asked == ["Late E."]
    assert {row.reject.reason for row in reject_rows(job.store)} == {RejectReason.ACTOR_DIED}
    assert faulty_shards(job.store, [RejectReason.OUT_OF_MEMORY]) == []
    assert verify_store(job.store).sound


def test_rejects_of_another_reason_in_the_same_shard_stay_as_they_are(tmp_path: Path) -> None:
    """Would catch a reject that loses its reason, message or attempts when a neighbour is tried again."""
    job = _job(tmp_path / "store", write_jsonl(tmp_path / "in.jsonl", ["Ill A. Well A.", "Late B. Well B."]))
    run(job, MoodyService)
    before = [row for row in reject_rows(job.store) if row.reject.reason is RejectReason.ACTOR_DIED]
    MoodyService.ill, MoodyService.asked = {}, []
    _retried(job, RejectReason.DEADLINE)
    assert MoodyService.asked == ["Late B."]
    assert list(reject_rows(job.store)) == before


def test_what_fails_again_is_rejected_again(tmp_path: Path) -> None:
    """Would catch a shard that cannot be committed, or a reject that vanishes, when the fault has not passed."""
    job = _faulty_store(tmp_path)
    MoodyService.ill = {"Ill": RejectReason.OUT_OF_MEMORY}
    _retried(job)
    tallies = [one.rejects for one in faulty_shards(job.store, PASSING_REASONS)]
    assert [(one.documents, one.rows, dict(one.reasons)) for one in tallies] == [(1, 2, {"out_of_memory": 3})]
    assert verify_store(job.store).sound


def test_nothing_to_retry_asks_for_nothing(tmp_path: Path) -> None:
    """Would catch a sound store that is made anew."""
    job = _job(tmp_path / "store", write_jsonl(tmp_path / "in.jsonl", ["Well A.", ""]))
    run(job, MoodyService)
    assert len(list(reject_rows(job.store))) == 1
    assert faulty_shards(job.store, PASSING_REASONS) == []


def test_an_input_that_moved_is_found_and_one_that_changed_is_refused(tmp_path: Path) -> None:
    """Would catch other content in the place of the old, and a retry that is impossible once a file was moved."""
    job = _faulty_store(tmp_path)
    old = Path(job.inputs[0])
    kept = old.read_text()
    old.write_text(kept.replace("Well", "Will"))
    outcomes = _retried(job).outcomes
    assert {one.status for one in outcomes} == {Status.FAILED}
    assert "has changed" in outcomes[0].message
    assert MoodyService.asked == []
    old.unlink()
    (tmp_path / "new").mkdir()
    moved = tmp_path / "new" / old.name
    moved.write_text(kept)
    assert {one.status for one in _retried(job, places=[str(moved)]).outcomes} == {Status.COMMITTED}
    assert list(reject_rows(job.store)) == []


def test_a_broken_pool_stops_all_and_changes_nothing(tmp_path: Path) -> None:
    """Would catch each shard waiting for actors that are gone, or shards that lose what they had."""
    job = _faulty_store(tmp_path)
    before = list(read_manifests(job.store))
    tries = []

    class Broken:
        def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
            tries.append(len(requests))
            raise PoolError("no actor is left")

    shards = faulty_shards(job.store, PASSING_REASONS)
    retried = retry_shards(shards, job=job, service=Broken(), reasons=PASSING_REASONS, places={})
    assert [one.status for one in retried.outcomes] == [Status.FAILED] * 2
    assert len(tries) == 1
    assert "not tried" in retried.outcomes[1].message
    assert list(read_manifests(job.store)) == before


def test_a_service_that_loses_rows_fails_the_shard(tmp_path: Path) -> None:
    """Would catch answers that slip by one row because a row was lost on the way."""
    job = _faulty_store(tmp_path)

    class Lossy:
        def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
            return [() for _ in requests[1:]]

    shards = faulty_shards(job.store, PASSING_REASONS)
    retried = retry_shards(shards, job=job, service=Lossy(), reasons=PASSING_REASONS, places={})
    assert all("lost or doubled" in one.message for one in retried.outcomes)
    assert len(faulty_shards(job.store, PASSING_REASONS)) == 2


@pytest.mark.parametrize("table", ["documents", "mentions", "manifests"])
def test_a_retry_cut_off_at_any_step_leaves_a_shard_whole_and_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """Would catch a shard that is half old and half new when the retry dies between its files."""
    job = _faulty_store(tmp_path)
    before = all_mentions(job.store.root)
    replace_file = atomic.os.replace

    def dying(source: Path, target: Path) -> None:
        if f"/{table}/" in str(target):
            raise OSError("the machine is gone")
        replace_file(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(atomic.os, "replace", dying)
        assert {one.status for one in _retried(job).outcomes} == {Status.FAILED}
    assert all_mentions(job.store.root) == before
    assert verify_store(job.store).sound
    assert {one.status for one in _retried(job).outcomes} == {Status.COMMITTED}
    assert verify_store(job.store).sound
    assert list(reject_rows(job.store)) == []


@pytest.mark.slow
@pytest.mark.parametrize("countdown", range(1, 7))
def test_a_retry_killed_at_any_rename_is_finished_by_the_next_one(
    tmp_path: Path, run_forked: Callable[..., int], countdown: int
) -> None:
    """Would catch a shard that a kill leaves half old and half new, or that the next retry cannot repair.

    Each of two shards has documents, mentions and a manifest; the calm store has no rejects, so no file of them.
    """
    job = _faulty_store(tmp_path)
    before = all_mentions(job.store.root)
    program = Path(__file__).with_name("killed_retry.py")
    assert run_forked(program, job.store, job.inputs[0], countdown) == -signal.SIGKILL
    assert verify_store(job.store).sound
    assert len(all_mentions(job.store.root)) >= len(before)
    _retried(job)
    calm = _job(tmp_path / "calm", job.inputs[0])
    run(calm, MoodyService)
    assert all_mentions(job.store.root) == all_mentions(calm.store.root)
    assert verify_store(job.store).sound
    assert not list(job.store.root.rglob("documents/**/*.tmp"))


def test_a_retried_input_keeps_its_place_among_others(tmp_path: Path) -> None:
    """Would catch an old version of a document that counts as the newest because its shard was made anew later."""
    old = write_jsonl(tmp_path / "a.jsonl", ["Ill old. Well old."])
    new = write_jsonl(tmp_path / "b.jsonl", ["Well new."])
    store = tmp_path / "store"
    for name, created in ((old, "2026-01-01T00:00:00+00:00"), (new, "2026-02-01T00:00:00+00:00")):
        run(_job(store, name), MoodyService)
        _backdate(store, Path(name).name, created)
    assert [one.passages[0].text for one in current_documents(Store(store))] == ["Well new."]
    MoodyService.ill = {}
    _retried(_job(store, old))
    assert [one.passages[0].text for one in current_documents(Store(store))] == ["Well new."]


def _backdate(store: Path, name: str, created: str) -> None:
    for path in (store / "manifests").glob(f"{name}*.json"):
        manifest = json.loads(path.read_text())
        del manifest["checksum"]  # as bioner wrote manifests before they had one
        path.write_text(json.dumps(manifest | {"created": created}))


def test_a_damaged_table_of_rejects_is_named(tmp_path: Path) -> None:
    """Would catch a retry that passes for a success because it could not read what was rejected."""
    job = _faulty_store(tmp_path)
    path = next((job.store.root / "rejects").rglob("*.parquet"))
    path.write_bytes(bytes(path.stat().st_size))  # a torn one is left out, and told when the store's lock is taken
    with pytest.raises(StoreError, match="rejects"):
        faulty_shards(job.store, PASSING_REASONS)
