"""The pipeline onto object storage: what it commits, and how many requests that takes."""

from dataclasses import replace
from pathlib import Path

from annotate_fakes import MustNotBeAsked, make_job, run, write_jsonl

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.store.checks.comparison import store_differences
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from devtools.object_service import BUCKET, ObjectService
from pipelines.refinish import needs_no_model

_SHARDS = 20
_MOST_PER_SHARD = 6.0


def test_a_shard_takes_few_requests_and_no_listing(
    tmp_path: Path, object_service: ObjectService, object_store: Store
) -> None:
    """Catches a look, or a listing, at each shard that nobody counted: 37 million articles are 37,000 shards."""
    source = write_jsonl(tmp_path / "in.jsonl", [f"Protein {number} binds DNA." for number in range(10 * _SHARDS)])
    run(make_job(tmp_path / "calm", source))
    with StoreLock(object_store, purpose="test"):
        before = len(object_service.requests)
        assert run(replace(make_job(tmp_path, source), store=object_store)).exit_code() == 0
        asked = object_service.asked(since=before)
    assert len(asked) / _SHARDS <= _MOST_PER_SHARD
    assert sum(one.listing for one in asked) <= 5, "as many as for a job of one shard"
    assert list(store_differences(Store(tmp_path / "calm"), object_store)) == []
    assert verify_store(object_store).sound


def test_an_input_in_a_bucket_is_fetched_twice(
    tmp_path: Path, object_service: ObjectService, object_store: Store
) -> None:
    """Catches an input that is fetched anew for each of the questions that its digest answers: five times in all."""
    import boto3

    source = Path(write_jsonl(tmp_path / "in.jsonl", [f"Protein {number} binds DNA." for number in range(25)]))
    boto3.client("s3").put_object(Bucket=BUCKET, Key="dumps/in.jsonl", Body=source.read_bytes())
    job = replace(make_job(tmp_path, f"s3://{BUCKET}/dumps/in.jsonl"), store=object_store)
    with StoreLock(object_store, purpose="test"):
        before = len(object_service.requests)
        assert not needs_no_model(job)
        assert run(job).shards_committed == 3
        asked = object_service.asked(since=before)
    fetched = [one for one in asked if one.method == "GET" and one.key.endswith("dumps/in.jsonl")]
    assert len(fetched) == 2


def test_a_rerun_asks_no_model_and_another_model_leaves_nothing_behind(tmp_path: Path, object_store: Store) -> None:
    """Catches a store on object storage that forgets what is committed, or keeps the files of an older model."""
    source = write_jsonl(tmp_path / "in.jsonl", [f"Protein {number} binds DNA." for number in range(25)])
    job = replace(make_job(tmp_path, source), store=object_store)
    with StoreLock(object_store, purpose="test"):
        run(job)
        assert run(job, MustNotBeAsked).shards_skipped == 3
        assert run(replace(job, annotator_fingerprint="model-2")).shards_committed == 3
    assert verify_store(object_store).sound
    assert sum(1 for _ in object_store.file("documents").rglob("*")) == 3


def test_a_changed_finish_on_objects_needs_no_model(tmp_path: Path, object_store: Store) -> None:
    """Catches candidates that are decoded again, or finished otherwise than a fresh run would, on object storage."""
    source = write_jsonl(tmp_path / "in.jsonl", [f"Protein {number} binds DNA." for number in range(25)])
    strict = FinishSettings((("cmeee", 0.99), ("genia", 0.99)), document_pass=False)
    with StoreLock(object_store, purpose="test"):
        run(replace(make_job(tmp_path, source), store=object_store))
        run(replace(make_job(tmp_path, source), store=object_store, finish=strict), MustNotBeAsked)
    run(replace(make_job(tmp_path / "fresh", source), finish=strict))
    assert list(store_differences(Store(tmp_path / "fresh"), object_store)) == []
    assert verify_store(object_store).sound
