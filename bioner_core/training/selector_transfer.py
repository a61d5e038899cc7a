"""How a selector does where it was not fitted: one corpus left out after the other.

On the corpora that it is fitted on, a selector is never worse than none. What its users have is another corpus. So each
corpus is judged by a selector that was trained, calibrated and given thresholds on all the others; what belongs to no
corpus alone, the rule by which thresholds are fitted, is chosen by what comes out: first that it hurts no corpus.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bioner_core.evaluation.reliability import ScoredCandidate, reliability
from bioner_core.models.loading import LoadedModel
from bioner_core.selector.calibration import tag_score_threshold
from bioner_core.selector.samples import SpanSamples
from bioner_core.selector.selector import new_selector
from bioner_core.selector.thresholds import JudgedCandidates, f1_of, fit_thresholds
from bioner_core.training.selector_candidates import CorpusCandidates
from bioner_core.training.selector_fitting import fit_selector, judged, what_is_lacking
from bioner_core.training.selector_settings import SelectorSettings

STRENGTHS = (30.0, 100.0, 300.0, 1000.0, math.inf)
"""What is tried: as how many gold spans the common threshold counts."""

SPARES = (0.0, 0.0025, 0.005, 0.01)
"""What is tried: how much F1 a lower threshold may cost on the corpora that it is fitted on."""

MOST_LOST = 0.003
"""By how much the selector may lower the F1 of a corpus that it was not fitted on."""


LEAST_GAINED = 0.002
"""What a rule has to gain in mean F1: less is chance, and on text that is unlike all of these it may cost points."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How thresholds are fitted: as how many gold spans the common one counts, and how much F1 a lower one may cost."""

    strength: float
    spare: float

    def __str__(self) -> str:
        return f"strength {self.strength:g}, spare {self.spare:g}"


RULES = tuple(Rule(strength, spare) for spare in SPARES for strength in STRENGTHS)


@dataclass(frozen=True, slots=True)
class SelectorScore:
    """Precision, recall and F1, from 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class LeftOutCorpus:
    """One corpus judged by a selector of the others: without it, with it, and with the plainer one of tag scores.

    `rules` has the F1 with each rule tried, by its words.
    """

    corpus: str
    label_set: str
    without: SelectorScore
    with_selector: SelectorScore
    by_tag_score: SelectorScore
    calibration_error: float
    rules: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is left to do for a corpus once it is judged: thresholds, of which there are several."""

    corpus: CorpusCandidates
    own: JudgedCandidates
    others: tuple[JudgedCandidates, ...]
    by_tag_score: SelectorScore
    free: int | None


def leave_one_out(
    loaded: LoadedModel, corpora: Sequence[CorpusCandidates], *, settings: SelectorSettings
) -> tuple[Rule, tuple[LeftOutCorpus, ...]]:
    """The best rule over corpora that were left out, and how each of them does with it.

    A corpus without which too little is left to fit a selector on is not judged; where that is every one, the first
    rule is taken.
    """
    found: list[_Judged] = []
    # One judge for all that is of one text: under another label set, or under other words, it is no other corpus.
    for name in dict.fromkeys(one.corpus for one in corpora):
        others = [one for one in corpora if one.corpus != name]
        found.extend(_judge(loaded, [one for one in corpora if one.corpus == name], others, settings))
    if not found:
        return RULES[0], ()
    scores = [{rule: _with(each, rule).f1 for rule in RULES} for each in found]
    rule = best_rule(scores, [_without(each).f1 for each in found])
    return rule, tuple(_line(each, rule, score) for each, score in zip(found, scores, strict=True))


def best_rule(scores: Sequence[Mapping[Rule, float]], without: Sequence[float]) -> Rule:
    """The rule with the best mean F1 among those that hurt no corpus, or of those that hurt the worst one least.

    Where none gains enough to count, it is the one that turns down least. `scores` has each corpus's F1 by rule,
    `without` its F1 when every candidate counts.
    """

    def loss(rule: Rule) -> float:
        worst = max(plain - score[rule] for score, plain in zip(scores, without, strict=True))
        return 0.0 if worst <= MOST_LOST else round(worst, 4)

    def gain(rule: Rule) -> float:
        found = round(sum(score[rule] - plain for score, plain in zip(scores, without, strict=True)) / len(scores), 4)
        return found if found >= LEAST_GAINED else min(found, 0.0)

    # Where two do as well, the one that turns down less, then the one that follows a corpus less.
    return min(RULES, key=lambda rule: (loss(rule), -gain(rule), -rule.spare, -rule.strength))


def selector_score(kept: Tensor, candidates: JudgedCandidates) -> SelectorScore:
    """The score of the candidates that are kept, against gold. *Shape:* kept (spans,), booleans."""
    right, gold = int((kept & candidates.is_right).sum()), sum(candidates.gold_counts.values())
    count = int(kept.sum())
    return SelectorScore(right / max(count, 1), right / max(gold, 1), f1_of(kept, candidates))


def scored_candidates(corpus: CorpusCandidates, found: JudgedCandidates) -> list[ScoredCandidate]:
    """A corpus's development candidates with both of their scores."""
    scores, right = corpus.development.tag_score.tolist(), found.is_right.tolist()
    return [ScoredCandidate(*one) for one in zip(scores, found.probability.tolist(), right, strict=True)]


def _judge(
    loaded: LoadedModel,
    left_out: Sequence[CorpusCandidates],
    others: Sequence[CorpusCandidates],
    settings: SelectorSettings,
) -> Iterator[_Judged]:
    """The candidates that are left out, judged by a selector of the others, where these are enough for one."""
    torch.manual_seed(settings.seed)
    selector = new_selector(loaded)
    if what_is_lacking(selector, others):
        return
    fit_selector(selector, others, settings=settings, log=lambda _: None)
    trained = {tag for one in others for part in one.training for tag in part.open_rows}
    fitted = tuple(judged(selector, one.development) for one in others)
    for own in left_out:
        unknown = [tag for tag in own.development.open_rows if tag not in trained]
        yield _Judged(
            own,
            judged(selector, own.development, as_free=unknown),
            fitted,
            _by_tag_score(own, others),
            min(selector.free, default=None),
        )


def pooled_tag_threshold(samples: Sequence[SpanSamples]) -> tuple[float, float]:
    """The threshold of a selector that knows nothing but tag scores, on all samples together, and its F1."""
    scores = torch.cat([one.tag_score for one in samples])
    right = torch.cat([one.is_right for one in samples])
    return tag_score_threshold(scores.tolist(), right.tolist(), gold_count=sum(one.gold_count for one in samples))


def _by_tag_score(own: CorpusCandidates, others: Sequence[CorpusCandidates]) -> SelectorScore:
    """With a threshold on tag scores alone, fitted on the other corpora together."""
    threshold, _ = pooled_tag_threshold([one.development for one in others])
    samples = own.development
    plain = JudgedCandidates(samples.tag_score, samples.tag, samples.is_right, samples.gold_counts)
    return selector_score(samples.tag_score >= threshold, plain)


def _without(each: _Judged) -> SelectorScore:
    return selector_score(torch.ones_like(each.own.is_right), each.own)


def _with(each: _Judged, rule: Rule) -> SelectorScore:
    fitted = fit_thresholds(each.others, strength=rule.strength, spare=rule.spare, free=each.free)
    return selector_score(fitted.kept(each.own), each.own)


def _line(each: _Judged, rule: Rule, scores: dict[Rule, float]) -> LeftOutCorpus:
    error = reliability(scored_candidates(each.corpus, each.own), has_selector=True).calibration_error
    return LeftOutCorpus(
        corpus=each.corpus.corpus,
        label_set=each.corpus.label_set,
        without=_without(each),
        with_selector=_with(each, rule),
        by_tag_score=each.by_tag_score,
        calibration_error=error or 0.0,
        rules={str(one): f1 for one, f1 in scores.items()},
    )
