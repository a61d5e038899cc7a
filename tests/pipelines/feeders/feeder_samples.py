"""Shards, and feeders by a clock that jumps, for the tests of whoever gives out shards."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bioner_core.store.layout import ShardDescriptor
from bioner_core.store.manifest import Counts
from pipelines.feeders.feeder import FeederLostError
from pipelines.feeders.given_shards import FeederReport, GivenShards
from pipelines.job import AnnotationJob
from pipelines.summary import ShardOutcome, Status


def shards_of(name: str, count: int, *, records: int = 600) -> list[ShardDescriptor]:
    """So many shards of one input."""
    ranges = [(number * records, (number + 1) * records) for number in range(count)]
    return [ShardDescriptor(f"{name}-{first:08d}", "test", name, "jsonl", first, last, "") for first, last in ranges]


_STEP = 0.1
"""Seconds between two steps of the worlds of these tests."""


@dataclass
class Clock:
    """Seconds that pass when they are told to."""

    now: float = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@dataclass
class VirtualFeeder:
    """A handle of a feeder that takes a time for each shard; it may be told to die, or to be silent.

    `work` is called in each step of the world; `deadly` are shards that end whoever begins them.
    """

    clock: Clock
    seconds_per_shard: float = 1.0
    deadly: frozenset[str] = frozenset()
    is_here: bool = False
    alive: bool = True
    silent: bool = False
    ended: bool = False
    starts_at: float = 0.0
    given: GivenShards = field(init=False)
    asked: Sequence[ShardDescriptor] | None = None
    begun: ShardDescriptor | None = None
    done_at: float = 0.0
    did: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.given = GivenShards(wait_seconds=0, clock=self.clock)

    def ask(self, shards: Sequence[ShardDescriptor]) -> None:
        """It answers in the next step, if it has started."""
        self.asked = shards

    def answer(self) -> FeederReport | None:
        """The answer, unless it is dead or silent."""
        if not self.alive:
            raise FeederLostError("its process has died")
        if self.silent or self.asked is None or self.clock.now < self.starts_at:
            return None
        if self.clock.now - _STEP < self.starts_at:
            self.given = GivenShards(wait_seconds=0, clock=self.clock)
        shards, self.asked = self.asked, None
        return self.given.exchange(shards)

    def leave(self) -> None:
        """It is over."""
        self.ended = True

    def end(self) -> None:
        """It is over."""
        self.ended, self.alive = True, False

    def work(self) -> None:
        """End the shard that is due, and begin the next."""
        if not self.alive or self.silent:
            return
        if self.begun is not None and self.clock.now >= self.done_at:
            self.given.done(self.begun.records, skipped=False)
            self.did.append(self.begun.shard_id)
            self.given.tell(committed(self.begun), pool_error=False)
            self.begun = None
        if self.begun is None and (shard := self.given.take()) is not None:
            self.begun, self.done_at = shard, self.clock.now + self.seconds_per_shard
            if shard.shard_id in self.deadly:
                self.alive = False


@dataclass
class VirtualMaker:
    """Makes virtual feeders."""

    clock: Clock
    job: AnnotationJob
    count: int
    deadly: frozenset[str] = frozenset()
    starts_at: dict[int, float] = field(default_factory=dict)
    made: list[VirtualFeeder] = field(default_factory=list)

    def feeder(self, number: int) -> VirtualFeeder:
        """Another one."""
        assert number == len(self.made)
        self.made.append(VirtualFeeder(self.clock, deadly=self.deadly, starts_at=self.starts_at.get(number, 0.0)))
        return self.made[-1]


def committed(shard: ShardDescriptor) -> ShardOutcome:
    """The outcome of a shard that is well."""
    return ShardOutcome(Status.COMMITTED, shard.shard_id, shard.input_file, Counts(shard.records, shard.records))
