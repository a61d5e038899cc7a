"""Training the selector: contrastive space, calibration, one threshold per label set."""

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from bioner_core.decoding.decoder import PromptCaches
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.prepared_label_set import PreparedLabelSet, prepare_label_set
from bioner_core.evaluation.corpora import read_corpus
from bioner_core.evaluation.gold_sentences import gold_sentences
from bioner_core.evaluation.reliability import ScoredCandidate, reliability
from bioner_core.labels.label_set import load_label_set
from bioner_core.mentions import GoldSentence
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.models.model_card import write_card
from bioner_core.selector.calibration import fit_calibration, precise_threshold
from bioner_core.selector.contrastive import info_nce
from bioner_core.selector.samples import SpanSamples, decoded_samples, rendered_samples
from bioner_core.selector.selector import Selector, save_selector
from bioner_core.training.batches import mixed_batches
from bioner_core.training.corpora import build_mix, training_records
from bioner_core.training.opening_bias import best_bias, with_bias
from bioner_core.training.selector_settings import EarlierStage, SelectorSettings
from bioner_core.training.settings import CorpusMix, SftSettings, read_settings


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


def train_selector(model: Path, settings: SelectorSettings, *, log: Callable[[str], None]) -> SelectorReport:
    """Train and calibrate the selector of a model directory, and store it there."""
    torch.manual_seed(settings.seed)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    loaded = load_model(model)
    sft_settings, _ = read_settings(Path(settings.sft_settings))
    unseen = unseen_sentences(sft_settings, loaded, settings.earlier)
    training: list[SpanSamples] = []
    development: list[SpanSamples] = []
    biases: dict[str, float] = {}
    for corpus in sft_settings.corpora:
        prepared = prepare_label_set(load_label_set(corpus.label_set), loaded)
        sentences, remaining = _development_sentences(
            corpus, unseen[corpus.label_set], settings, keep=loaded.card.characters
        )
        trial = best_bias(settings.open_biases, prepared, lambda one: _decode(sentences, one, loaded, settings))  # noqa: B023 - called at once
        biases[corpus.label_set] = trial.bias
        development.append(trial.samples)
        training.extend(_training_samples(remaining, with_bias(prepared, trial.bias), loaded, settings))
        log(
            f"{corpus.label_set}: opening bias {trial.bias:+.2f}, development F1 {trial.f1:.4f}; "
            f"{sum(len(one.tag) for one in training)} training candidates so far"
        )
    selector = Selector(loaded.network.hidden_size, len(loaded.card.tags))
    _fit_space(selector, training, settings, log)
    report = _calibrate(selector, development)
    save_selector(model, selector)
    card = replace(loaded.card, thresholds=report.thresholds, open_bias=biases, tag_thresholds=report.tag_thresholds)
    write_card(card, model)
    return report


def unseen_sentences(
    settings: SftSettings, loaded: LoadedModel, earlier: Sequence[EarlierStage] = ()
) -> dict[str, list[GoldSentence]]:
    """Per label set, the training sentences that no stage of fine-tuning came to, found by replaying their batches.

    Where every sentence was seen, all of them: their false positives are fewer then, but still the model's own.
    """
    training = loaded.card.training
    stages = [(settings, training.get("batches", training["steps"]))]
    stages.extend((read_settings(Path(one.sft_settings))[0], one.batches) for one in earlier)
    seen = set().union(*(_seen_tokens(*stage, loaded) for stage in stages))
    mix = build_mix(settings, loaded.vocabulary)
    found: dict[str, list[GoldSentence]] = {}
    for corpus, mixed in zip(settings.corpora, mix, strict=True):
        sentences = gold_sentences(training_records(corpus), keep=loaded.card.characters)
        lines = len(mixed.examples) // len(sentences)
        fresh = [one for index, one in enumerate(sentences) if mixed.examples[index * lines].input_ids not in seen]
        found[corpus.label_set] = fresh or sentences
    return found


def _seen_tokens(settings: SftSettings, batch_count: int, loaded: LoadedModel) -> set[tuple[int, ...]]:
    """The token ids of every example that a stage of fine-tuning trained on."""
    mix = build_mix(settings, loaded.vocabulary)
    batches = mixed_batches(mix, batch_tokens=settings.batch_tokens, seed=settings.seed)
    return {one.input_ids for batch in itertools.islice(batches, batch_count) for one in batch}


def _training_samples(
    unseen: Sequence[GoldSentence], prepared: PreparedLabelSet, loaded: LoadedModel, settings: SelectorSettings
) -> list[SpanSamples]:
    wanted = min(len(unseen), settings.rendered + settings.decoded)
    chosen = random.Random(settings.seed).sample(list(unseen), wanted)  # noqa: S311 - sampling, not secrecy
    rendered = rendered_samples(
        chosen[: settings.rendered],
        prepared,
        prompts=PromptCaches(loaded.network),
        vocabulary=loaded.vocabulary,
        batch_rows=settings.batch_rows,
        seed=settings.seed,
    )
    return [rendered, _decode(chosen[settings.rendered :], prepared, loaded, settings)]


def _development_sentences(
    corpus: CorpusMix, unseen: Sequence[GoldSentence], settings: SelectorSettings, *, keep: str
) -> tuple[list[GoldSentence], list[GoldSentence]]:
    """The sentences to calibrate on, and the unseen ones that are left to train on."""
    chooser = random.Random(settings.seed)  # noqa: S311 - sampling, not secrecy
    if corpus.label_set in settings.calibrate_on_unseen:
        drawn = chooser.sample(list(unseen), min(len(unseen), settings.calibration))
        texts = {one.text for one in drawn}
        return drawn, [one for one in unseen if one.text not in texts]
    file = settings.development.get(corpus.label_set)
    records = list(read_corpus(Path(file or corpus.file)))
    sentences = gold_sentences(records if file else records[-corpus.held_out :], keep=keep)
    return chooser.sample(sentences, min(len(sentences), settings.calibration)), list(unseen)


def _decode(
    sentences: Sequence[GoldSentence], prepared: PreparedLabelSet, loaded: LoadedModel, settings: SelectorSettings
) -> SpanSamples:
    return decoded_samples(
        sentences,
        prepared,
        decoder=DraftedDecoder(loaded.network),
        vocabulary=loaded.vocabulary,
        batch_rows=settings.batch_rows,
    )


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
