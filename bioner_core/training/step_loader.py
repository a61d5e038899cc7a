"""Optimizer steps made ready for the device ahead of time, in worker processes where that is asked for.

A GPU reads a batch faster than Python writes its prompt and lists its legal moves, so several processes prepare. Each
walks the whole plan, which costs little, and prepares its own share of the steps; torch's loader gives them back in
order. So the steps are the same with any number of workers.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from bioner_core.training.batches import Batch
from bioner_core.training.loss import TrainingBatch

PREPARED_AHEAD = 4
"""Steps that each worker holds ready: enough to bridge a step whose sentences are many and short."""


@dataclass(frozen=True, slots=True)
class PreparedStep:
    """One optimizer step: this process's batches, and the loss's terms and the tokens of all processes together."""

    batches: tuple[TrainingBatch, ...]
    terms: int
    tokens: int


Prepare = Callable[[Sequence[Batch], int], PreparedStep]
"""Makes the step of this number from its batches; must depend on nothing else, since any worker may be asked."""


def prepared_steps(
    steps: Iterable[Sequence[Batch]], prepare: Prepare, *, first: int, workers: int
) -> Iterator[PreparedStep]:
    """The steps of a plan in order, numbered from `first`; prepared by so many processes, or here with 0."""
    dataset = _Steps(steps, prepare, first)
    if not workers:
        yield from dataset
        return
    # The tokenizer's own threads do not survive a fork; said here so that it does not warn in each worker.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Forked, so that the examples of all corpora are shared and not copied.
    options: dict[str, Any] = {"multiprocessing_context": "fork", "prefetch_factor": PREPARED_AHEAD}
    yield from DataLoader(dataset, batch_size=None, num_workers=workers, **options)


class _Steps(IterableDataset[PreparedStep]):
    """The steps of one worker: every n-th, beginning with its own number."""

    def __init__(self, steps: Iterable[Sequence[Batch]], prepare: Prepare, first: int) -> None:
        self._steps = steps
        self._prepare = prepare
        self._first = first

    def __iter__(self) -> Iterator[PreparedStep]:
        worker = get_worker_info()
        number, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for index, batches in itertools.islice(enumerate(self._steps), number, None, workers):
            yield self._prepare(batches, self._first + index)
