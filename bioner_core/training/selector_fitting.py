"""Fitting a selector to candidates: the contrastive space first, then what its similarities are worth."""

from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from bioner_core.errors import ModelError
from bioner_core.selector.calibration import Calibration, fit_calibration
from bioner_core.selector.samples import SpanSamples
from bioner_core.selector.selector import Selector, info_nce
from bioner_core.selector.thresholds import JudgedCandidates
from bioner_core.training.selector_candidates import CorpusCandidates
from bioner_core.training.selector_settings import SelectorSettings

FREE_SHARE = 0.25
"""How many candidates of a batch stand for an entity of whatever type, which is what free tags mark."""


def fit_selector(
    selector: Selector,
    corpora: Sequence[CorpusCandidates],
    *,
    settings: SelectorSettings,
    log: Callable[[str], None],
) -> None:
    """Train the space on the corpora's training candidates, and calibrate it on their development candidates.

    Raises:
        ModelError: there are none of either kind (`what_is_lacking`).
    """
    lacking = what_is_lacking(selector, corpora)
    if lacking:
        raise ModelError(lacking)
    _fit_space(selector, [part for one in corpora for part in one.training], settings, log)
    development = [one.development for one in corpora]
    under_free = [one for one in development if len(one.tag) and selector.free.intersection(one.open_rows)]
    under_own = [one for one in development if not selector.free.intersection(one.open_rows)]
    _fit_calibration(selector, selector.calibration, under_own, tag=None)
    if selector.free:
        # Without candidates under new words those of known types stand in, which are more often right.
        _fit_calibration(selector, selector.free_calibration, under_free or under_own, tag=min(selector.free))


def what_is_lacking(selector: Selector, corpora: Sequence[CorpusCandidates]) -> str:
    """What there is too little of to fit a selector on these corpora, in words; empty where there is enough."""
    training = any(len(part.tag) for one in corpora for part in one.training)
    own = [one.development for one in corpora if not selector.free.intersection(one.development.open_rows)]
    if training and any(len(one.tag) for one in own):
        return ""
    where = "sentences to calibrate on" if training else "sentences to train on"
    names = ", ".join(sorted({one.corpus for one in corpora}))
    return (
        f"selector: the model tagged nothing in the {where} of {names}: train the model longer, or try higher "
        "open_biases, or give more sentences (calibration, rendered, decoded)"
    )


def judged(selector: Selector, samples: SpanSamples, *, as_free: Sequence[int] = ()) -> JudgedCandidates:
    """Candidates with the probability that the selector gives them; tags of `as_free` are taken for free ones.

    All free tags are returned as one, with all their gold spans: a number on a tag says nothing of what it marks.
    """
    tag, counts = samples.tag, samples.gold_counts
    if selector.free:
        free = selector.free.union(as_free)
        tag = _one_free(selector, tag, free)
        counts = {own: count for own, count in samples.gold_counts.items() if own not in free}
        of_free = sum(count for own, count in samples.gold_counts.items() if own in free)
        counts |= {min(selector.free): of_free} if of_free else {}
    found = (
        selector.probabilities(samples.features, tag.tolist(), tag_scores=samples.tag_score.tolist())
        if len(tag)
        else []
    )
    return JudgedCandidates(torch.tensor(found), tag, samples.is_right, counts)


def _one_free(selector: Selector, tag: Tensor, free: Collection[int]) -> Tensor:
    """Tags with one free tag for all that are free. *Shape:* (spans,) -> (spans,)."""
    is_free_tag = torch.isin(tag, torch.tensor(sorted(free), dtype=tag.dtype))
    return tag.masked_fill(is_free_tag, min(selector.free))


def _fit_space(
    selector: Selector, samples: Sequence[SpanSamples], settings: SelectorSettings, log: Callable[[str], None]
) -> None:
    """Minimise InfoNCE over shuffled batches that mix the label sets."""
    filled = [one for one in samples if len(one.tag)]
    features = torch.cat([one.features for one in filled])
    tag = torch.cat([one.tag for one in filled])
    is_gold = torch.cat([one.is_right for one in filled])
    rivals = torch.cat([_rivals(one, selector.space.types.shape[0]) for one in filled])
    optimizer = torch.optim.AdamW(
        selector.space.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    for epoch in range(settings.epochs):
        total, batches = 0.0, 0
        for chosen in torch.split(torch.randperm(len(tag)), settings.batch_spans):
            if is_gold[chosen].any():
                seen = functional.dropout(features[chosen], settings.dropout)
                own, others = _some_free(selector, tag[chosen], rivals[chosen])
                loss = info_nce(selector.space(seen), own, is_gold=is_gold[chosen], rivals=others)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                total, batches = total + float(loss.detach()), batches + 1
        log(f"selector epoch {epoch + 1} of {settings.epochs}: loss {total / max(batches, 1):.4f}")
    if selector.free:
        with torch.no_grad():
            selector.space.types[sorted(selector.free)] = selector.space.types[min(selector.free)].clone()


def _some_free(selector: Selector, tag: Tensor, rivals: Tensor) -> tuple[Tensor, Tensor]:
    """Tags and rivals of a batch in which some candidates stand under a free tag, which has no rivals.

    Those that were tagged with a free one always do.

    *Shape:* tag (spans,), rivals (spans, tags) -> the same.
    """
    if not selector.free:
        return tag, rivals
    free = min(selector.free)
    drawn = (torch.rand(len(tag)) < FREE_SHARE) | (_one_free(selector, tag, selector.free) == free)
    alone = functional.one_hot(torch.tensor(free), rivals.shape[1]).bool()
    return tag.masked_fill(drawn, free), torch.where(drawn.unsqueeze(1), alone, rivals)


def _rivals(samples: SpanSamples, tag_count: int) -> Tensor:
    """Which tags belong to the samples' label set. *Shape:* (spans, tags)."""
    rivals = torch.zeros(len(samples.tag), tag_count, dtype=torch.bool)
    rivals[:, list(samples.open_rows)] = True
    return rivals


def _fit_calibration(
    selector: Selector, calibration: Calibration, development: Sequence[SpanSamples], *, tag: int | None
) -> None:
    """Calibrate similarities to the candidates' own tags, or to one tag for all."""
    filled = [one for one in development if len(one.tag)]
    with torch.no_grad():
        tags = [one.tag.tolist() if tag is None else [tag] * len(one.tag) for one in filled]
        similarity = [selector.similarity(one.features, own) for one, own in zip(filled, tags, strict=True)]
    scores = torch.cat([one.tag_score for one in filled])
    right = torch.cat([one.is_right for one in filled])
    fit_calibration(calibration, torch.cat(similarity), tag_score=scores, is_right=right)
