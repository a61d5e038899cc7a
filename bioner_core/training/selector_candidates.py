"""The candidates that a selector is trained and calibrated on: made once by the model, kept in files, read again.

Decoding is nearly all of the work, and the only part that wants a fast device. So the candidates of a model can be made
where there is one, and the selector fitted elsewhere, as often as one likes.

How readily the model opens tags is chosen with them: one bias per label set, on the development sentences of all of its
corpora that mark every type.
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
from bioner_core.f1 import f1_from_counts
from bioner_core.labels.label_set import load_label_set
from bioner_core.mentions import GoldSentence
from bioner_core.models.loading import LoadedModel
from bioner_core.selector.samples import SpanSamples, decoded_samples, rendered_samples
from bioner_core.training.corpora import corpus_label_set
from bioner_core.training.selector_settings import SelectorSettings, folder_name
from bioner_core.training.sentence_pools import Pool
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


@dataclass(frozen=True, slots=True)
class CorpusSentences:
    """What a corpus's own candidates are made from: its label set, and sentences to train and to calibrate on."""

    corpus: CorpusMix
    prepared: PreparedLabelSet
    development: tuple[GoldSentence, ...]
    training: tuple[GoldSentence, ...]


def corpus_sentences(
    corpus: CorpusMix, pool: Pool, *, loaded: LoadedModel, settings: SelectorSettings
) -> CorpusSentences:
    """Choose among the sentences that there are of a corpus; none is both trained and calibrated on."""
    development, training = _chosen_sentences(corpus, pool, settings)
    prepared = prepare_label_set(corpus_label_set(corpus), loaded)
    return CorpusSentences(corpus, prepared, tuple(development), tuple(training))


def make_candidates(
    corpora: Sequence[CorpusSentences],
    *,
    loaded: LoadedModel,
    settings: SelectorSettings,
    bias: float | None = None,
    chosen_by: Sequence[CorpusSentences] = (),
) -> list[CorpusCandidates]:
    """Decode the sentences of corpora of one label set, all with one bias on opening tags.

    Without a `bias` it is the one that is worth it on the development sentences of the corpora in `chosen_by`, taken
    together: those that mark every type of the label set.
    """

    def development(one: CorpusSentences, tried: float) -> SpanSamples:
        return decode_candidates(one.development, with_bias(one.prepared, tried), loaded=loaded, settings=settings)

    decoded: dict[str, SpanSamples] = {}
    if bias is None:
        trial = tried_bias(settings.open_biases, decode=lambda tried: [development(one, tried) for one in chosen_by])
        bias = trial.bias
        decoded = {one.corpus.file: found for one, found in zip(chosen_by, trial.samples, strict=True)}
    made = []
    for one in corpora:
        found = decoded[one.corpus.file] if one.corpus.file in decoded else development(one, bias)
        made.append(
            CorpusCandidates(
                corpus=folder_name(one.corpus.file),
                label_set=load_label_set(one.corpus.label_set).name,
                bias=bias,
                development_f1=candidates_f1([found]),
                training=_training_samples(one.training, with_bias(one.prepared, bias), loaded, settings),
                development=found,
            )
        )
    return made


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


def _chosen_sentences(
    corpus: CorpusMix, pool: Pool, settings: SelectorSettings
) -> tuple[list[GoldSentence], list[GoldSentence]]:
    """The sentences to calibrate on, and those that are left to train on: a text is never among both."""
    rest = pool.held_out if settings.train_on_held_out else pool.unseen
    count = settings.calibration
    if pool.development:
        source = pool.development
    elif corpus.label_set in settings.calibrate_on_unseen:
        source = pool.unseen
    else:
        source = pool.held_out
        count = min(count, len(source) // 2) if settings.train_on_held_out else count
    chooser = random.Random(settings.seed)  # noqa: S311 - sampling, not secrecy
    drawn = chooser.sample(list(source), min(len(source), count))
    texts = {one.text for one in drawn}
    return drawn, [one for one in rest if one.text not in texts]


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


def candidates_f1(samples: Sequence[SpanSamples]) -> float:
    """F1 when every candidate counts, against all gold spans, over all samples together."""
    right, found = sum(int(one.is_right.sum()) for one in samples), sum(len(one.tag) for one in samples)
    return f1_from_counts(right, found=found, gold=sum(one.gold_count for one in samples))


@dataclass(frozen=True, slots=True)
class BiasTrial:
    """What a model tagged with one bias on opening tags, in each of some corpora."""

    bias: float
    samples: tuple[SpanSamples, ...]

    @property
    def f1(self) -> float:
        """F1 when every candidate counts, over the corpora together: none has a bias of its own."""
        return candidates_f1(self.samples)


def with_bias(prepared: PreparedLabelSet, bias: float) -> PreparedLabelSet:
    """A label set whose opening tags have this bias."""
    return replace(prepared, tokens=replace(prepared.tokens, open_bias=bias))


def tried_bias(biases: Sequence[float], *, decode: Callable[[float], Sequence[SpanSamples]]) -> BiasTrial:
    """Decode with each bias, and keep what came of the one that is worth it."""
    trials = {bias: BiasTrial(bias, tuple(decode(bias))) for bias in biases}
    return trials[worthwhile_bias({bias: trial.f1 for bias, trial in trials.items()})]


def worthwhile_bias(f1: Mapping[float, float]) -> float:
    """Of the biases with an F1 near the best, the one nearest to what was trained, 0."""
    best = max(f1.values())
    return next(bias for bias in sorted(f1, key=abs) if f1[bias] >= best - F1_TO_GAIN)
