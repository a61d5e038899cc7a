"""How readily a model opens tags: one bias per label set, chosen on development sentences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bioner_core.decoding.prepared_label_set import PreparedLabelSet
from bioner_core.selector.samples import SpanSamples

F1_TO_SPARE = 0.005
"""A higher bias may cost this much F1: it finds more, and the selector drops what is spurious."""


@dataclass(frozen=True, slots=True)
class BiasTrial:
    """What a model tagged with one bias on opening tags."""

    bias: float
    samples: SpanSamples

    @property
    def f1(self) -> float:
        """F1 when every candidate counts."""
        return 2 * int(self.samples.is_right.sum()) / max(len(self.samples.tag) + self.samples.gold_count, 1)


def with_bias(prepared: PreparedLabelSet, bias: float) -> PreparedLabelSet:
    """A label set whose opening tags have this bias."""
    return replace(prepared, tokens=replace(prepared.tokens, open_bias=bias))


def best_bias(
    biases: Sequence[float], prepared: PreparedLabelSet, decode: Callable[[PreparedLabelSet], SpanSamples]
) -> BiasTrial:
    """Decode with each bias; of those with an F1 near the best, the highest."""
    trials = [BiasTrial(bias, decode(with_bias(prepared, bias))) for bias in sorted(set(biases))]
    best = max(trial.f1 for trial in trials)
    return [trial for trial in trials if trial.f1 >= best - F1_TO_SPARE][-1]
