"""How many feeders a command has and where they are, by what is asked for and which nodes see the store."""

from pathlib import Path

import pytest
from job_commands import Command

from bioner_core.errors import ConfigurationError, PoolError
from bioner_core.inference.annotation import NullAnnotator
from bioner_core.process_identity import ProcessIdentity, this_process
from bioner_core.store.history.lock import StoreLock, holds_store
from bioner_core.store.layout import Store
from jobs.options.annotation import AnnotateConfig
from jobs.runs.pool import check_feeders, feeder_places
from pipelines.feeders import ray_feeders
from tests.jobs.job_stores import null_job


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three nodes, of which those that see the store are in this list."""
    seeing = ["a", "c"]
    monkeypatch.setattr(ray_feeders, "living_nodes", lambda: ("a", "b", "c"))
    monkeypatch.setattr(ray_feeders, "nodes_with_store", lambda _: tuple(seeing))
    return seeing


def places(store: Path, *, feeders: int | None, ray: str = "head:6379") -> tuple[int, tuple[str, ...]]:
    """The number of feeders and their nodes."""
    config = AnnotateConfig(store=Store(store), feeders=feeders, ray=ray, quiet=True)
    found = feeder_places(null_job(store, "any"), NullAnnotator, config=config)
    return found.count, found.nodes


def test_a_cluster_has_a_feeder_for_each_node_that_sees_the_store(nodes: list[str], tmp_path: Path) -> None:
    """Catches rows that are committed to a folder of the same name on another machine's own disk, and so are lost."""
    assert places(tmp_path, feeders=None) == (2, ("a", "c"))
    assert places(tmp_path, feeders=5) == (5, ("a", "c"))
    nodes.remove("c")
    assert places(tmp_path, feeders=None) == (1, ()), "one does not travel to another machine"
    nodes.clear()
    assert places(tmp_path, feeders=None) == (1, ())
    with pytest.raises(PoolError, match="none of the 3 Ray nodes sees"):
        places(tmp_path, feeders=2)


def test_one_machine_has_one_feeder_unless_more_are_asked_for(nodes: list[str], tmp_path: Path) -> None:
    """Catches processes that nobody asked for on a machine that has no cores for them."""
    assert places(tmp_path, feeders=None, ray="local") == (1, ())
    assert places(tmp_path, feeders=1) == (1, ())
    assert places(tmp_path, feeders=2, ray="local") == (2, ("a", "b", "c"))


def test_a_store_is_seen_by_the_lock_that_the_command_holds(tmp_path: Path) -> None:
    """Catches a folder of the same name that is taken for the store, and a feeder that outlives its command's lock."""
    store, me = Store(tmp_path / "store"), this_process()
    store.root.mkdir(parents=True)
    assert not holds_store(store, me)
    with StoreLock(store, purpose="test"):
        assert holds_store(store, me)
        assert not holds_store(store, ProcessIdentity("elsewhere", me.pid, me.birth))
    assert not holds_store(store, me)


def test_several_feeders_and_another_runner_exclude_each_other(tmp_path: Path) -> None:
    """Catches two that both spread the work, and a number that is passed over in silence."""
    check_feeders(AnnotateConfig(store=Store(tmp_path), feeders=4))
    with pytest.raises(ConfigurationError, match="FlinkRunner spreads the work"):
        check_feeders(AnnotateConfig(store=Store(tmp_path), feeders=2, runner="FlinkRunner"))
    with pytest.raises(ConfigurationError, match="use 1 or more"):
        check_feeders(AnnotateConfig(store=Store(tmp_path), feeders=0))


@pytest.mark.parametrize("verb", [("annotate", "in.jsonl"), ("backfill", "pubmed"), ("backfill", "pmc", "--from", ".")])
def test_feeders_are_options_of_the_verbs_that_take_long(
    bioner: Command, verb: tuple[str, ...], tmp_path: Path
) -> None:
    """Catches a verb that does not know the option, or starts something with a number that cannot be."""
    done = bioner(*verb, "--store", tmp_path / "s", "--feeders", "0")
    assert done.code == 2
    assert "--feeders" in done.err
    assert not (tmp_path / "s").exists()
