"""Training the selector: contrastive space, calibration, one threshold per label set."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from bioner_core.evaluation.gold_sentences import gold_sentences
from bioner_core.evaluation.reliability import ScoredCandidate, reliability
from bioner_core.labels.label_set import load_label_set
from bioner_core.mentions import GoldSentence
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.models.model_card import write_card
from bioner_core.selector.calibration import fit_calibration, precise_threshold
from bioner_core.selector.contrastive import info_nce
from bioner_core.selector.samples import SpanSamples
from bioner_core.selector.selector import Selector, save_selector
from bioner_core.training.batches import mixed_batches
from bioner_core.training.corpora import build_mix, training_records
from bioner_core.training.selector_candidates import (
    CorpusCandidates,
    load_candidates,
    make_candidates,
    save_candidates,
)
from bioner_core.training.selector_settings import EarlierStage, SelectorSettings
from bioner_core.training.settings import SftSettings, read_settings


@dataclass(frozen=True, slots=True)
class SelectorReport:
    """What training the selector gave, on development candidates: a threshold and F1 before and after, by label set.

    `tag_thresholds` and `f1_by_tag_score` are those of the plainer selector that has nothing but tag scores.
    """

    thresholds: dict[str, float]
    f1_without: dict[str, float]
    f1_with: dict[str, float]
    calibration_error: float
    tag_thresholds: dict[str, float]
    f1_by_tag_score: dict[str, float]


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
    selector = Selector(loaded.network.hidden_size, len(loaded.card.tags))
    _fit_space(selector, [part for one in made for part in one.training], settings, log)
    # A corpus that marks only some types of a label set has no say in the label set's threshold.
    development = [one.development for one in made if one.development.label_set == one.label_set]
    report = _calibrate(selector, development)
    save_selector(model, selector)
    biases = {one.label_set: one.bias for one in made if one.development.label_set == one.label_set}
    card = replace(loaded.card, thresholds=report.thresholds, open_bias=biases, tag_thresholds=report.tag_thresholds)
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
        if keep_in:
            save_candidates(keep_in, made)
        count = sum(len(part.tag) for part in made.training)
        log(
            f"{made.label_set} ({made.corpus}): opening bias {made.bias:+.2f}, development F1 "
            f"{made.development_f1:.4f}; {count} training candidates"
        )
    return found


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
                loss = info_nce(selector.space(seen), tag[chosen], is_gold[chosen], rivals[chosen])
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                total, batches = total + float(loss.detach()), batches + 1
        log(f"selector epoch {epoch + 1} of {settings.epochs}: loss {total / max(batches, 1):.4f}")


def _rivals(samples: SpanSamples, tag_count: int) -> Tensor:
    """Which tags belong to the samples' label set. *Shape:* (spans, tags)."""
    rivals = torch.zeros(len(samples.tag), tag_count, dtype=torch.bool)
    rivals[:, list(samples.open_rows)] = True
    return rivals


def _calibrate(selector: Selector, development: Sequence[SpanSamples]) -> SelectorReport:
    with torch.no_grad():
        similarity = [selector.similarity(one.features, one.tag.tolist()) for one in development]
    scores = torch.cat([one.tag_score for one in development])
    right = torch.cat([one.is_right for one in development])
    fit_calibration(selector.calibration, torch.cat(similarity), scores, right)
    thresholds: dict[str, float] = {}
    without: dict[str, float] = {}
    with_selector: dict[str, float] = {}
    for one in development:
        probabilities = selector.probabilities(one.features, one.tag.tolist(), one.tag_score.tolist())
        threshold, f1 = precise_threshold(probabilities, one.is_right.tolist(), one.gold_count)
        thresholds[one.label_set] = threshold
        with_selector[one.label_set] = f1
        without[one.label_set] = 2 * int(one.is_right.sum()) / max(len(one.tag) + one.gold_count, 1)
    with torch.no_grad():
        every = torch.sigmoid(selector.calibration(torch.cat(similarity), scores))
    scored = [ScoredCandidate(*values) for values in zip(scores.tolist(), every.tolist(), right.tolist(), strict=True)]
    error = reliability(scored, has_selector=True).calibration_error or 0.0
    plain = {
        one.label_set: precise_threshold(one.tag_score.tolist(), one.is_right.tolist(), one.gold_count)
        for one in development
    }
    return SelectorReport(
        thresholds,
        without,
        with_selector,
        error,
        tag_thresholds={name: threshold for name, (threshold, _) in plain.items()},
        f1_by_tag_score={name: f1 for name, (_, f1) in plain.items()},
    )
