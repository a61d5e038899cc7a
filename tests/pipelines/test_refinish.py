"""Shards whose candidates stand are finished again from the store: no model, no input, old or new."""

import json
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from annotate_fakes import (
    ENGLISH,
    BrokenPool,
    MustNotBeAsked,
    WordService,
    all_mentions,
    make_job,
    run,
    take_over,
    write_jsonl,
)

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.mentions import Candidate
from bioner_core.store.checks.comparison import store_differences
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from pipelines.job import AnnotationJob
from pipelines.refinish import needs_no_model
from pipelines.retry import PASSING_REASONS, faulty_shards, retry_shards
from tests.stored_rows import reject_rows

pytestmark = pytest.mark.slow

TEXTS = ["Acute kidney failure (AKF) is bad. AKF kills.", "Aspirin helps. We gave aspirin to all.", "Poison here."]
PLAIN = FinishSettings((("genia", 0.5),), document_pass=False)
PASS = FinishSettings((("genia", 0.5),))
STRICT = FinishSettings((("genia", 0.95),))


class NameService:
    """Finds the first form of each name, surely, and `kills` hardly."""

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Candidates of each request; none of them says that it is accepted."""
        names = {"Acute kidney failure": 0.9, "Aspirin": 0.97, "kills": 0.2}
        return [
            tuple(
                Candidate(one.text.find(name), one.text.find(name) + len(name), "Name", 4.0, score, accepted=False)
                for name, score in names.items()
                if name in one.text
            )
            for one in requests
        ]


def _job(store: Path, name: str, finish: FinishSettings = PLAIN) -> AnnotationJob:
    return make_job(store, name, label_sets=(ENGLISH,), finish=finish)


def _accepted(store: Path) -> set[tuple[str, str | None]]:
    return {(one.text, one.origin) for one in all_mentions(store) if one.accepted}


def test_the_document_pass_runs_behind_the_sentences_of_a_document(tmp_path: Path) -> None:
    """Catches a pass that is wired into nothing, a switch that does nothing, and a threshold that nobody applies."""
    name = write_jsonl(tmp_path / "in.jsonl", TEXTS)
    run(_job(tmp_path / "off", name), NameService)
    assert _accepted(tmp_path / "off") == {("Acute kidney failure", "decoder"), ("Aspirin", "decoder")}
    run(_job(tmp_path / "on", name, PASS), NameService)
    assert ("AKF", "abbreviation") in _accepted(tmp_path / "on")
    assert ("aspirin", "repeat") in {(one.text, one.origin) for one in all_mentions(tmp_path / "on")}
    assert verify_store(Store(tmp_path / "on")).sound


def test_the_document_pass_keeps_to_the_languages_of_a_job_s_label_sets(tmp_path: Path) -> None:
    """Catches mentions of an English label set in the Chinese abstract beside it: in a run, or finished again."""
    path = tmp_path / "in.jsonl"
    fields = {"id": "1", "title": TEXTS[0], "abstract": "急性肾衰竭患者的AKF与AKF常见，AKF多发。"}
    path.write_text(json.dumps(fields) + "\n", encoding="utf-8")
    for first in (PASS, PLAIN):
        store = tmp_path / first.fingerprint
        run(_job(store, str(path), first), NameService)
        assert run(_job(store, str(path), PASS), MustNotBeAsked).shards_refinished == (first != PASS)
        found = [(one.lang, one.text) for one in all_mentions(store) if one.origin == "abbreviation"]
        assert found == [("en", "AKF"), ("en", "AKF")]


def test_a_job_that_lost_its_lock_finishes_nothing_again(tmp_path: Path) -> None:
    """Catches shards that are written over although another job has taken the store over."""
    name = write_jsonl(tmp_path / "in.jsonl", TEXTS)
    run(_job(tmp_path / "store", name), NameService)
    job = _job(tmp_path / "store", name, PASS)
    with StoreLock(job.store, purpose="test"):
        take_over(job.store)
        summary = run(job, MustNotBeAsked)
    assert summary.shards_refinished == 0
    assert all("lost its lock" in one.message for one in summary.failures)
    assert summary.failures


@pytest.mark.parametrize("first", [PLAIN, PASS, STRICT])
@pytest.mark.parametrize("then", [PLAIN, PASS, STRICT])
def test_a_changed_finish_needs_no_model_and_gives_what_a_fresh_run_gives(
    tmp_path: Path, first: FinishSettings, then: FinishSettings
) -> None:
    """Catches candidates that finishing has spoilt, and a model that is started for a threshold."""
    name = write_jsonl(tmp_path / "in.jsonl", TEXTS)
    run(_job(tmp_path / "store", name, first), NameService)
    job = _job(tmp_path / "store", name, then)
    assert needs_no_model(job)
    summary = run(job, MustNotBeAsked)
    assert (summary.exit_code(), summary.shards_refinished, summary.shards_skipped) == (0, first != then, first == then)
    assert (summary.rows_sent, summary.document_pass) == (0, then.document_pass)
    run(_job(tmp_path / "fresh", name, then), NameService)
    assert list(store_differences(Store(tmp_path / "fresh"), Store(tmp_path / "store"))) == []
    assert verify_store(Store(tmp_path / "store")).sound
    [manifest] = read_manifests(Store(tmp_path / "store"))
    assert (manifest.decode_fingerprint, manifest.finish_fingerprint) == (job.decode_fingerprint, then.fingerprint)


def test_rejects_deletions_and_copies_stay(tmp_path: Path) -> None:
    """Catches rows of other tables that finishing again loses, and a document given twice that loses its own ids."""
    lines = [
        '{"id": "1", "text": "Aspirin helps. More aspirin."}\n',
        '{"id": "1", "text": "Aspirin helps. Less aspirin."}\n',
        "broken\n",
        '{"id": "2", "text": "Poison. And words."}\n',
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(lines))
    run(_job(tmp_path / "store", str(path), PASS))
    before, rejects = all_mentions(tmp_path / "store"), list(reject_rows(Store(tmp_path / "store")))
    assert rejects
    for finish in (STRICT, PASS):
        assert run(_job(tmp_path / "store", str(path), finish), MustNotBeAsked).shards_refinished == 1
    assert all_mentions(tmp_path / "store") == before
    assert list(reject_rows(Store(tmp_path / "store"))) == rejects
    assert verify_store(Store(tmp_path / "store")).sound


def test_another_model_never_uses_old_candidates(tmp_path: Path) -> None:
    """Catches results of another model that are finished again as if they were this one's."""
    name = write_jsonl(tmp_path / "in.jsonl", TEXTS)
    run(_job(tmp_path / "store", name), NameService)
    other = replace(_job(tmp_path / "store", name, PASS), annotator_fingerprint="model-2")
    assert not needs_no_model(other)
    assert run(other, BrokenPool).shards_failed == 1


def test_a_carried_document_is_finished_by_the_rules_of_today(tmp_path: Path) -> None:
    """Catches mentions that are copied from a shard that was finished otherwise, and a model asked for known text."""
    old = write_jsonl(tmp_path / "a.jsonl", TEXTS[:2])
    new = write_jsonl(tmp_path / "b.jsonl", TEXTS[:2])
    from bioner_core.store.history.document_index import refresh_index
    from bioner_core.store.layout import input_key_of

    run(_job(tmp_path / "store", old), NameService)
    manifests = list(read_manifests(Store(tmp_path / "store")))
    refresh_index(Store(tmp_path / "store"), input_key_of(manifests[0].shard_id), manifests=manifests)
    summary = run(replace(_job(tmp_path / "store", new, PASS), carry_over=True), NameService)
    assert (summary.counts.unchanged, summary.counts.rows) == (2, 0)
    [carried] = [one for one in read_manifests(Store(tmp_path / "store")) if one.input_file == new]
    assert carried.counts.mentions > manifests[0].counts.mentions


def test_a_retry_of_a_shard_finishes_the_decoders_own_candidates(tmp_path: Path) -> None:
    """Catches a retry that takes what the pass proposed for an answer of the model."""
    name = write_jsonl(tmp_path / "in.jsonl", ["Poison aspirin. Aspirin helps. Aspirin is Aspirin.", *TEXTS])
    store = tmp_path / "store"
    run(_job(store, name, PASS), WordService)
    before = all_mentions(store)
    shards = faulty_shards(Store(store), PASSING_REASONS)
    retry_shards(shards, job=_job(store, name, PASS), service=WordService(), reasons=PASSING_REASONS, places={})
    assert all_mentions(store) == before


@pytest.mark.parametrize("countdown", range(1, 4))
def test_a_kill_leaves_the_old_shard_or_the_new_one(
    tmp_path: Path, run_forked: Callable[..., int], countdown: int
) -> None:
    """Catches a shard that is half old and half new: the renames are documents, mentions and the manifest."""
    name = write_jsonl(tmp_path / "in.jsonl", TEXTS[:2])
    run(_job(tmp_path / "store", name), NameService)
    before = all_mentions(tmp_path / "store")
    program = Path(__file__).with_name("killed_refinish.py")
    assert run_forked(program, tmp_path / "store", name, countdown) == -signal.SIGKILL
    assert verify_store(Store(tmp_path / "store")).sound
    assert all_mentions(tmp_path / "store") == before
    assert run(_job(tmp_path / "store", name, PASS), MustNotBeAsked).shards_refinished == 1
    run(_job(tmp_path / "fresh", name, PASS), NameService)
    assert list(store_differences(Store(tmp_path / "fresh"), Store(tmp_path / "store"))) == []
    assert len(list((tmp_path / "store").rglob("*.parquet"))) == 2
