"""How a selector does where it was not fitted: one corpus left out after the other.

On the corpora that it is fitted on, a selector is never worse than none. What its users have is another corpus. So each
corpus is judged by a selector that was trained, calibrated and given thresholds on all the others; what belongs to no
corpus alone, the strength that draws thresholds together, is chosen by what comes out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bioner_core.evaluation.reliability import ScoredCandidate, reliability
from bioner_core.models.loading import LoadedModel
from bioner_core.selector.calibration import precise_threshold
from bioner_core.selector.selector import new_selector
from bioner_core.selector.thresholds import JudgedCandidates, Thresholds, f1_of, fit_thresholds
from bioner_core.training.selector_candidates import CorpusCandidates
from bioner_core.training.selector_fitting import fit_selector, judged
from bioner_core.training.selector_settings import SelectorSettings

STRENGTHS = (30.0, 100.0, 300.0, 1000.0, math.inf)
"""What is tried: as how many gold spans the common threshold counts."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Precision, recall and F1, from 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class LeftOutCorpus:
    """One corpus judged by a selector of the others: without it, with it, and with the plainer one of tag scores.

    `strengths` has the F1 of each strength tried.
    """

    corpus: str
    label_set: str
    without: Agreement
    with_selector: Agreement
    by_tag_score: Agreement
    calibration_error: float
    strengths: dict[float, float]


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is left to do for a corpus once it is judged: thresholds, of which there are several."""

    corpus: CorpusCandidates
    own: JudgedCandidates
    others: tuple[JudgedCandidates, ...]
    by_tag_score: Agreement


def leave_one_out(
    loaded: LoadedModel, corpora: Sequence[CorpusCandidates], settings: SelectorSettings
) -> tuple[float, tuple[LeftOutCorpus, ...]]:
    """The strength with the best mean F1 over corpora that were left out, and how each of them does with it."""
    found = [_judge(loaded, corpora, place, settings) for place in range(len(corpora))]
    scores = [{one: _with(each, one).f1 for one in STRENGTHS} for each in found]
    means = {one: sum(score[one] for score in scores) / len(scores) for one in STRENGTHS}
    # Where two do as well, the one that follows a corpus less.
    strength = max(STRENGTHS, key=lambda one: (round(means[one], 4), one))
    lines = [_line(each, strength, score) for each, score in zip(found, scores, strict=True)]
    return strength, tuple(lines)


def agreement(kept: Tensor, candidates: JudgedCandidates) -> Agreement:
    """How the candidates that are kept agree with gold."""
    right, gold = int((kept & candidates.is_right).sum()), sum(candidates.gold_counts.values())
    count = int(kept.sum())
    return Agreement(right / max(count, 1), right / max(gold, 1), f1_of(kept, candidates))


def scored_candidates(corpus: CorpusCandidates, found: JudgedCandidates) -> list[ScoredCandidate]:
    """A corpus's development candidates with both of their scores."""
    scores, right = corpus.development.tag_score.tolist(), found.is_right.tolist()
    return [ScoredCandidate(*one) for one in zip(scores, found.probability.tolist(), right, strict=True)]


def _judge(loaded: LoadedModel, corpora: Sequence[CorpusCandidates], place: int, settings: SelectorSettings) -> _Judged:
    torch.manual_seed(settings.seed)
    own, others = corpora[place], [one for index, one in enumerate(corpora) if index != place]
    selector = new_selector(loaded)
    fit_selector(selector, others, settings, log=lambda _: None)
    trained = {tag for one in others for part in one.training for tag in part.open_rows}
    unknown = [tag for tag in own.development.open_rows if tag not in trained]
    return _Judged(
        own,
        judged(selector, own.development, as_free=unknown),
        tuple(judged(selector, one.development) for one in others),
        _by_tag_score(own, others),
    )


def _by_tag_score(own: CorpusCandidates, others: Sequence[CorpusCandidates]) -> Agreement:
    """With a threshold on tag scores alone, fitted on the other corpora together."""
    scores = torch.cat([one.development.tag_score for one in others])
    right = torch.cat([one.development.is_right for one in others])
    gold = sum(one.development.gold_count for one in others)
    threshold, _ = precise_threshold(scores.tolist(), right.tolist(), gold)
    samples = own.development
    plain = JudgedCandidates(samples.tag_score, samples.tag, samples.is_right, samples.gold_counts)
    return agreement(samples.tag_score >= threshold, plain)


def _thresholds(each: _Judged, strength: float) -> Thresholds:
    return fit_thresholds(each.others, strength=strength)


def _with(each: _Judged, strength: float) -> Agreement:
    return agreement(_thresholds(each, strength).kept(each.own), each.own)


def _line(each: _Judged, strength: float, scores: dict[float, float]) -> LeftOutCorpus:
    own = each.own
    error = reliability(scored_candidates(each.corpus, own), has_selector=True).calibration_error
    return LeftOutCorpus(
        corpus=each.corpus.corpus,
        label_set=each.corpus.label_set,
        without=agreement(torch.ones_like(own.is_right), own),
        with_selector=_with(each, strength),
        by_tag_score=each.by_tag_score,
        calibration_error=error or 0.0,
        strengths=scores,
    )
