"""Which examples make up each training batch, and which batches an optimizer step.

The seed alone decides, so that a resumed run repeats the plan; a digest tells two orders apart.
"""

import hashlib
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bioner_core.training.examples import LostGold, TaggingExample
from bioner_core.training.settings import SftSettings

_POOL_BATCHES = 16
"""Batches are cut from pools of about this many, sorted by length, so that little is padded and order stays random."""

LENGTH_STEP = 8
"""Batch lengths are rounded up to this, so that matrix shapes repeat and their kernels are compiled once."""


@dataclass(frozen=True, slots=True)
class MixedCorpus:
    """The training examples of one corpus, its share of the batches, and of how many gold mentions which are lost.

    `left_out` sentences are no examples, because they stand in the held-out end of a corpus of the mix.
    """

    label_set: str
    weight: float
    examples: tuple[TaggingExample, ...]
    marked: int = 0
    lost: LostGold = field(default_factory=LostGold)
    left_out: int = 0


def padded_length(length: int) -> int:
    """A batch's length in tokens, rounded up to `LENGTH_STEP`."""
    return -(-length // LENGTH_STEP) * LENGTH_STEP


def mixed_batches(
    corpora: Sequence[MixedCorpus], *, batch_tokens: int, seed: int
) -> Iterator[tuple[TaggingExample, ...]]:
    """Batches without end: each from one corpus (so that the prompt is shared), corpora drawn by weight."""
    chooser = random.Random(seed)  # noqa: S311 - shuffling, not secrecy
    streams = [
        _corpus_batches(corpus.examples, batch_tokens=batch_tokens, seed=seed + 1 + index)
        for index, corpus in enumerate(corpora)
    ]
    weights = [corpus.weight for corpus in corpora]
    while True:
        yield next(chooser.choices(streams, weights)[0])


def _corpus_batches(
    examples: Sequence[TaggingExample], *, batch_tokens: int, seed: int
) -> Iterator[tuple[TaggingExample, ...]]:
    """One corpus again and again, shuffled anew each time."""
    shuffler = random.Random(seed)  # noqa: S311 - shuffling, not secrecy
    order = list(examples)
    mean = max(1.0, sum(len(one.input_ids) for one in order) / len(order))
    pool_size = max(1, round(_POOL_BATCHES * batch_tokens / mean))
    while True:
        shuffler.shuffle(order)
        for start in range(0, len(order), pool_size):
            batches = list(_cut(order[start : start + pool_size], batch_tokens))
            shuffler.shuffle(batches)
            yield from batches


def _cut(pool: Sequence[TaggingExample], batch_tokens: int) -> Iterator[tuple[TaggingExample, ...]]:
    """Cut a pool, sorted by length, into batches whose padded size stays in the budget; a long example is alone."""
    batch: list[TaggingExample] = []
    for example in sorted(pool, key=lambda one: len(one.input_ids)):
        if batch and padded_length(len(example.input_ids)) * (len(batch) + 1) > batch_tokens:
            yield tuple(batch)
            batch = []
        batch.append(example)
    if batch:
        yield tuple(batch)


Batch = tuple[TaggingExample, ...]


def step_batches(batches: Iterable[Batch], *, per_step: int, done_steps: int) -> Iterator[tuple[Batch, ...]]:
    """The batches of each optimizer step after those that are done; each step takes the next `per_step` of the plan."""
    # Invariant: a resumed run sees the batches that the run would have seen. The plan is drawn anew from its seed and
    # what is done is passed over; nothing of it is stored but its digest.
    rest = itertools.islice(batches, done_steps * per_step, None)
    while step := tuple(itertools.islice(rest, per_step)):
        yield step


def plan_digest(settings: SftSettings, per_step: int) -> str:
    """Digest of what decides which examples make up which step; two processes count as two batches of one."""
    parts = [str(settings.seed), str(settings.batch_tokens), str(settings.scheme)]
    parts.extend(f"{one.file}|{one.label_set}|{one.weight}|{one.held_out}" for one in settings.corpora)
    if any(one.weight is None for one in settings.corpora):
        parts.append(f"temperature {settings.mix_temperature}")
    parts.extend(f"{one.file} marks {', '.join(one.types)}" for one in settings.corpora if one.types)
    parts.append(f"prompts varied {settings.varied_prompts}")
    if settings.long_prompts:
        parts.append(f"long prompts {settings.long_prompts}")
    if per_step > 1:
        parts.append(f"batches a step {per_step}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
