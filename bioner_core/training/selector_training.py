"""Training the selector of a model: its candidates, the fit, and thresholds that hold on other corpora too."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from bioner_core.evaluation.corpora import gold_sentences
from bioner_core.evaluation.reliability import ScoredCandidate, reliability
from bioner_core.labels.label_set import load_label_set
from bioner_core.mentions import GoldSentence
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.models.model_card import other_label_sets, write_card
from bioner_core.models.tag_choice import is_free
from bioner_core.selector.calibration import precise_threshold
from bioner_core.selector.selector import Selector, new_selector, save_selector
from bioner_core.selector.thresholds import Thresholds, fit_thresholds
from bioner_core.training.batches import mixed_batches
from bioner_core.training.borrowed_candidates import borrowed_candidates
from bioner_core.training.corpora import build_mix, training_records
from bioner_core.training.selector_candidates import (
    CorpusCandidates,
    load_candidates,
    make_candidates,
    save_candidates,
)
from bioner_core.training.selector_fitting import fit_selector, judged
from bioner_core.training.selector_settings import EarlierStage, SelectorSettings
from bioner_core.training.selector_transfer import (
    LeftOutCorpus,
    Rule,
    agreement,
    leave_one_out,
    scored_candidates,
)
from bioner_core.training.settings import SftSettings, read_settings


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
    model: Path, settings: SelectorSettings, *, log: Callable[[str], None], candidates: Path | None = None
) -> SelectorReport:
    """Train and calibrate the selector of a model directory, and store it there.

    A folder for `candidates` keeps what the model tagged; what it holds already is not made again.
    """
    torch.manual_seed(settings.seed)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    loaded = load_model(model)
    made = load_candidates(candidates) if candidates else []
    if not made:
        made = collect_candidates(loaded, settings, log=log, keep_in=candidates)
    rule, left_out = leave_one_out(loaded, made, settings)
    torch.manual_seed(settings.seed)
    selector = new_selector(loaded)
    fit_selector(selector, made, settings, log=log)
    found = [judged(selector, one.development) for one in made]
    thresholds = fit_thresholds(found, strength=rule.strength, spare=rule.spare, free=min(selector.free, default=None))
    report = _report(selector, made, thresholds, tags=loaded.card.tags, rule=rule, left_out=left_out)
    save_selector(model, selector)
    card = replace(
        loaded.card,
        thresholds={},
        type_thresholds=report.thresholds,
        common_threshold=report.common_threshold,
        # A corpus that marks only some types of a label set has no say in how readily the label set is tagged.
        open_bias=_unknown_label_sets(loaded.card.open_bias)
        | {one.label_set: one.bias for one in made if one.speaks_for_label_set},
        tag_thresholds=report.tag_thresholds,
    )
    write_card(card, model)
    return report


def collect_candidates(
    loaded: LoadedModel, settings: SelectorSettings, *, log: Callable[[str], None], keep_in: Path | None = None
) -> list[CorpusCandidates]:
    """Have the model tag the sentences of every corpus that it was fine-tuned on."""
    sft_settings, _ = read_settings(Path(settings.sft_settings))
    unseen = (
        [[] for _ in sft_settings.corpora]
        if settings.train_on_held_out
        else unseen_sentences(sft_settings, loaded, settings.earlier)
    )
    found: list[CorpusCandidates] = []
    for corpus, sentences in zip(sft_settings.corpora, unseen, strict=True):
        is_first = load_label_set(corpus.label_set).name not in {one.label_set for one in found}
        made = make_candidates(corpus, sentences, loaded, settings, first=is_first)
        found.append(made)
        _keep(made, keep_in, log)
    for made in borrowed_candidates(sft_settings.corpora, loaded, settings):
        found.append(made)
        _keep(made, keep_in, log)
    return found


def _keep(made: CorpusCandidates, folder: Path | None, log: Callable[[str], None]) -> None:
    if folder:
        save_candidates(folder, made)
    count = sum(len(part.tag) for part in made.training)
    log(
        f"{made.label_set} ({made.corpus}): opening bias {made.bias:+.2f}, development F1 "
        f"{made.development_f1:.4f}; {count} training candidates"
    )


def _unknown_label_sets(open_bias: Mapping[str, float]) -> dict[str, float]:
    """The biases of label sets that the model was not trained for, one per language."""
    mark = other_label_sets("")
    return {name: bias for name, bias in open_bias.items() if name.startswith(mark)}


def unseen_sentences(
    settings: SftSettings, loaded: LoadedModel, earlier: Sequence[EarlierStage] = ()
) -> list[list[GoldSentence]]:
    """For each corpus, the training sentences that no stage of fine-tuning came to, found by replaying their batches.

    Where every sentence was seen, all of them: their false positives are fewer then, but still the model's own.
    """
    training = loaded.card.training
    stages = [(settings, training.get("batches", training["steps"]))]
    stages.extend((read_settings(Path(one.sft_settings))[0], one.batches) for one in earlier)
    seen = set().union(*(_seen_tokens(*stage, loaded) for stage in stages))
    mix = build_mix(settings, loaded.vocabulary)
    found: list[list[GoldSentence]] = []
    for corpus, mixed in zip(settings.corpora, mix, strict=True):
        sentences = gold_sentences(training_records(corpus), keep=loaded.card.characters)
        lines = len(mixed.examples) // len(sentences)
        fresh = [one for index, one in enumerate(sentences) if mixed.examples[index * lines].input_ids not in seen]
        found.append(fresh or sentences)
    return found


def _seen_tokens(settings: SftSettings, batch_count: int, loaded: LoadedModel) -> set[tuple[int, ...]]:
    """The token ids of every example that a stage of fine-tuning trained on."""
    mix = build_mix(settings, loaded.vocabulary)
    batches = mixed_batches(mix, batch_tokens=settings.batch_tokens, seed=settings.seed)
    return {one.input_ids for batch in itertools.islice(batches, batch_count) for one in batch}


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
        without[name] = agreement(torch.ones_like(found.is_right), found).f1
        with_selector[name] = agreement(thresholds.kept(found), found).f1
        scored.extend(scored_candidates(one, found))
    plain = {
        one.label_set: precise_threshold(
            one.development.tag_score.tolist(), one.development.is_right.tolist(), one.development.gold_count
        )
        for one in corpora
        if one.speaks_for_label_set
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
