"""The candidates that a selector is trained and calibrated on: made once by the model, kept in files, read again.

Decoding is nearly all of the work, and the only part that wants a fast device. So the candidates of a model can be made
where there is one, and the selector fitted elsewhere, as often as one likes.

How readily the model opens tags is chosen with them: one bias per label set, on development sentences.
"""

import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from bioner_core.decoding.decoder import PromptCaches
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.prepared_label_set import PreparedLabelSet, prepare_label_set
from bioner_core.errors import ModelError
from bioner_core.evaluation.corpora import gold_sentences, read_corpus
from bioner_core.f1 import f1_from_counts
from bioner_core.labels.label_set import load_label_set
from bioner_core.mentions import GoldSentence
from bioner_core.models.loading import LoadedModel
from bioner_core.selector.samples import SpanSamples, decoded_samples, rendered_samples
from bioner_core.training.corpora import corpus_label_set
from bioner_core.training.selector_settings import SelectorSettings
from bioner_core.training.settings import CorpusMix

_TENSORS = ("features", "tag", "tag_score", "is_right")
_ABOUT = ("corpus", "label_set", "bias", "development_f1", "is_borrowed")


@dataclass(frozen=True, slots=True)
class CorpusCandidates:
    """Candidates on one corpus: those to train on, and those of development sentences, decoded with this bias.

    Those that are borrowed stand in for text or types that the model was not trained for
    (`training/borrowed_candidates.py`): they say nothing of how readily their label set is to be tagged.
    """

    corpus: str
    label_set: str
    bias: float
    development_f1: float
    training: tuple[SpanSamples, ...]
    development: SpanSamples
    is_borrowed: bool = False

    @property
    def speaks_for_label_set(self) -> bool:
        """Whether the corpus marks every type of its label set, under the label set's own words."""
        return self.development.label_set == self.label_set and not self.is_borrowed


def make_candidates(
    corpus: CorpusMix, unseen: Sequence[GoldSentence], *, loaded: LoadedModel, settings: SelectorSettings, first: bool
) -> CorpusCandidates:
    """Decode a corpus's sentences. Only the `first` corpus of a label set has the label set's development file.

    `unseen` are its training sentences that the model was not trained on.
    """
    prepared = prepare_label_set(corpus_label_set(corpus), loaded)
    keep = loaded.card.characters
    sentences, remaining = _development_sentences(corpus, unseen, settings, keep=keep, first=first)
    trial = tried_bias(
        settings.open_biases,
        prepared,
        decode=lambda one: decode_candidates(sentences, one, loaded=loaded, settings=settings),
    )
    return CorpusCandidates(
        corpus=Path(corpus.file).parent.name,
        label_set=load_label_set(corpus.label_set).name,
        bias=trial.bias,
        development_f1=trial.f1,
        training=_training_samples(remaining, with_bias(prepared, trial.bias), loaded, settings),
        development=trial.samples,
    )


def candidates_file(folder: Path, label_set: str, *, corpus: str) -> Path:
    """The file of the candidates of one corpus under one label set."""
    return folder / f"{label_set}-{corpus}.safetensors"


def save_candidates(folder: Path, candidates: CorpusCandidates, *, made_by: str) -> None:
    """Write a corpus's candidates into a folder, their states in float16; whole, or not at all.

    `made_by` tells model and settings, of which `load_candidates` takes no others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = {name: getattr(candidates, name) for name in _ABOUT}
    parts = (*candidates.training, candidates.development)
    facts = [(sorted(one.gold_counts.items()), one.label_set, one.open_rows) for one in parts]
    tensors = {f"{index}/{name}": getattr(one, name) for index, one in enumerate(parts) for name in _TENSORS}
    tensors = {name: one.half() if name.endswith("features") else one for name, one in tensors.items()}
    metadata = {"about": json.dumps(about), "parts": json.dumps(facts), "made_by": made_by}
    file = candidates_file(folder, candidates.label_set, corpus=candidates.corpus)
    beside = file.with_suffix(f".{os.getpid()}.tmp")
    save_file(tensors, beside, metadata)
    beside.replace(file)


def load_candidates(folder: Path, label_set: str, *, corpus: str, made_by: str) -> CorpusCandidates:
    """The candidates of one corpus under one label set.

    Raises:
        ModelError: the file is damaged or holds no candidates, or another model or other settings made it.
    """
    file = candidates_file(folder, label_set, corpus=corpus)
    try:
        with safe_open(file, framework="pt") as opened:
            metadata: Mapping[str, str] = opened.metadata() or {}
            about, facts = json.loads(metadata["about"]), json.loads(metadata["parts"])
            parts = [
                SpanSamples(
                    **{name: _as_read(opened.get_tensor(f"{index}/{name}")) for name in _TENSORS},
                    gold_counts={int(tag): int(count) for tag, count in gold},
                    label_set=label_set,
                    open_rows=tuple(rows),
                )
                for index, (gold, label_set, rows) in enumerate(facts)
            ]
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise ModelError(f"{file} holds no candidates, or is damaged ({error}): remove it to make them anew") from error
    if metadata.get("made_by") != made_by:
        raise ModelError(f"{file} was made by another model or under other settings: name another folder, or remove it")
    return CorpusCandidates(**about, training=tuple(parts[:-1]), development=parts[-1])


def _as_read(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.dtype is torch.float16 else tensor


def _training_samples(
    unseen: Sequence[GoldSentence], prepared: PreparedLabelSet, loaded: LoadedModel, settings: SelectorSettings
) -> tuple[SpanSamples, ...]:
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
    return (rendered, decode_candidates(chosen[settings.rendered :], prepared, loaded=loaded, settings=settings))


def _development_sentences(
    corpus: CorpusMix, unseen: Sequence[GoldSentence], settings: SelectorSettings, *, keep: str, first: bool
) -> tuple[list[GoldSentence], list[GoldSentence]]:
    """The sentences to calibrate on, and the unseen ones that are left to train on."""
    chooser = random.Random(settings.seed)  # noqa: S311 - sampling, not secrecy
    file = settings.development.get(corpus.label_set) if first else None
    held_out = held_out_sentences(corpus, keep=keep)
    if file:
        sentences = gold_sentences(list(read_corpus(Path(file))), keep=keep)
        rest = held_out if settings.train_on_held_out else list(unseen)
        return chooser.sample(sentences, min(len(sentences), settings.calibration)), rest
    if corpus.label_set in settings.calibrate_on_unseen:
        return _drawn(list(unseen), settings.calibration, chooser)
    if settings.train_on_held_out:
        return _drawn(held_out, min(settings.calibration, len(held_out) // 2), chooser)
    return chooser.sample(held_out, min(len(held_out), settings.calibration)), list(unseen)


def held_out_sentences(corpus: CorpusMix, *, keep: str) -> list[GoldSentence]:
    """The sentences of the held-out records; of all records where a corpus holds none out."""
    return gold_sentences(list(read_corpus(Path(corpus.file)))[-corpus.held_out :], keep=keep)


def _drawn(
    sentences: Sequence[GoldSentence], count: int, chooser: random.Random
) -> tuple[list[GoldSentence], list[GoldSentence]]:
    """So many of the sentences, and those that are left; a text that is drawn is not left elsewhere."""
    drawn = chooser.sample(list(sentences), min(len(sentences), count))
    texts = {one.text for one in drawn}
    return drawn, [one for one in sentences if one.text not in texts]


def decode_candidates(
    sentences: Sequence[GoldSentence], prepared: PreparedLabelSet, *, loaded: LoadedModel, settings: SelectorSettings
) -> SpanSamples:
    """The model's candidates on some sentences, right and wrong."""
    return decoded_samples(
        sentences,
        prepared,
        decoder=DraftedDecoder(loaded.network),
        vocabulary=loaded.vocabulary,
        batch_rows=settings.batch_rows,
    )


F1_TO_GAIN = 0.005
"""A bias must gain so much F1 over a smaller one; on some hundred sentences less is chance.

Before, the highest bias within this distance of the best was kept, for the selector to drop what is spurious. Selectors
that hold on other corpora drop next to nothing, and on 60 held-out abstracts of SPECIES-800 the biases 0 and 0.75 have
the same F1 (65.7), with precision 71.0 and 65.6.
"""


def candidates_f1(samples: SpanSamples) -> float:
    """F1 when every candidate counts, against all gold spans."""
    return f1_from_counts(int(samples.is_right.sum()), found=len(samples.tag), gold=samples.gold_count)


@dataclass(frozen=True, slots=True)
class BiasTrial:
    """What a model tagged with one bias on opening tags."""

    bias: float
    samples: SpanSamples

    @property
    def f1(self) -> float:
        """F1 when every candidate counts."""
        return candidates_f1(self.samples)


def with_bias(prepared: PreparedLabelSet, bias: float) -> PreparedLabelSet:
    """A label set whose opening tags have this bias."""
    return replace(prepared, tokens=replace(prepared.tokens, open_bias=bias))


def tried_bias(
    biases: Sequence[float], prepared: PreparedLabelSet, *, decode: Callable[[PreparedLabelSet], SpanSamples]
) -> BiasTrial:
    """Decode with each bias, and keep what came of the one that is worth it."""
    trials = {bias: BiasTrial(bias, decode(with_bias(prepared, bias))) for bias in biases}
    return trials[worthwhile_bias({bias: trial.f1 for bias, trial in trials.items()})]


def worthwhile_bias(f1: Mapping[float, float]) -> float:
    """Of the biases with an F1 near the best, the one nearest to what was trained, 0."""
    best = max(f1.values())
    return next(bias for bias in sorted(f1, key=abs) if f1[bias] >= best - F1_TO_GAIN)
