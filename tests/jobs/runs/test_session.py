"""What a session makes of its options before anything starts: the precision of its actors, the size of its shards."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from bioner_core.errors import PoolError
from bioner_core.models import precision_choice
from bioner_core.models.base_model import pulled_folder
from bioner_core.models.bases import SMOLLM2
from bioner_core.store.history.model_notes import write_pin
from bioner_core.store.layout import Store
from jobs.options.annotation import ActorRange, AnnotateConfig
from jobs.runs import annotator as annotator_module
from jobs.runs import pool as pool_module
from jobs.runs.row_rates import GPU_ROWS_PER_SECOND
from jobs.runs.session import AnnotationSession
from pipelines.plan import SHARD_SECONDS
from pipelines.pool import pool_lookup


@pytest.fixture(autouse=True)
def _float32_is_fastest(pulled_base: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without GPU whose processor is slow at bfloat16, whatever this one is, and a large model."""
    monkeypatch.setattr(precision_choice, "precision_rates", lambda _: {"float32": 64e9, "bfloat16": 8e9})
    config = {"hidden_size": 576, "num_attention_heads": 9, "num_hidden_layers": 10_000}
    (pulled_folder(SMOLLM2) / "config.json").write_text(json.dumps(config), encoding="utf-8")
    _gpus(monkeypatch, 0)


def _gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(annotator_module, "visible_gpus", lambda: count)
    monkeypatch.setattr(pool_module, "visible_gpus", lambda: count)


def _computes_in(config: AnnotateConfig, precision: str) -> bool:
    """Whether the actors of a session are told this precision, or find it."""
    named = AnnotationSession(replace(config, precision=precision, pool=None))
    return AnnotationSession(config).run_fingerprint == named.run_fingerprint


@pytest.fixture
def config(model_card: Path, tmp_path: Path) -> AnnotateConfig:
    """A job on a new store that names no precision."""
    return AnnotateConfig(store=Store(tmp_path / "store"), model=str(model_card))


def test_the_precision_is_that_of_the_actors_and_not_of_the_launcher(
    config: AnnotateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches GPUs of a cluster that compute in float32 because its head has none, and the store that is pinned to it;
    and bfloat16 on processors that are slow at it because the launcher has a GPU."""
    assert _computes_in(config, "float32")
    on_cluster = replace(config, ray="head:6379")
    assert _computes_in(replace(on_cluster, gpus_per_actor=0.5), "bfloat16")
    _gpus(monkeypatch, 1)
    assert _computes_in(config, "bfloat16")
    assert _computes_in(on_cluster, "float32")
    assert _computes_in(replace(config, gpus_per_actor=0.0), "float32")


def test_shards_are_cut_for_the_gpus_that_the_actors_have(config: AnnotateConfig) -> None:
    """Catches shards of a few records for eight GPUs, guessed from the processor of a head without any."""
    eight = replace(config, ray="head:6379", wanted=ActorRange(1, 16), gpus_per_actor=0.5)
    assert AnnotationSession(eight).job().shard_rows == SHARD_SECONDS * 8 * GPU_ROWS_PER_SECOND
    assert AnnotationSession(config).job().shard_rows < SHARD_SECONDS * GPU_ROWS_PER_SECOND


def _runs_in(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    """Let a pool run that says this of its model; without a precision none runs."""

    @contextmanager
    def connected(_: object) -> Iterator[None]:
        yield

    def report(_: object, name: str) -> SimpleNamespace:
        if not precision:
            raise PoolError(f"there is no pool {name!r}")
        return SimpleNamespace(model={"precision": precision})

    monkeypatch.setattr(pool_lookup, "pool_address", lambda name, _: name)
    monkeypatch.setattr(pool_lookup, "connected_kv", connected)
    monkeypatch.setattr(pool_lookup, "living_report", report)


def test_a_new_store_takes_the_precision_of_the_pool(config: AnnotateConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a job that resolves `auto` by its own processor, and is then refused by the pool that it names."""
    _runs_in(monkeypatch, "bfloat16")
    assert _computes_in(replace(config, pool="gpus"), "bfloat16")
    _runs_in(monkeypatch, "")
    with pytest.raises(PoolError, match="no pool 'gpus'"):
        AnnotationSession(replace(config, pool="gpus"))


def test_a_pool_changes_no_precision_that_the_user_or_the_store_names(
    config: AnnotateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a store whose precision follows whatever pool it meets, and a pool that is asked for nothing."""
    _runs_in(monkeypatch, "")
    assert _computes_in(replace(config, pool="gpus", precision="bfloat16"), "bfloat16")
    config.store.folder.mkdir()
    write_pin(config.store, precision="bfloat16", reason="of its first run", processor="x")
    assert _computes_in(replace(config, pool="gpus"), "bfloat16")
