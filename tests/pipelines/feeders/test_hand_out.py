"""Feeders that die, fall silent or come back, by a clock that jumps: each shard ends once, and the work goes on."""

from dataclasses import replace
from pathlib import Path

import pytest
from annotate_fakes import CountingProgress, make_job
from feeder_samples import Clock, VirtualFeeder, VirtualMaker, committed, shards_of

from bioner_core.errors import StoreError
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.manifest_cache import manifest_cache
from pipelines.feeders.feeder import FeederLostError
from pipelines.feeders.given_shards import LEASE_SECONDS, SILENT_SECONDS, GivenShards
from pipelines.feeders.hand_out import MOST_LOSSES, HandOut
from pipelines.feeders.shard_queue import ShardQueue
from pipelines.summary import ShardOutcome, Status

_STEP = 0.1


class World:
    """A hand-out of some shards to virtual feeders."""

    def __init__(self, tmp_path: Path, *, feeders: int, shards: int, deadly: frozenset[str] = frozenset()) -> None:
        self.clock = Clock()
        self.maker = VirtualMaker(self.clock, make_job(tmp_path / "store"), feeders, deadly)
        self.queue = ShardQueue()
        self.shards = shards_of("x", shards)
        self.queue.add(self.shards)
        self.outcomes: list[ShardOutcome] = []
        self.progress = CountingProgress()
        self.said: list[str] = []
        self.hand_out = HandOut(
            self.queue,
            self.maker,
            on_end=self.outcomes.append,
            progress=self.progress,
            tell=self.said.append,
            clock=self.clock,
        )

    def go(self, seconds: float = 1e6) -> None:
        """Until all is done, or for so long."""
        end = self.clock.now + seconds
        while not self.queue.is_empty and self.clock.now < end:
            self.hand_out.step()
            for feeder in self.maker.made:
                feeder.work()
            self.clock.now += _STEP

    @property
    def names(self) -> list[str]:
        """The shards that ended, sorted."""
        return sorted(one.shard_id for one in self.outcomes)


def test_feeders_share_the_work(tmp_path: Path) -> None:
    """Catches a hand-out that keeps one feeder busy and lets the others wait."""
    world = World(tmp_path, feeders=4, shards=40)
    world.go()
    assert world.names == [one.shard_id for one in world.shards]
    assert [len(one.did) for one in world.maker.made] == [10] * 4
    assert world.progress.fresh == 40 * 600
    assert world.clock.now < 10 * 1.2 + 1  # each shard takes a second


def test_what_a_dead_feeder_had_is_done_by_others(tmp_path: Path) -> None:
    """Catches shards that are lost with their feeder, and records that the progress counts twice."""
    world = World(tmp_path, feeders=2, shards=10)
    world.go(2.5)
    world.maker.made[0].given.done(77, skipped=False)  # of a shard that it will not end
    world.go(0.3)
    world.maker.made[0].alive = False
    world.go()
    assert world.names == [one.shard_id for one in world.shards]
    assert {one.status for one in world.outcomes} == {Status.COMMITTED}
    assert world.progress.fresh == 10 * 600
    assert len(world.maker.made) == 3
    assert "another one is started" in world.said[0]


def test_one_that_does_not_answer_is_ended_and_replaced(tmp_path: Path) -> None:
    """Catches a job that waits for ever for a feeder whose machine hangs."""
    world = World(tmp_path, feeders=2, shards=10)
    world.go(1.5)
    world.maker.made[1].silent = True
    world.go(SILENT_SECONDS - 5)
    assert not world.maker.made[1].ended
    world.go()
    assert world.maker.made[1].ended
    assert world.names == [one.shard_id for one in world.shards]


def test_one_that_starts_slowly_is_waited_for(tmp_path: Path) -> None:
    """Catches a busy machine on which every feeder is ended before its process is up."""
    world = World(tmp_path, feeders=2, shards=10)
    world.maker.starts_at[1] = 2 * SILENT_SECONDS
    world.go(SILENT_SECONDS + 5)
    assert not world.maker.made[1].ended
    world.go()
    assert len(world.maker.made) == 2
    assert world.names == [one.shard_id for one in world.shards]


def test_a_paused_feeder_commits_nothing_once_its_shards_may_be_anothers() -> None:
    """Catches a feeder that wakes and writes over what another one has committed, also when questions come first."""
    clock = Clock()
    given = GivenShards(clock=clock)
    given.exchange(shards_of("x", 1))
    given.check()
    clock.now += LEASE_SECONDS + 1
    given.exchange(())  # it was on its way when the feeder was paused
    with pytest.raises(StoreError, match="nothing was committed"):
        given.check()
    assert given.ended
    assert given.exchange(()).lost
    assert LEASE_SECONDS < SILENT_SECONDS


def test_a_woken_feeder_is_replaced_and_what_it_refused_is_done(tmp_path: Path) -> None:
    """Catches the refusal of a woken feeder that is taken for the failure of its shard."""
    world = World(tmp_path, feeders=1, shards=4)
    world.go(0.5)
    woken = world.maker.made[0]
    woken.silent = True
    world.go(LEASE_SECONDS + 5)
    refused = replace(committed(world.shards[0]), status=Status.FAILED)
    woken.given.tell(refused, pool_error=False)
    woken.silent, woken.begun = False, None
    world.go()
    assert world.names == [one.shard_id for one in world.shards]
    assert {one.status for one in world.outcomes} == {Status.COMMITTED}


def test_a_shard_that_ends_every_feeder_fails_and_no_other_one(tmp_path: Path) -> None:
    """Catches a record that crashes its reader and with it the whole run, whatever feeder has it."""
    deadly = shards_of("x", 8)[3].shard_id
    world = World(tmp_path, feeders=2, shards=8, deadly=frozenset([deadly]))
    world.go()
    assert world.names == [one.shard_id for one in world.shards]
    assert [one.shard_id for one in world.outcomes if one.status is Status.FAILED] == [deadly]


def test_feeders_that_are_lost_one_after_another_end_the_run(tmp_path: Path) -> None:
    """Catches a job that starts feeders for ever on machines where none can live."""
    world = World(tmp_path, feeders=1, shards=4 * MOST_LOSSES)
    make = world.maker.feeder

    def stillborn(number: int) -> VirtualFeeder:
        feeder = make(number)
        feeder.alive = False
        return feeder

    world.maker.feeder = stillborn  # type: ignore[method-assign]
    with pytest.raises(FeederLostError, match="run the same command again"):
        world.go()


def test_an_outcome_is_told_once_and_kept_no_longer() -> None:
    """Catches a feeder whose memory grows with every shard of a backfill of millions."""
    given = GivenShards()
    given.exchange(shards_of("x", 2))
    assert given.take() == shards_of("x", 1)[0]
    given.tell(committed(shards_of("x", 1)[0]), pool_error=False)
    assert [one.shard_id for one in given.exchange(()).outcomes] == [shards_of("x", 1)[0].shard_id]
    assert given.exchange(()).outcomes == ()


def test_a_feeder_commits_only_while_its_job_holds_the_store() -> None:
    """Catches a feeder that outlives a killed command for a moment, and commits beside the next one."""
    held = [True]
    given = GivenShards(holds_store=lambda: held[0])
    given.check()
    held[0] = False
    with pytest.raises(StoreError, match="no longer holds the lock"):
        given.check()


def test_what_was_known_of_a_shard_is_forgotten_when_a_feeder_commits_it(object_store: Store, tmp_path: Path) -> None:
    """Catches a ledger entry and a document index that lack shards, since another process committed them."""
    world = World(tmp_path, feeders=2, shards=3)
    world.maker.job = replace(world.maker.job, store=object_store)
    with StoreLock(object_store, purpose="test"):
        cache = manifest_cache(object_store)
        for one in world.shards:
            cache.keep(one.shard_id, None)
        world.go()
        assert [cache.found(one.shard_id) for one in world.shards] == [None] * 3
