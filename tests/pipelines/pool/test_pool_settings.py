"""What a pool, a client and an annotator spec refuse before anything starts."""

from pathlib import Path
from typing import Any

import pytest

from bioner_core.errors import ConfigurationError
from pipelines.pool.pool_settings import ClientSettings, PoolSettings, usable_processors
from pipelines.pool.service import AnnotatorSpec


@pytest.mark.parametrize(
    "values",
    [
        {"actors": 0},
        {"cpus_per_actor": -0.5},
        {"cpus_per_actor": float("nan")},
        {"gpus_per_actor": float("inf")},
        {"gpus_per_actor": 1.5},
        {"gpus_per_actor": 2},
        {"least_actors": 0},
        {"least_actors": 3, "actors": 2},
        {"threads_per_actor": 0},
        {"max_restarts": -1},
        {"max_failed_starts": 0},
        {"start_seconds": 0},
        {"namespace": ""},
        {"ray_address": "ray://head:10001"},
        {"ray_address": "head"},
        {"ray_address": ":6379"},
        {"ray_address": "head:6379", "local_cpus": 4},
        {"actors": 3, "cpus_per_actor": 1, "local_cpus": 2},
    ],
)
def test_pool_settings_that_cannot_work_are_refused(values: dict[str, Any]) -> None:
    """A bad value that surfaces minutes later as actors that never start; the message must name the field."""
    with pytest.raises(ConfigurationError, match=next(iter(values))):
        PoolSettings(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"token_budget": 0},
        {"max_rows": 0},
        {"window": 0},
        {"max_attempts": 0},
        {"max_consecutive_deaths": 0},
        {"grace_seconds": 0},
        {"ping_seconds": float("nan")},
    ],
)
def test_client_settings_that_cannot_work_are_refused(values: dict[str, Any]) -> None:
    """A window of nothing, with which a client waits for ever."""
    with pytest.raises(ConfigurationError, match=next(iter(values))):
        ClientSettings(**values)


def test_deadlines_grow_with_tokens_and_are_never_zero() -> None:
    """A fixed deadline that kills actors on long batches, or one of zero that kills all of them."""
    assert ClientSettings(deadline_seconds=10, seconds_per_token=0.5).deadline(100) == 60
    with pytest.raises(ConfigurationError, match="deadline_seconds"):
        ClientSettings(deadline_seconds=0)


def test_a_local_ray_has_enough_for_its_actors() -> None:
    """More actors than processors, and so actors that never start."""
    assert PoolSettings(actors=100, cpus_per_actor=1).cluster_cpus() >= 100
    assert PoolSettings(actors=1, local_cpus=7).cluster_cpus() == 7


def test_threads_are_shared_out() -> None:
    """Every actor taking every processor, or none."""
    assert PoolSettings(actors=1).threads() == usable_processors()
    assert PoolSettings(actors=1000).threads() == 1
    assert PoolSettings(ray_address="head:6379", cpus_per_actor=0.5).threads() == 1
    assert PoolSettings(threads_per_actor=3).threads() == 3


def test_pools_do_not_share_a_namespace_by_chance() -> None:
    """Two jobs on one cluster that take each other's actors."""
    assert PoolSettings().namespace != PoolSettings().namespace


@pytest.mark.parametrize("factory", ["module", "module:", ":function", "module:not a name", ""])
def test_a_factory_must_name_a_function(factory: str) -> None:
    """A misspelt factory found only inside the actor."""
    with pytest.raises(ConfigurationError, match="module:function"):
        AnnotatorSpec(factory)


def test_a_factory_that_does_not_exist_is_named() -> None:
    """An AttributeError that names neither the spec nor what to do."""
    with pytest.raises(ConfigurationError, match="no function 'snark'"):
        AnnotatorSpec("bioner_core.inference.annotation:snark").build()


def test_a_factory_gets_its_arguments(tmp_path: Path) -> None:
    """Arguments dropped on the way."""
    spec = AnnotatorSpec("fake_annotators:broken_when", {"flag": str(tmp_path)})
    with pytest.raises(ValueError, match="the model file is gone"):
        spec.build()
