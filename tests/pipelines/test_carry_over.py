"""Mentions that are copied instead of computed: only where they must be equal, and so that each shard stands alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from annotate_fakes import MustNotBeAsked, WordService, all_mentions, make_job, run, write_jsonl

from bioner_core.documents import Document
from bioner_core.formats.input_digests import file_digest
from bioner_core.formats.reader import read_records
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.records import RejectReason
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history import known_texts
from bioner_core.store.history.document_index import index_files, refresh_index, text_digest
from bioner_core.store.history.known_texts import KnownTexts
from bioner_core.store.layout import Store, input_key
from bioner_core.store.names import list_names
from bioner_core.store.paths import StorePath
from bioner_core.store.reading import manifests_of_input, read_manifests
from pipelines.carry_over import carried_mentions
from pipelines.plan import plan_shards
from pipelines.summary import JobSummary
from tests.stored_rows import document_rows
from tests.waiting import await_true

TEXTS = [f"Protein {number} binds" for number in range(12)]


def apply(store: Path, name: str, **settings: Any) -> JobSummary:
    """Annotate an input with what was annotated before, and register it."""
    service = settings.pop("service", WordService)
    summary = run(make_job(store, name, carry_over=True, shard_records=5, **settings), service)
    key = input_key(name, file_digest(name))
    refresh_index(Store(store), key, manifests=manifests_of_input(Store(store), key))
    return summary


def test_an_input_of_known_texts_needs_no_model(tmp_path: Path) -> None:
    """Would catch a service that is started, or asked, although every text was annotated before."""
    first = apply(tmp_path / "s", write_jsonl(tmp_path / "a.jsonl", TEXTS))
    again = apply(tmp_path / "s", write_jsonl(tmp_path / "b.jsonl", TEXTS))
    assert (again.counts.unchanged, again.counts.annotated, again.rows_sent) == (12, 0, 0)
    assert again.counts.mentions == first.counts.mentions
    assert verify_store(Store(tmp_path / "s")).sound


def test_the_copies_are_what_the_model_would_have_said(tmp_path: Path) -> None:
    """Would catch copied mentions with the wrong ids, parents, versions or order."""
    apply(tmp_path / "s", write_jsonl(tmp_path / "a.jsonl", TEXTS))
    changed = [*TEXTS[:6], "Something else", *TEXTS[7:]]
    summary = apply(tmp_path / "s", write_jsonl(tmp_path / "b.jsonl", changed))
    assert (summary.counts.unchanged, summary.rows_sent) == (11, 1)
    run(make_job(tmp_path / "fresh", str(tmp_path / "b.jsonl")))
    for path in [path for path in (tmp_path / "s" / "manifests").iterdir() if path.name.startswith("a.jsonl")]:
        path.unlink()
    assert all_mentions(tmp_path / "s") == all_mentions(tmp_path / "fresh")
    assert any(mention.parent_id for mention in all_mentions(tmp_path / "s"))


def test_copies_outlive_what_they_were_copied_from(tmp_path: Path) -> None:
    """Would catch a shard that breaks when an older one is computed anew or swept away."""
    apply(tmp_path / "s", write_jsonl(tmp_path / "a.jsonl", TEXTS))
    apply(tmp_path / "s", write_jsonl(tmp_path / "b.jsonl", TEXTS))
    for manifest in list(read_manifests(Store(tmp_path / "s"))):
        if manifest.input_file.endswith("a.jsonl"):
            (tmp_path / "s" / "manifests" / f"{manifest.shard_id}.json").unlink()
            for file in manifest.files:
                (tmp_path / "s" / file.path).unlink()
    assert verify_store(Store(tmp_path / "s")).sound
    third = apply(tmp_path / "s", write_jsonl(tmp_path / "c.jsonl", TEXTS))
    assert third.counts.unchanged == 12


def test_a_precedent_that_is_gone_is_computed_again(tmp_path: Path) -> None:
    """Would catch a stale document index that makes a job fail, or makes documents without mentions."""
    apply(tmp_path / "s", write_jsonl(tmp_path / "a.jsonl", TEXTS))
    next((tmp_path / "s" / "mentions").rglob("*-00000000-00000005-*.parquet")).unlink()
    summary = apply(tmp_path / "s", write_jsonl(tmp_path / "b.jsonl", TEXTS))
    assert (summary.counts.unchanged, summary.counts.annotated) == (7, 5)


def test_another_model_or_label_set_starts_from_nothing(tmp_path: Path) -> None:
    """Would catch results under a superseded fingerprint that are taken over."""
    apply(tmp_path / "s", write_jsonl(tmp_path / "a.jsonl", TEXTS))
    name = write_jsonl(tmp_path / "b.jsonl", TEXTS)
    assert apply(tmp_path / "s", name, annotator_fingerprint="model-2").counts.unchanged == 0


def test_documents_with_failed_rows_are_tried_again(tmp_path: Path) -> None:
    """Would catch a sentence without result that is never tried again because its document counts as known."""
    texts = ["Good one. Poison here.", "Poison", "All good"]
    apply(tmp_path / "s", write_jsonl(tmp_path / "a.jsonl", texts), max_reject_rate=1.0)
    again = apply(tmp_path / "s", write_jsonl(tmp_path / "b.jsonl", texts), max_reject_rate=1.0)
    assert (again.counts.unchanged, again.counts.annotated, again.counts.rejected) == (1, 1, 1)


def test_documents_that_stand_twice_in_a_shard_are_computed(tmp_path: Path) -> None:
    """Would catch the mentions of one copy given to the other."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "x", "text": "First text"}\n{"id": "x", "text": "Second"}\n{"id": "y", "text": "Third"}\n')
    apply(tmp_path / "s", str(path))
    copy = tmp_path / "b.jsonl"
    copy.write_bytes(path.read_bytes())
    again = apply(tmp_path / "s", str(copy))
    assert (again.counts.unchanged, again.counts.annotated) == (1, 2)
    assert verify_store(Store(tmp_path / "s")).sound


def test_a_known_text_twice_in_one_input_has_two_sets_of_mentions(tmp_path: Path) -> None:
    """Would catch doubled mention ids when a carried document is repeated."""
    apply(tmp_path / "s", write_jsonl(tmp_path / "a.jsonl", TEXTS[:1]))
    line = '{"id": "0", "text": "Protein 0 binds"}\n'
    (tmp_path / "b.jsonl").write_text(line * 2)
    again = apply(tmp_path / "s", str(tmp_path / "b.jsonl"))
    assert again.counts.unchanged == 2
    assert verify_store(Store(tmp_path / "s")).sound


def test_a_job_that_is_committed_plans_nothing(tmp_path: Path) -> None:
    """Would catch a rerun that reads its input and all document indexes although there is nothing to do."""
    name = write_jsonl(tmp_path / "a.jsonl", TEXTS)
    apply(tmp_path / "s", name)
    [plan] = (tmp_path / "s" / "plans").glob("*.carry.parquet")
    plan.unlink()
    assert apply(tmp_path / "s", name, service=MustNotBeAsked).shards_skipped == 3
    assert list((tmp_path / "s" / "plans").glob("*.carry.parquet")) == []
    assert len(index_files(Store(tmp_path / "s"))) == 1


class Failing(WordService):
    """Has no answer for one text that `WordService` answers."""

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Reject each row of it."""
        failed = RowError(RejectReason.OUT_OF_MEMORY, "no memory", "", 1)
        answers = zip(requests, super().annotate(requests), strict=True)
        return [failed if request.text == TEXTS[0] else answer for request, answer in answers]


def replace_shards(store: Path, name: str) -> None:
    """Make the shards of an input anew; this time one document of it is rejected. Its index stays as it was."""
    run(make_job(store, name, shard_records=5, annotator_fingerprint="model-2"))
    run(make_job(store, name, shard_records=5, max_reject_rate=1.0), Failing)


def test_an_index_of_shards_that_were_replaced_is_not_believed(tmp_path: Path) -> None:
    """Would catch a document that is shown without a mention, and without a reject: the index of an older input says
    that its text was annotated, and its shard, made anew since, has rejected it."""
    name = write_jsonl(tmp_path / "a.jsonl", TEXTS)
    apply(tmp_path / "s", name)
    replace_shards(tmp_path / "s", name)
    again = apply(tmp_path / "s", write_jsonl(tmp_path / "b.jsonl", TEXTS[:5]))
    assert (again.counts.unchanged, again.counts.annotated) == (0, 5)
    run(make_job(tmp_path / "fresh", str(tmp_path / "b.jsonl"), shard_records=5))
    own = [one for one in read_manifests(Store(tmp_path / "s")) if one.input_file.endswith("b.jsonl")]
    assert [one.counts.mentions for one in own] == [len(all_mentions(tmp_path / "fresh"))]


def test_a_shard_that_is_replaced_after_the_plan_gives_what_it_holds_now(tmp_path: Path) -> None:
    """Would catch the same where the shard is made anew after it was planned that its candidates are kept."""
    name = write_jsonl(tmp_path / "a.jsonl", TEXTS)
    apply(tmp_path / "s", name)
    job = make_job(tmp_path / "s", write_jsonl(tmp_path / "b.jsonl", TEXTS[:5]), carry_over=True, shard_records=5)
    [descriptor] = plan_shards(job, job.inputs[0], names=list_names(job.store))
    replace_shards(tmp_path / "s", name)
    carried = carried_mentions(job.store, descriptor, decode=job.decode_fingerprint)
    kept = [one in carried for one in read_records(job.inputs[0]) if isinstance(one, Document)]
    assert kept == [False, True, True, True, True]


def test_each_index_is_opened_once_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a backfill of n inputs that opens the document indexes of n inputs n times, and one that never hears
    of an index that was made meanwhile."""
    store = Store(tmp_path / "s")
    for number, text in enumerate(TEXTS[:4]):
        apply(store.root, write_jsonl(tmp_path / f"a{number}.jsonl", [text]))
    opened: list[StorePath] = []
    real = known_texts.text_digests

    def counted(path: StorePath) -> Iterator[bytes]:
        opened.append(path)
        return real(path)

    monkeypatch.setattr(known_texts, "text_digests", counted)
    texts = KnownTexts(store)
    digests = [text_digest(one) for one in document_rows(store)]
    assert [len(texts.indexes_with([one])) for one in digests] == [1] * 4
    assert texts.indexes_with(digests) == index_files(store)
    assert texts.indexes_with([bytes(16)]) == texts.indexes_with([]) == []
    assert len(opened) == 4
    apply(store.root, write_jsonl(tmp_path / "b.jsonl", ["Another text"]))
    [new] = set(index_files(store)) - set(opened)
    opened.clear()
    added = [text_digest(one) for one in document_rows(store) if text_digest(one) not in digests]
    await_true(lambda: texts.indexes_with(added) == [new])
    assert opened == [new]
