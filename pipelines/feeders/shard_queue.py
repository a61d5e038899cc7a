"""Which shards wait, and which feeder has which: each shard is out to one feeder at most, and ends once.

A feeder goes on with the input that it is reading, so that each input is read in one pass as long as there are others;
when there are none, one that has nothing takes the second half of what another one has before it.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bioner_core.store.layout import ShardDescriptor

LEAST_SHARDS_OUT = 2
"""One that is annotated, and one that is read meanwhile."""

ENOUGH_RECORDS_OUT = 1_000
"""Shards of fewer records together are too few: the actors would wait for the next order between small files."""

MOST_SHARDS_OUT = 50
"""More would only be lost with the feeder."""

SUSPECT_LOSSES = 2
"""A shard with which so many feeders were lost is given to one feeder alone, to see whether it ends that one too."""


@dataclass(slots=True, eq=False)
class _Stretch:
    """Waiting shards of one input in the order of its records; at most one feeder reads on there."""

    shards: deque[ShardDescriptor]
    reader: str = ""


@dataclass(slots=True)
class _Given:
    """The shards that a feeder has, by id, in the order in which it got them."""

    shards: dict[str, ShardDescriptor] = field(default_factory=dict)

    @property
    def has_room(self) -> bool:
        records = sum(_records(one) for one in self.shards.values())
        few = len(self.shards) < LEAST_SHARDS_OUT or records < ENOUGH_RECORDS_OUT
        return few and len(self.shards) < MOST_SHARDS_OUT


class ShardQueue:
    """The shards of one run. Not for two threads at once."""

    def __init__(self) -> None:
        self._stretches: list[_Stretch] = []
        self._given: dict[str, _Given] = {}
        self._losses: Counter[str] = Counter()
        self._suspects: deque[ShardDescriptor] = deque()
        self._emptying = ""

    @property
    def is_empty(self) -> bool:
        """Whether no shard waits, and none is out."""
        return not (self._stretches or self._suspects or any(one.shards for one in self._given.values()))

    @property
    def unread(self) -> tuple[int, int]:
        """How many stretches of inputs wait that no feeder has begun to read, and how many records these have."""
        waiting = [one for one in self._stretches if not one.reader]
        return len(waiting), sum(_records(shard) for one in waiting for shard in one.shards)

    def add(self, shards: Iterable[ShardDescriptor]) -> None:
        """Let shards of one input wait, in the order of its records, behind those that wait already."""
        stretch = _Stretch(deque(shards))
        if stretch.shards:
            self._stretches.append(stretch)

    def take(self, feeder: str) -> tuple[ShardDescriptor, ...]:
        """The shards that a feeder is to do next, beside those that it has; empty while it has enough."""
        given = self._given.setdefault(feeder, _Given())
        if any(self._losses[shard] >= SUSPECT_LOSSES for shard in given.shards):
            return ()
        if self._suspects and self._emptying in ("", feeder):
            return self._take_alone(feeder, given)
        taken: tuple[ShardDescriptor, ...] = ()
        while given.has_room and (stretch := self._stretch_for(feeder)) is not None:
            taken += self._give(given, stretch.shards.popleft())
            if not stretch.shards:
                self._stretches.remove(stretch)
        return taken

    def end(self, feeder: str, shard: str) -> bool:
        """Take it that a feeder has ended a shard; False where it was no longer that feeder's, and nothing is taken."""
        return self._given.get(feeder, _Given()).shards.pop(shard, None) is not None

    def lose(self, feeder: str) -> tuple[ShardDescriptor, ...]:
        """Forget a feeder. Returns the shards that it had: each is to be ended, or to be given back by `put_back`."""
        self._emptying = "" if self._emptying == feeder else self._emptying
        for stretch in self._stretches:
            if stretch.reader == feeder:
                stretch.reader = ""
        return tuple(self._given.pop(feeder, _Given()).shards.values())

    def put_back(self, shards: Sequence[ShardDescriptor]) -> tuple[ShardDescriptor, ...]:
        """Let shards wait again, before all others, that a feeder had when it was lost.

        Returns those that are given up: with which `SUSPECT_LOSSES` feeders were lost, and then one that had nothing
        else.
        """
        given_up = tuple(one for one in shards if self._losses[one.shard_id] >= SUSPECT_LOSSES)
        left = [one for one in shards if one not in given_up]
        self._losses.update(one.shard_id for one in left)
        self._suspects.extend(one for one in left if self._losses[one.shard_id] >= SUSPECT_LOSSES)
        again = deque(one for one in left if self._losses[one.shard_id] < SUSPECT_LOSSES)
        if again:
            self._stretches.insert(0, _Stretch(again))
        return given_up

    def _take_alone(self, feeder: str, given: _Given) -> tuple[ShardDescriptor, ...]:
        """A suspect, once the feeder has nothing else; until then nothing, so that this is not put off for ever."""
        self._emptying = feeder if given.shards else ""
        return () if given.shards else self._give(given, self._suspects.popleft())

    def _stretch_for(self, feeder: str) -> _Stretch | None:
        """Where a feeder reads on: where it read last, else where nobody reads, else half of the longest."""
        stretches = self._stretches
        for reader in (feeder, ""):
            if found := next((one for one in stretches if one.reader == reader), None):
                found.reader = feeder
                return found
        longest = max(stretches, key=lambda one: len(one.shards), default=None)
        if longest is None or len(longest.shards) == 1:
            return longest
        half = deque(longest.shards.pop() for _ in range(len(longest.shards) // 2))
        half.reverse()
        tail = _Stretch(half, feeder)
        stretches.insert(stretches.index(longest) + 1, tail)
        return tail

    def _give(self, given: _Given, shard: ShardDescriptor) -> tuple[ShardDescriptor, ...]:
        given.shards[shard.shard_id] = shard
        return (shard,)


def _records(shard: ShardDescriptor) -> int:
    return max(1, shard.records)
