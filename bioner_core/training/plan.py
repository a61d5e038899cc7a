"""The order of the batches: which of them make up an optimizer step, and a digest that tells two orders apart."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator

from bioner_core.training.examples import TaggingExample
from bioner_core.training.settings import SftSettings

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
    if per_step > 1:
        parts.append(f"batches a step {per_step}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
