"""The pipeline from inputs to a store, in this process, without a model."""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from annotate_fakes import (
    CHINESE,
    ENGLISH,
    POISON,
    BrokenPool,
    CountingProgress,
    LossyService,
    MustNotBeAsked,
    NoSuchRowService,
    WordService,
    all_mentions,
    make_job,
    run,
    write_jsonl,
)

from bioner_core.errors import ConfigurationError
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.inference.batching import BatchFill
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.records import RejectReason
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from pipelines.annotate import AnnotateShards
from pipelines.beam_run import RunnerError, beam, new_pipeline, run_to_the_end
from pipelines.job import FN_API_RUNNER
from pipelines.job_report import latest_report, read_report
from pipelines.metrics.metrics import NAMESPACE
from pipelines.pool.service import Key
from pipelines.refinish import needs_no_model
from tests.stored_rows import document_rows, mention_rows, reject_rows

_TEXTS = [f"Protein {number} binds DNA. It is new." for number in range(23)]


def test_every_record_comes_out_once(tmp_path: Path) -> None:
    """Would catch a lost or doubled record, sentence or mention between the file and the store."""
    store = tmp_path / "store"
    summary = run(make_job(store, write_jsonl(tmp_path / "in.jsonl", _TEXTS)))
    assert summary.exit_code() == 0
    assert (summary.shards_committed, summary.shards_skipped, summary.shards_failed) == (3, 0, 0)
    assert summary.counts.records_in == summary.counts.annotated == 23
    assert summary.counts.sentences == summary.rows_sent == summary.counts.rows == 46
    assert summary.counts.mentions == len(all_mentions(store)) == 23 * (4 + 3) * 2
    assert summary.counts.mentions_accepted == 23 * 7
    assert sorted(one.doc_id for one in document_rows(Store(store))) == sorted(f"jsonl:{n}" for n in range(23))
    assert verify_store(Store(store)).sound


def test_offsets_nesting_and_order_within_a_document(tmp_path: Path) -> None:
    """Would catch offsets left relative to the sentence, parents lost, or sentences out of order."""
    store = tmp_path / "store"
    run(make_job(store, write_jsonl(tmp_path / "in.jsonl", ["IL-2 acts. It binds."])))
    rows = list(mention_rows(Store(store)))
    assert [(one.sentence_index, one.start, one.text) for one in rows if one.type == "word"] == [
        (0, 0, "IL-2"),
        (0, 5, "acts."),
        (1, 11, "It"),
        (1, 14, "binds."),
    ]
    letter = next(one for one in rows if one.type == "letter" and one.start == 14)
    assert letter.parent_id == "jsonl:0@1:p0:14-20:genia:word"
    assert (letter.depth, letter.accepted, letter.text) == (1, False, "b")


def test_sentences_get_the_label_sets_of_their_language(tmp_path: Path) -> None:
    """Would catch Chinese text that is sent to an English label set, or a text that is sent to none in silence."""
    store = tmp_path / "store"
    every = LabelSetChoice("any")
    name = write_jsonl(tmp_path / "in.jsonl", ["糖尿病患者 应用胰岛素。", "Insulin helps."])
    run(make_job(store, name, label_sets=(ENGLISH, CHINESE, every)))
    pairs = {(one.lang, one.label_set) for one in mention_rows(Store(store))}
    assert pairs == {("zh", "cmeee"), ("en", "genia"), ("zh", "any"), ("en", "any")}


def test_a_document_in_a_language_without_label_set_is_annotated_with_nothing(tmp_path: Path) -> None:
    """Would catch a document that is lost because no row was made of it."""
    summary = run(make_job(tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", ["中文。"]), label_sets=(ENGLISH,)))
    assert (summary.counts.annotated, summary.counts.sentences, summary.rows_sent) == (1, 1, 0)


def test_duplicate_texts_and_ids_are_all_kept(tmp_path: Path) -> None:
    """Would catch a resume or a join by text or id, which drops true duplicates, and ids that occur twice."""
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "1", "text": "Same text."}\n' * 25, encoding="utf-8")
    store = tmp_path / "store"
    summary = run(make_job(store, str(path), shard_records=25))
    assert summary.counts.annotated == len(list(document_rows(Store(store)))) == 25
    ids = [one.mention_id for one in mention_rows(Store(store))]
    assert len(set(ids)) == len(ids) == 25 * 4
    assert verify_store(Store(store)).sound


def test_a_rerun_of_a_finished_job_is_a_success_that_asks_no_model(tmp_path: Path) -> None:
    """Would catch a rerun that computes again, fails for having no work, or starts a service for nothing."""
    job = make_job(tmp_path / "store", write_jsonl(tmp_path / "in.jsonl", _TEXTS))
    assert not needs_no_model(job)
    first, before = run(job), all_mentions(job.store.root)
    assert needs_no_model(job)
    again = run(job, MustNotBeAsked)
    assert again.exit_code() == 0
    assert (again.shards_committed, again.shards_skipped, again.rows_sent) == (0, 3, 0)
    assert again.counts == first.counts
    assert all_mentions(job.store.root) == before


def test_another_shard_size_neither_doubles_rows_nor_asks_the_model(tmp_path: Path) -> None:
    """Would catch stale shards of the old size beside those of the new one."""
    name = write_jsonl(tmp_path / "in.jsonl", _TEXTS)
    run(make_job(tmp_path / "store", name))
    before = all_mentions(tmp_path / "store")
    again = run(make_job(tmp_path / "store", name, shard_records=7), MustNotBeAsked)
    assert (again.exit_code(), again.shards_skipped) == (0, 3)
    assert all_mentions(tmp_path / "store") == before


@pytest.mark.parametrize(
    "change",
    [
        {"annotator_fingerprint": "model-2"},
        {"label_sets": (ENGLISH,)},
        {"label_sets": (LabelSetChoice("genia"), CHINESE)},
    ],
)
def test_another_model_or_label_set_computes_again(tmp_path: Path, change: dict[str, object]) -> None:
    """Would catch answers of an old model, or for other label sets, that are passed off as new ones."""
    name = write_jsonl(tmp_path / "in.jsonl", _TEXTS)
    store = tmp_path / "store"
    old = run(make_job(store, name))
    new_job = make_job(store, name, **change)
    assert not needs_no_model(new_job)
    new = run(new_job)
    assert (new.shards_committed, new.counts) == (3, old.counts)
    assert {manifest.fingerprint for manifest in read_manifests(Store(store))} == {new_job.run_fingerprint}
    assert len(list(store.rglob("*.parquet"))) == 6
    assert verify_store(Store(store)).sound


def test_the_order_of_label_sets_changes_no_fingerprint(tmp_path: Path) -> None:
    """Would catch a day of work done again because two options were swapped."""
    fingerprints = {
        make_job(tmp_path, "x", label_sets=sets).run_fingerprint for sets in ((ENGLISH, CHINESE), (CHINESE, ENGLISH))
    }
    assert len(fingerprints) == 1


def test_old_results_stay_when_the_new_model_fails(tmp_path: Path) -> None:
    """Would catch results that are removed before there is something to take their place."""
    name = write_jsonl(tmp_path / "in.jsonl", _TEXTS)
    run(make_job(tmp_path / "store", name))
    before = all_mentions(tmp_path / "store")
    summary = run(make_job(tmp_path / "store", name, annotator_fingerprint="model-2"), BrokenPool)
    assert (summary.exit_code(), summary.shards_failed) == (1, 3)
    assert all_mentions(tmp_path / "store") == before


def test_a_poison_row_is_rejected_alone(tmp_path: Path) -> None:
    """Would catch a bad row that takes its document, its batch-mates or its shard with it."""
    store = tmp_path / "store"
    texts = ["Good one. Poison here. Good two.", "All good.", f"{POISON} only."]
    summary = run(make_job(store, write_jsonl(tmp_path / "in.jsonl", texts), max_reject_rate=1.0))
    counts = summary.counts
    assert (counts.records_in, counts.annotated, counts.rejected, counts.row_rejects) == (3, 2, 1, 2)
    rows = {(one.reject.doc_id, one.sentence_index): one for one in reject_rows(Store(store))}
    assert set(rows) == {("jsonl:0", 1), ("jsonl:2", 0), ("jsonl:2", None)}
    one = rows["jsonl:0", 1]
    assert (one.reject.stage, one.reject.reason, one.reject.attempts) == ("annotate", RejectReason.ACTOR_DIED, 2)
    assert (one.label_set, one.passage_index) == ("genia", 0)
    assert one.reject.traceback == "trace \\ud800"
    assert len(one.reject.input_digest) == 64
    assert {mention.text for mention in mention_rows(Store(store))} >= {"one.", "two."}
    assert verify_store(Store(store)).sound


def test_a_span_outside_its_text_is_a_row_reject(tmp_path: Path) -> None:
    """Would catch a wrong answer of an annotator that reaches the store, or stops the shard."""
    store = tmp_path / "store"
    name = write_jsonl(tmp_path / "in.jsonl", [f"Fine. {POISON} is not."])
    summary = run(make_job(store, name, max_reject_rate=1.0), NoSuchRowService)
    assert (summary.counts.annotated, summary.counts.row_rejects, summary.counts.mentions) == (1, 1, 0)
    assert "span 0 to 10000" in next(reject_rows(Store(store))).reject.message


def test_unreadable_records_are_rejects_and_the_rest_is_annotated(tmp_path: Path) -> None:
    """Would catch a broken line that stops the file, or that vanishes."""
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "1", "text": "Good."}\nbroken\n{"id": "2", "text": ""}\n{"id": "3", "text": "Too."}\n')
    summary = run(make_job(tmp_path / "s", str(path), max_reject_rate=0.5))
    assert (summary.counts.records_in, summary.counts.annotated, summary.counts.rejected) == (4, 2, 2)
    assert summary.exit_code() == 0
    assert [one.reject.record_number for one in reject_rows(Store(tmp_path / "s"))] == [1, 2]
    assert run(make_job(tmp_path / "s", str(path), max_reject_rate=0.49)).exit_code() == 3


def test_a_missing_input_fails_alone(tmp_path: Path) -> None:
    """Would catch one bad path that stops a night's work, or that is forgotten in the exit code."""
    good = write_jsonl(tmp_path / "in.jsonl", _TEXTS)
    summary = run(make_job(tmp_path / "s", good, str(tmp_path / "none.jsonl")))
    assert (summary.shards_committed, summary.shards_failed, summary.exit_code()) == (3, 1, 1)
    assert "none.jsonl" in summary.failures[0].message
    assert "Traceback" in summary.failures[0].traceback


def test_an_input_named_twice_is_done_once(tmp_path: Path) -> None:
    """Would catch two workers that annotate one shard at the same time, and counts that are doubled."""
    name = write_jsonl(tmp_path / "in.jsonl", _TEXTS)
    assert run(make_job(tmp_path / "s", name, name)).counts.records_in == 23


def test_a_broken_pool_is_tried_once(tmp_path: Path) -> None:
    """Would catch a job that waits out the same dead pool for every shard that is left."""
    BrokenPool.tries = 0
    summary = run(make_job(tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", _TEXTS)), BrokenPool)
    assert (summary.exit_code(), summary.shards_failed, BrokenPool.tries) == (1, 3, 1)
    assert all("no actor is left" in one.message for one in summary.failures)
    assert list(read_manifests(Store(tmp_path / "s"))) == []


def test_a_service_that_loses_a_row_fails_the_shard(tmp_path: Path) -> None:
    """Would catch answers that slide by one row and land on the wrong sentences."""
    summary = run(make_job(tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", _TEXTS)), LossyService)
    assert summary.shards_failed == 3
    assert "rows are lost or doubled" in summary.failures[0].message


def test_progress_hears_of_every_record(tmp_path: Path) -> None:
    """Would catch a progress bar that never fills, or that jumps only at the end of a shard."""
    job = make_job(
        tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", _TEXTS * 10), shard_records=200, buffer_records=32
    )
    progress = CountingProgress()
    run(job, progress=progress)
    assert (progress.total, progress.fresh, progress.skipped) == (230, 230, 0)
    assert (
        progress.calls == 9
    )  # the first document, seven buffers of 32 or fewer for the rest, one for the second shard
    again = CountingProgress()
    run(job, progress=again)
    assert (again.total, again.fresh, again.skipped) == (230, 0, 230)


class BatchedWords(WordService):
    """A service that makes batches: each buffer is eight tokens in ten slots."""

    def annotate_stream(
        self, buffers: Iterable[tuple[Key, Sequence[AnnotationRequest]]]
    ) -> Iterator[tuple[Key, list[RowResult], BatchFill]]:
        for key, requests in buffers:
            yield key, self.annotate(requests), BatchFill(8, 10) if requests else BatchFill()


def test_padding_reaches_the_summary(tmp_path: Path) -> None:
    """Would catch padding that is lost on the way, or that of earlier shards counted again with each shard."""
    job = make_job(tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", _TEXTS))
    assert run(job, BatchedWords).padding == 0.2
    report = latest_report(Store(tmp_path / "s"))
    assert report is not None
    fills = [(one.batch_tokens, one.batch_slots) for one in read_report(report).outcomes]
    assert fills == [(16, 20), (8, 10), (8, 10)]  # the first document of an input is a call of its own
    assert run(job, BatchedWords).padding == 0.0


@pytest.mark.parametrize(
    ("limits", "calls"), [({"buffer_records": 4}, 4), ({"buffer_characters": 1}, 12), ({"buffer_characters": 10**6}, 2)]
)
def test_a_buffer_ends_by_characters_or_by_records(tmp_path: Path, limits: dict[str, int], calls: int) -> None:
    """Would catch calls of a whole shard at once, or calls so small that their batches are mostly padding."""
    job = make_job(tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", ["word"] * 12), shard_records=12, **limits)
    progress = CountingProgress()
    run(job, progress=progress)
    assert progress.calls == calls


def test_several_workers_do_the_same_as_one(tmp_path: Path) -> None:
    """Would catch state that threads share, or a shard that two workers take."""
    inputs = [write_jsonl(tmp_path / f"in{number}.jsonl", _TEXTS) for number in range(6)]
    options = ("--direct_num_workers=3", "--direct_running_mode=multi_threading")
    summary = run(make_job(tmp_path / "many", *inputs, pipeline_options=options))
    assert (summary.counts.annotated, summary.shards_committed) == (6 * 23, 18)
    run(make_job(tmp_path / "one", *inputs))
    assert all_mentions(tmp_path / "many") == all_mentions(tmp_path / "one")


def test_beam_counters_agree_with_the_manifests(tmp_path: Path) -> None:
    """Would catch metrics that a dashboard shows and that say something else than the store."""
    texts = [*_TEXTS, f"{POISON}. Good."]
    job = make_job(tmp_path / "s", write_jsonl(tmp_path / "in.jsonl", texts))
    pipeline = beam.Pipeline(runner="FnApiRunner")
    outcomes = pipeline | beam.Create(job.inputs) | AnnotateShards(job, WordService)
    assert outcomes._fields == ("committed", "skipped", "failed")
    result = pipeline.run()
    result.wait_until_finish()
    filtered = result.metrics().query(beam.metrics.MetricsFilter().with_namespace(NAMESPACE))
    counters = {one.key.metric.name: one.committed for one in filtered["counters"]}
    manifests = list(read_manifests(job.store))
    assert counters["documents"] == sum(one.counts.annotated for one in manifests) == 24
    assert counters["records.annotated"] == 24
    assert counters["mentions"] == sum(one.counts.mentions for one in manifests)
    assert counters["rejects.actor_died"] == 1
    distributions = {one.key.metric.name: one.committed for one in filtered["distributions"]}
    assert distributions["mentions_per_shard"].count == 3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"shard_records": 0}, "shard_records: is 0"),
        ({"buffer_records": 0}, "buffer_records: is 0"),
        ({"buffer_characters": 0}, "buffer_characters: is 0"),
        ({"max_reject_rate": 1.5}, r"max_reject_rate: is 1\.5"),
        ({"label_sets": ()}, "label_sets"),
        ({"label_sets": (ENGLISH, ENGLISH)}, "label_sets"),
    ],
)
def test_unusable_settings_are_named(tmp_path: Path, settings: dict[str, object], words: str) -> None:
    """Would catch a job that fails late, or divides by zero, for a setting that could be checked at once."""
    with pytest.raises(ConfigurationError, match=words):
        make_job(tmp_path, "x", **settings)


def test_a_job_without_inputs_is_not_run(tmp_path: Path) -> None:
    """Would catch a run that annotates nothing and ends well: `needs_no_model` says so of no inputs."""
    job = make_job(tmp_path / "store")
    assert needs_no_model(job)
    with pytest.raises(ConfigurationError, match="inputs: is empty"):
        run(job, MustNotBeAsked)
    assert not (tmp_path / "store").exists()


def test_an_unknown_runner_is_a_usage_error(tmp_path: Path) -> None:
    """Would catch Beam's own exception on the user's screen."""
    with pytest.raises(ConfigurationError, match="runner: 'NoSuchRunner'"):
        run(make_job(tmp_path, "x", runner="NoSuchRunner"))


def test_what_stops_the_runner_is_an_error_of_ours(tmp_path: Path) -> None:
    """Would catch the RuntimeError of Beam's own runner, which no handler expects: a night would end without an entry
    in the ledger."""
    pipeline = new_pipeline(make_job(tmp_path / "store"))
    pipeline | beam.Create(["shard-1"]) | beam.Map(_stop)
    with pytest.raises(RunnerError, match=r"did not finish the job: no shard-1 .*run the same command"):
        run_to_the_end(pipeline, runner=FN_API_RUNNER)


def _stop(name: str) -> None:
    raise RuntimeError(f"no {name}")


def test_beam_worker_code_imports_no_torch_and_is_quiet() -> None:
    """Would catch a model library in every Beam worker, and cloud warnings on every command's screen."""
    code = (
        "import sys, logging, pipelines.annotate, pipelines.annotate\n"
        "assert 'apache_beam' in sys.modules\n"
        "assert not {'torch', 'transformers', 'ray'} & set(sys.modules)\n"
        "assert logging.root.handlers == []\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
