"""Candidates that are copied from a committed shard are what was committed, or the model is asked: bit by bit."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from annotate_fakes import ENGLISH, WordService, all_mentions, make_job, run, write_jsonl

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.documents import Document
from bioner_core.errors import DamagedFileError
from bioner_core.formats.input_digests import file_digest
from bioner_core.formats.reader import read_records
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.store.checks.comparison import store_differences
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.document_index import index_files, refresh_index
from bioner_core.store.layout import ShardDescriptor, Store, input_key
from bioner_core.store.manifest import Manifest
from bioner_core.store.names import list_names
from bioner_core.store.reading import manifests_of_input, read_manifests
from pipelines.annotate import outcome_without_model
from pipelines.carry_over import carried_mentions, plan_carry_over
from pipelines.job import AnnotationJob
from pipelines.known_rows import known_rows
from pipelines.plan import plan_shards
from pipelines.refinish import finish_again, needs_no_model
from pipelines.retry import PASSING_REASONS, faulty_shards, retry_shards
from pipelines.summary import Status

FLIPS = 120
SEED = 18
TEXTS = [f"Protein {number} binds" for number in range(5)]
STRICT = FinishSettings((("genia", 0.95),), document_pass=False)


@contextmanager
def _flipped(path: Path, number: int) -> Iterator[None]:
    """One bit of a file is another one for the block; every part of the file has its turn."""
    before = path.read_bytes()
    place = random.Random(SEED + number).randrange(len(before) * 8)
    changed = bytearray(before)
    changed[place // 8] ^= 1 << place % 8
    path.write_bytes(changed)
    try:
        yield
    finally:
        path.write_bytes(before)


def _job(store: Path, name: str, **settings: object) -> AnnotationJob:
    return make_job(store, name, label_sets=(ENGLISH,), **settings)


def _committed(store: Path, texts: Sequence[str] = TEXTS) -> tuple[str, Manifest, ShardDescriptor]:
    name = write_jsonl(store.parent / "a.jsonl", texts)
    run(_job(store, name, max_reject_rate=1.0))
    [manifest] = read_manifests(Store(store))
    [descriptor] = plan_shards(_job(store, name), name, names=list_names(Store(store)))
    return name, manifest, descriptor


def _each_flip(store: Path, manifest: Manifest, check: Callable[[], None]) -> None:
    paths = [store / file.path for file in manifest.files]
    for number in range(FLIPS):
        with _flipped(paths[number % len(paths)], number):
            check()


def test_a_damaged_shard_is_not_finished_again(tmp_path: Path) -> None:
    """Catches bit rot that finishing again copies: of 400 flips one committed the shard with no mention at all, which
    `verify` then passed, since neither page heads nor the footer of a Parquet file have a checksum."""
    name, manifest, descriptor = _committed(tmp_path / "s")
    job = _job(tmp_path / "s", name, finish=STRICT)

    def check() -> None:
        with pytest.raises(DamagedFileError, match="has changed since it was written"):
            finish_again(manifest, descriptor, job=job)
        assert outcome_without_model(job, descriptor) is None
        assert not needs_no_model(job)

    _each_flip(tmp_path / "s", manifest, check)
    assert list(read_manifests(Store(tmp_path / "s"))) == [manifest]
    outcome = outcome_without_model(job, descriptor)
    assert outcome is not None
    assert outcome.status is Status.REFINISHED


def test_a_damaged_shard_is_made_anew_by_the_model(tmp_path: Path) -> None:
    """Catches a run over a damaged shard that fails for ever, or copies what it cannot trust."""
    name, manifest, _ = _committed(tmp_path / "s")
    [mentions] = [file.path for file in manifest.files if file.table == "mentions"]
    with _flipped(tmp_path / "s" / mentions, 1):
        summary = run(_job(tmp_path / "s", name, finish=STRICT))
        assert (summary.exit_code(), summary.shards_refinished, summary.rows_sent) == (0, 0, len(TEXTS))
        run(_job(tmp_path / "fresh", name, finish=STRICT))
        assert list(store_differences(Store(tmp_path / "fresh"), Store(tmp_path / "s"))) == []
        assert verify_store(Store(tmp_path / "s")).sound


def test_nothing_is_carried_over_from_a_damaged_shard(tmp_path: Path) -> None:
    """Catches mentions of an older shard that a disk has changed, copied into a new one as if the model had said so."""
    store = Store(tmp_path / "s")
    _, manifest, _ = _committed(store.root)
    _register(store, tmp_path / "a.jsonl")
    job = _job(store.root, write_jsonl(tmp_path / "b.jsonl", TEXTS))
    [descriptor] = plan_shards(job, job.inputs[0], names=list_names(store))
    plan_carry_over(store, [descriptor], fingerprint=job.run_fingerprint, decode=job.decode_fingerprint)
    assert _carried(store, descriptor) == len(TEXTS)
    assert all(one not in carried_mentions(store, descriptor, decode="another") for one in _documents(descriptor))
    [mentions] = [file for file in manifest.files if file.table == "mentions"]
    _each_flip(store.root, replace(manifest, files=(mentions,)), lambda: _none_carried(store, descriptor))
    assert _carried(store, descriptor) == len(TEXTS)


def _carried(store: Store, descriptor: ShardDescriptor) -> int:
    """How many documents of a shard need no model."""
    carried = carried_mentions(store, descriptor, decode=_job(store.root, descriptor.input_file).decode_fingerprint)
    return sum(one in carried for one in _documents(descriptor))


def _documents(descriptor: ShardDescriptor) -> list[Document]:
    return [one for one in read_records(descriptor.input_file) if isinstance(one, Document)]


def _none_carried(store: Store, descriptor: ShardDescriptor) -> None:
    assert _carried(store, descriptor) == 0


def _register(store: Store, file: Path) -> None:
    key = input_key(str(file), file_digest(str(file)))
    refresh_index(store, key, manifests=manifests_of_input(store, key))


def test_a_damaged_index_names_no_precedent(tmp_path: Path) -> None:
    """Catches an index of documents whose page heads a disk has changed: it would give a text another's mentions."""
    store = Store(tmp_path / "s")
    _committed(store.root)
    _register(store, tmp_path / "a.jsonl")
    job = _job(store.root, write_jsonl(tmp_path / "b.jsonl", TEXTS))
    [descriptor] = plan_shards(job, job.inputs[0], names=list_names(store))
    [index] = index_files(store)
    assert isinstance(index, Path)
    for number in range(FLIPS):
        with _flipped(index, number):
            plan_carry_over(store, [descriptor], fingerprint=job.run_fingerprint, decode=job.decode_fingerprint)
            _none_carried(store, descriptor)


def test_an_index_is_made_of_whole_files_alone(tmp_path: Path) -> None:
    """Catches an index that is made of a damaged table, and is still believed when the table was restored."""
    store = Store(tmp_path / "s")
    _, manifest, _ = _committed(store.root)
    [documents] = [file for file in manifest.files if file.table == "documents"]

    def check() -> None:
        with pytest.raises(DamagedFileError, match="has changed since it was written"):
            _register(store, tmp_path / "a.jsonl")

    _each_flip(store.root, replace(manifest, files=(documents,)), check)
    assert index_files(store) == []


class HealedService(WordService):
    """Answers what it failed at before."""

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Candidates of every request."""
        return super().annotate([replace(one, text=one.text.replace("Poison", "Potion")) for one in requests])


def test_a_damaged_shard_is_not_retried(tmp_path: Path) -> None:
    """Catches answers that a retry takes from a damaged shard: it would commit them under a new digest."""
    store = Store(tmp_path / "s")
    name, manifest, _ = _committed(store.root, [*TEXTS, "Good one. Poison here."])
    job = _job(store.root, name)
    before = all_mentions(store.root)
    shards = faulty_shards(store, PASSING_REASONS)

    def check() -> None:
        with pytest.raises(DamagedFileError, match="has changed since it was written"):
            known_rows(store, manifest, label_sets=job.label_sets, without=PASSING_REASONS)

    _each_flip(store.root, manifest, check)
    with _flipped(store.root / manifest.files[1].path, 0):
        told = retry_shards(shards, job=job, service=HealedService(), reasons=PASSING_REASONS, places={})
    assert [one.status for one in told.outcomes] == [Status.FAILED]
    assert f"manifests/{manifest.shard_id}.json" in str(told.outcomes[0].message)
    assert all_mentions(store.root) == before
