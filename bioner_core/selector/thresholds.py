"""From which probability on a candidate is accepted: one threshold per type, drawn towards a common one.

A threshold that is fitted on the few hundred candidates of one corpus follows that corpus: on others it turned down
nothing, or too much. So each type's own threshold counts by how many gold spans it was fitted on, against
`strength` imagined ones at the common threshold, and the lowest one is taken that costs at most `spare` of the best F1:
on other text, recall is what is missing. Both are decided on corpora that were left out
(`training/selector_transfer.py`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bioner_core.f1 import f1_from_counts

GRID = tuple(step / 100 for step in range(2, 91, 2))
"""The thresholds that are tried; 0.9 is high enough for every F1 that a model can have."""


@dataclass(frozen=True, slots=True)
class JudgedCandidates:
    """Candidates of one corpus with their probability.

    *Shape:* probability, tag, is_right (spans,). `gold_counts` are gold spans by tag index, tagged or not.
    """

    probability: Tensor
    tag: Tensor
    is_right: Tensor
    gold_counts: Mapping[int, int]

    def of_tag(self, tag: int) -> "JudgedCandidates":
        """Those of one tag."""
        own = self.tag == tag
        counts = {tag: self.gold_counts.get(tag, 0)}
        return JudgedCandidates(self.probability[own], self.tag[own], self.is_right[own], counts)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The threshold of each tag index, and that of tags that are not among them."""

    common: float
    by_tag: Mapping[int, float]

    def of(self, tag: int) -> float:
        """The threshold of a tag index."""
        return self.by_tag.get(tag, self.common)

    def kept(self, candidates: JudgedCandidates) -> Tensor:
        """Which candidates are accepted. *Shape:* (spans,), booleans."""
        limits = torch.tensor([self.of(tag) for tag in candidates.tag.tolist()], dtype=candidates.probability.dtype)
        return candidates.probability >= limits


def fit_thresholds(
    corpora: Sequence[JudgedCandidates], *, strength: float, spare: float = 0.0, free: int | None = None
) -> Thresholds:
    """Thresholds from the candidates of some corpora; tags are pooled over the corpora that mark them.

    The common one is the lowest whose mean F1 over the corpora, each counting the same, is within `spare` of the best.
    An infinite `strength` gives it to every tag. Corpora under the tag `free` give that tag its threshold in the same
    way, and none to others: what a model finds of types that it was not trained for is less often right.
    """
    unknown = [one for one in corpora if free in one.gold_counts]
    known = [one for one in corpora if free not in one.gold_counts]
    common = _lowest(known or unknown, spare)
    by_tag = {} if free is None or not unknown else {free: _lowest(unknown, spare)}
    if math.isinf(strength):
        return Thresholds(common, by_tag)
    for tag in sorted({tag for one in known for tag in one.gold_counts}):
        own = [one.of_tag(tag) for one in known if tag in one.gold_counts]
        gold = sum(one.gold_counts[tag] for one in own)
        if gold:
            weight = gold / (gold + strength)
            by_tag[tag] = _sigmoid(weight * _logit(_lowest([_pooled(own)], spare)) + (1 - weight) * _logit(common))
    return Thresholds(common, by_tag)


def f1_of(kept: Tensor, candidates: JudgedCandidates) -> float:
    """F1 of the candidates that are kept, against all gold spans. *Shape:* kept (spans,), booleans."""
    right = int((kept & candidates.is_right).sum())
    return f1_from_counts(right, found=int(kept.sum()), gold=sum(candidates.gold_counts.values()))


def _lowest(corpora: Sequence[JudgedCandidates], spare: float) -> float:
    """The lowest threshold with a mean F1 near the best."""
    means = [sum(f1_of(one.probability >= limit, one) for one in corpora) / max(len(corpora), 1) for limit in GRID]
    best = max(means)
    return min(limit for limit, mean in zip(GRID, means, strict=True) if mean >= best - spare)


def _pooled(corpora: Sequence[JudgedCandidates]) -> JudgedCandidates:
    counts: dict[int, int] = {}
    for one in corpora:
        for tag, count in one.gold_counts.items():
            counts[tag] = counts.get(tag, 0) + count
    return JudgedCandidates(
        torch.cat([one.probability for one in corpora]),
        torch.cat([one.tag for one in corpora]),
        torch.cat([one.is_right for one in corpora]),
        counts,
    )


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))
