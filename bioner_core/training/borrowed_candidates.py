"""Candidates that stand in for what the selector will meet and no training corpus has: other text, and other types.

On the text of its own corpora a model is surer than elsewhere, and more often right, so that nothing fitted there turns
anything down. Two kinds of candidates are nearer to what users have. Known types under new words have free tags, as the
types of a user's own label set have. And known types in the text of another corpus: the model met that text under
another label set.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from random import Random

import torch

from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.prepared_label_set import prepare_label_set
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.mentions import GoldSentence
from bioner_core.models.loading import LoadedModel
from bioner_core.models.tag_choice import asked_parts, opening_bias
from bioner_core.selector.samples import SpanSamples, decoded_samples
from bioner_core.training.selector_candidates import (
    CorpusCandidates,
    candidates_f1,
    decode_candidates,
    with_bias,
)
from bioner_core.training.selector_settings import OtherText, SelectorSettings, folder_name
from bioner_core.training.settings import CorpusMix


def in_new_words(
    corpus: CorpusMix,
    label_set: LabelSet,
    *,
    held_out: Sequence[GoldSentence],
    loaded: LoadedModel,
    settings: SelectorSettings,
) -> CorpusCandidates:
    """What the model finds in held-out sentences under a label set that it was not trained for: half to train on."""
    drawn = drawn_sentences(held_out, 2 * settings.new_words, seed=settings.seed)
    bias = opening_bias(label_set, loaded.card)
    # Of a small corpus both halves are smaller; no sentence is in both.
    halves = (drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :])
    training, development = (
        joined(decoded_parts(half, label_set, loaded=loaded, bias=bias, batch_rows=settings.batch_rows), label_set.name)
        for half in halves
    )
    return _borrowed(folder_name(corpus.file), label_set, bias, (training,), development)


def in_other_text(
    other: OtherText, sentences: Sequence[GoldSentence], *, bias: float, loaded: LoadedModel, settings: SelectorSettings
) -> CorpusCandidates:
    """What the model finds of a label set that it knows in the text of another corpus, of the types marked there.

    `bias` is that of the label set as its own corpora choose it, never that of the card: there it may stand as an
    earlier training of the selector left it.
    """
    label_set = load_label_set(other.label_set)
    drawn = drawn_sentences(sentences, settings.calibration, seed=settings.seed)
    prepared = with_bias(prepare_label_set(label_set, loaded), bias)
    tags = [prepared.tokens.open_rows[label_set.type_names.index(name)] for name in other.types]
    found = of_tags(decode_candidates(drawn, prepared, loaded=loaded, settings=settings), tags)
    return _borrowed(folder_name(other.file), label_set, bias, (), found)


def of_tags(samples: SpanSamples, tags: Collection[int]) -> SpanSamples:
    """The candidates of some tags, and the gold spans of these."""
    own = torch.isin(samples.tag, torch.tensor(sorted(tags), dtype=samples.tag.dtype))
    return replace(
        samples,
        features=samples.features[own],
        tag=samples.tag[own],
        tag_score=samples.tag_score[own],
        is_right=samples.is_right[own],
        gold_counts={tag: count for tag, count in samples.gold_counts.items() if tag in tags},
    )


def joined(parts: Sequence[SpanSamples], label_set: str) -> SpanSamples:
    """The candidates of a label set that is asked about in parts."""
    filled = [one for one in parts if len(one.tag)] or list(parts[:1])
    counts: Counter[int] = Counter()
    for one in parts:
        counts.update(one.gold_counts)
    return SpanSamples(
        features=torch.cat([one.features for one in filled]),
        tag=torch.cat([one.tag for one in filled]),
        tag_score=torch.cat([one.tag_score for one in filled]),
        is_right=torch.cat([one.is_right for one in filled]),
        gold_counts=dict(counts),
        label_set=label_set,
        open_rows=tuple(dict.fromkeys(row for one in parts for row in one.open_rows)),
    )


def decoded_parts(
    sentences: Sequence[GoldSentence], label_set: LabelSet, *, loaded: LoadedModel, bias: float, batch_rows: int
) -> list[SpanSamples]:
    """What the model finds in sentences of each part of a label set, asked about as the annotator asks."""
    return [
        decoded_samples(
            [
                replace(one, spans=frozenset(span for span in one.spans if span.type in part.type_names))
                for one in sentences
            ],
            with_bias(prepare_label_set(part, loaded), bias),
            decoder=DraftedDecoder(loaded.network),
            vocabulary=loaded.vocabulary,
            batch_rows=batch_rows,
        )
        for part in asked_parts(label_set, loaded.card)
    ]


def _borrowed(
    corpus: str, label_set: LabelSet, bias: float, training: tuple[SpanSamples, ...], development: SpanSamples
) -> CorpusCandidates:
    f1 = candidates_f1([development])
    return CorpusCandidates(corpus, label_set.name, bias, f1, training, development, is_borrowed=True)


def drawn_sentences(sentences: Sequence[GoldSentence], count: int, *, seed: int) -> list[GoldSentence]:
    """So many of the sentences, or all where they are fewer, the same ones for a seed."""
    return Random(seed).sample(list(sentences), min(count, len(sentences)))  # noqa: S311 - sampling, not secrecy
