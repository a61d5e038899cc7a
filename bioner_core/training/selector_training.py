"""Training the selector of a model: its candidates, the fit, and thresholds that hold on other corpora too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from bioner_core.evaluation.reliability import ScoredCandidate, reliability
from bioner_core.models.loading import load_model
from bioner_core.models.model_card import write_card
from bioner_core.models.tag_choice import is_free
from bioner_core.selector.selector import Selector, new_selector, save_selector
from bioner_core.selector.thresholds import Thresholds, fit_thresholds
from bioner_core.training.collected_candidates import collect_candidates, unknown_label_sets
from bioner_core.training.selector_candidates import CorpusCandidates
from bioner_core.training.selector_fitting import fit_selector, judged
from bioner_core.training.selector_settings import SelectorSettings
from bioner_core.training.selector_transfer import (
    LeftOutCorpus,
    Rule,
    leave_one_out,
    pooled_tag_threshold,
    scored_candidates,
    selector_score,
)


@dataclass(frozen=True, slots=True)
class SelectorReport:
    """What training the selector gave.

    `thresholds` are by tag, `common_threshold` that of all others, fitted by the `rule` that left-out corpora chose.
    F1 without and with the selector are those of development candidates, by label set and corpus; `left_out` has each
    corpus judged by a selector of the others. `tag_thresholds` and `f1_by_tag_score` are those of the plainer selector
    that has nothing but tag scores, by label set.
    """

    common_threshold: float
    thresholds: dict[str, float]
    rule: Rule
    f1_without: dict[str, float]
    f1_with: dict[str, float]
    calibration_error: float
    tag_thresholds: dict[str, float]
    f1_by_tag_score: dict[str, float]
    left_out: tuple[LeftOutCorpus, ...]


def train_selector(
    model: Path,
    settings: SelectorSettings,
    *,
    log: Callable[[str], None],
    candidates: Path | None = None,
    processes: int = 1,
) -> SelectorReport:
    """Train and calibrate the selector of a model directory, and store it there.

    A folder for `candidates` keeps what the model tagged; what it holds already is not made again. So many `processes`
    make candidates, each with a model of its own.

    Raises:
        ConfigurationError, ModelError: as `collect_candidates` and `fit_selector`.
    """
    torch.manual_seed(settings.seed)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    made = collect_candidates(model, settings, log=log, keep_in=candidates, processes=processes)
    loaded = load_model(model)
    rule, left_out = leave_one_out(loaded, made, settings=settings)
    torch.manual_seed(settings.seed)
    selector = new_selector(loaded)
    fit_selector(selector, made, settings=settings, log=log)
    found = [judged(selector, one.development) for one in made]
    thresholds = fit_thresholds(found, strength=rule.strength, spare=rule.spare, free=min(selector.free, default=None))
    report = _report(selector, made, thresholds, tags=loaded.card.tags, rule=rule, left_out=left_out)
    save_selector(model, selector)
    card = replace(
        loaded.card,
        thresholds={},
        type_thresholds=report.thresholds,
        common_threshold=report.common_threshold,
        # A corpus that marks only some types of a label set has no say in how readily the label set is tagged; the
        # others of a label set have chosen one bias together.
        open_bias=unknown_label_sets(loaded.card.open_bias)
        | {one.label_set: one.bias for one in made if one.speaks_for_label_set},
        tag_thresholds=report.tag_thresholds,
    )
    write_card(card, model)
    return report


def _by_name(thresholds: Thresholds, tags: Sequence[str]) -> dict[str, float]:
    """Thresholds by tag; what was fitted for one free tag holds for all of them."""
    free = [index for index, tag in enumerate(tags) if is_free(tag)]
    found = dict(thresholds.by_tag)
    if free and free[0] in found:
        found.update(dict.fromkeys(free, found[free[0]]))
    return {tags[tag]: round(limit, 6) for tag, limit in sorted(found.items())}


def _report(
    selector: Selector,
    corpora: Sequence[CorpusCandidates],
    thresholds: Thresholds,
    *,
    tags: Sequence[str],
    rule: Rule,
    left_out: tuple[LeftOutCorpus, ...],
) -> SelectorReport:
    without: dict[str, float] = {}
    with_selector: dict[str, float] = {}
    scored: list[ScoredCandidate] = []
    for one in corpora:
        found = judged(selector, one.development)
        name = f"{one.label_set} ({one.corpus})"
        without[name] = selector_score(torch.ones_like(found.is_right), found).f1
        with_selector[name] = selector_score(thresholds.kept(found), found).f1
        scored.extend(scored_candidates(one, found))
    speaking = [one for one in corpora if one.speaks_for_label_set]
    plain = {
        name: pooled_tag_threshold([one.development for one in speaking if one.label_set == name])
        for name in dict.fromkeys(one.label_set for one in speaking)
    }
    return SelectorReport(
        common_threshold=thresholds.common,
        thresholds=_by_name(thresholds, tags),
        rule=rule,
        f1_without=without,
        f1_with=with_selector,
        calibration_error=reliability(scored, has_selector=True).calibration_error or 0.0,
        tag_thresholds={name: threshold for name, (threshold, _) in plain.items()},
        f1_by_tag_score={name: f1 for name, (_, f1) in plain.items()},
        left_out=left_out,
    )
