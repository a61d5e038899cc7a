"""Timing contenders side by side: batch by batch in turn, so that a busy machine hurts all of them alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol

import torch

from bioner_core.benchmark.machine import wait_for
from bioner_core.benchmark.sentences import Answer, SentenceBatch


class Contender(Protocol):
    """Does the work of one batch in its own way."""

    @property
    def name(self) -> str:
        """What it is called in reports."""
        ...

    def takes(self, batch: SentenceBatch) -> bool:
        """Whether it runs on this batch; a slow one may take only some."""
        ...

    def run(self, batch: SentenceBatch) -> Answer | None:
        """Do the work; contenders that tag return the moves of each row."""
        ...


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one contender, by round and by batch, None where it did not run; and its answers in the last round."""

    seconds: tuple[tuple[float | None, ...], ...]
    answers: tuple[Answer | None, ...]

    @property
    def total(self) -> float:
        """Seconds of a round over the batches that it took: the median over rounds."""
        return median(sum(one for one in row if one is not None) for row in self.seconds)

    @property
    def taken(self) -> tuple[int, ...]:
        """The places of the batches that it took."""
        return tuple(index for index, one in enumerate(self.seconds[0]) if one is not None)

    def ratio_to(self, other: "Timing") -> float:
        """Its seconds through those of another on the batches that both took: the median over rounds."""
        return median(_paired_ratio(mine, theirs) for mine, theirs in zip(self.seconds, other.seconds, strict=True))


def _paired_ratio(mine: Sequence[float | None], theirs: Sequence[float | None]) -> float:
    pairs = [(one, two) for one, two in zip(mine, theirs, strict=True) if one is not None and two is not None]
    return sum(one for one, _ in pairs) / sum(two for _, two in pairs)


def time_contenders(
    contenders: Sequence[Contender],
    batches: Sequence[SentenceBatch],
    *,
    repeats: int,
    device: torch.device,
    on_batch: Callable[[SentenceBatch], None] = lambda _: None,
) -> dict[str, Timing]:
    """Run every contender on every batch, `repeats` rounds; who begins a batch changes from batch to batch."""
    seconds: dict[str, list[list[float | None]]] = {one.name: [] for one in contenders}
    answers: dict[str, list[Answer | None]] = {one.name: [None] * len(batches) for one in contenders}
    for _ in range(repeats):
        for one in contenders:
            seconds[one.name].append([None] * len(batches))
        for batch in batches:
            first = batch.index % len(contenders)
            for one in (*contenders[first:], *contenders[:first]):
                if one.takes(batch):
                    spent, answers[one.name][batch.index] = _timed(one, batch, device)
                    seconds[one.name][-1][batch.index] = spent
            on_batch(batch)
    return {name: Timing(tuple(map(tuple, rows)), tuple(answers[name])) for name, rows in seconds.items()}


def _timed(contender: Contender, batch: SentenceBatch, device: torch.device) -> tuple[float, Answer | None]:
    wait_for(device)
    started = time.perf_counter()
    answer = contender.run(batch)
    wait_for(device)
    return time.perf_counter() - started, answer
