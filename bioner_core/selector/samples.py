"""Training samples of the selector: candidates as the model sees them, right and wrong.

The wrong ones are the decoder's own mistakes, and spans that are almost right: edges moved, parts, neighbours.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bioner_core.decoding.decoder import Decoder, PromptCaches
from bioner_core.decoding.prepared_label_set import PreparedLabelSet
from bioner_core.decoding.rows import DecodingRow, tag_score
from bioner_core.decoding.teacher_forced import teacher_forced_states
from bioner_core.mentions import GoldSentence
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.selector.selector import span_features
from bioner_core.tagging.moves import TagPair, UnitSpan, tag_pairs
from bioner_core.tagging.render import align, nest, render_moves
from bioner_core.text.units import split_units


@dataclass(frozen=True, slots=True)
class SpanSamples:
    """Candidates of one label set.

    *Shape:* features (spans, 3 * hidden); tag, tag_score, is_right (spans,). `gold_counts` counts the gold spans of the
    sentences they come from, tagged or not, by tag index; `open_rows` are the tag indices of the label set's types.
    """

    features: Tensor
    tag: Tensor
    tag_score: Tensor
    is_right: Tensor
    gold_counts: Mapping[int, int]
    label_set: str
    open_rows: tuple[int, ...]

    @property
    def gold_count(self) -> int:
        """The gold spans of all tags."""
        return sum(self.gold_counts.values())


@dataclass(frozen=True, slots=True)
class _GoldRow:
    row: DecodingRow
    gold: frozenset[UnitSpan]


def rendered_samples(
    sentences: Sequence[GoldSentence],
    prepared: PreparedLabelSet,
    *,
    prompts: PromptCaches,
    vocabulary: TaggingVocabulary,
    batch_rows: int,
    seed: int,
) -> SpanSamples:
    """Gold spans and boundary-sensitive negatives, each read by the model as if it had tagged it itself."""
    chooser = random.Random(seed)  # noqa: S311 - sampling, not secrecy
    collected = _Collector(prepared)
    for rows in _batches(sentences, prepared, vocabulary, batch_rows):
        moves = [
            render_moves(
                corrupt(
                    nest(one.gold).spans,
                    unit_count=len(one.row.unit_ids),
                    type_count=len(prepared.tokens.open_rows),
                    chooser=chooser,
                ),
                len(one.row.unit_ids),
            )
            for one in rows
        ]
        states = teacher_forced_states(prompts, [one.row for one in rows], moves=moves, label_set=prepared.tokens)
        for one, made, state in zip(rows, moves, states, strict=True):
            pairs = tag_pairs(made, len(one.row.unit_ids))
            collected.add(state, pairs, [0.0] * len(pairs), one.gold)
    return collected.samples()


def decoded_samples(
    sentences: Sequence[GoldSentence],
    prepared: PreparedLabelSet,
    *,
    decoder: Decoder,
    vocabulary: TaggingVocabulary,
    batch_rows: int,
) -> SpanSamples:
    """The model's own candidates on sentences that it was not trained on: hits and false positives."""
    collected = _Collector(prepared)
    for rows in _batches(sentences, prepared, vocabulary, batch_rows):
        for one, decoded in zip(rows, decoder.decode([one.row for one in rows], prepared.tokens), strict=True):
            pairs = tag_pairs(decoded.moves, len(one.row.unit_ids))
            collected.add(decoded.states, pairs, [tag_score(decoded, pair) for pair in pairs], one.gold)
    return collected.samples()


def _batches(
    sentences: Sequence[GoldSentence], prepared: PreparedLabelSet, vocabulary: TaggingVocabulary, batch_rows: int
) -> Iterator[tuple[_GoldRow, ...]]:
    """Rows of every copy line of the sentences, of similar length together."""
    rows = [row for sentence in sentences for row in _gold_rows(sentence, prepared, vocabulary)]
    rows.sort(key=lambda one: len(one.row.source_ids))
    for start in range(0, len(rows), batch_rows):
        yield tuple(rows[start : start + batch_rows])


def _gold_rows(sentence: GoldSentence, prepared: PreparedLabelSet, vocabulary: TaggingVocabulary) -> Iterator[_GoldRow]:
    units = split_units(sentence.text)
    gold = align(sentence.spans, units, type_names=prepared.label_set.type_names).spans
    ids = tuple(vocabulary.unit_ids(sentence.text, units))
    for separator, types in zip(prepared.separators, prepared.line_types, strict=True):
        of_line = frozenset(span for span in gold if span.type_index in types)
        yield _GoldRow(DecodingRow(ids, separator, types), of_line)


class _Collector:
    """Gathers the candidates of many copies."""

    def __init__(self, prepared: PreparedLabelSet) -> None:
        self._prepared = prepared
        self._features: list[Tensor] = []
        self._tags: list[int] = []
        self._scores: list[float] = []
        self._right: list[bool] = []
        self._gold: Counter[int] = Counter()

    def add(self, states: Tensor, pairs: list[TagPair], scores: list[float], gold: frozenset[UnitSpan]) -> None:
        self._gold.update(self._prepared.tokens.open_rows[span.type_index] for span in gold)
        if pairs:
            self._features.append(span_features(states, pairs).cpu())
            self._tags.extend(self._prepared.tokens.open_rows[pair.span.type_index] for pair in pairs)
            self._scores.extend(scores)
            self._right.extend(pair.span in gold for pair in pairs)

    def samples(self) -> SpanSamples:
        return SpanSamples(
            # Copied: tensors made under inference mode cannot take part in training.
            features=torch.cat(self._features).clone() if self._features else torch.zeros(0, 0),
            tag=torch.tensor(self._tags, dtype=torch.long),
            tag_score=torch.tensor(self._scores),
            is_right=torch.tensor(self._right, dtype=torch.bool),
            gold_counts=dict(self._gold),
            label_set=self._prepared.label_set.name,
            open_rows=self._prepared.tokens.open_rows,
        )


MAX_SHIFT = 2


def move_edge(span: UnitSpan, unit_count: int, chooser: random.Random) -> UnitSpan:
    """One edge moved by one or two units, in or out; the span itself where no such span exists."""
    shift = chooser.choice([-MAX_SHIFT, -1, 1, MAX_SHIFT])
    if chooser.random() < 0.5:
        return _within(UnitSpan(span.start + shift, span.end, span.type_index), span, unit_count)
    return _within(UnitSpan(span.start, span.end + shift, span.type_index), span, unit_count)


def sub_span(span: UnitSpan, unit_count: int, chooser: random.Random) -> UnitSpan:
    """A part of the span; the span itself when it has one unit."""
    start = chooser.randint(span.start, span.end - 1)
    return UnitSpan(start, chooser.randint(start + 1, span.end), span.type_index)


def super_span(span: UnitSpan, unit_count: int, chooser: random.Random) -> UnitSpan:
    """The span with up to three units more on either side."""
    start = max(0, span.start - chooser.randint(0, 3))
    return UnitSpan(start, min(unit_count, span.end + chooser.randint(0, 3)), span.type_index)


def other_type(span: UnitSpan, type_count: int, chooser: random.Random) -> UnitSpan:
    """The right span with another type; the span itself when there is only one type."""
    return UnitSpan(span.start, span.end, chooser.choice([i for i in range(type_count) if i != span.type_index] or [0]))


def stray_span(unit_count: int, type_count: int, chooser: random.Random) -> UnitSpan:
    """A span anywhere, of any type, one to four units long."""
    start = chooser.randrange(unit_count)
    return UnitSpan(start, min(unit_count, start + chooser.randint(1, 4)), chooser.randrange(type_count))


def corrupt(gold: Collection[UnitSpan], *, unit_count: int, type_count: int, chooser: random.Random) -> list[UnitSpan]:
    """The gold spans of a text with about half of them made almost right, and now and then a stray one.

    What is returned nests properly, so that it can be rendered and read by the model as if it had tagged it.
    """
    boundary: list[Callable[[UnitSpan, int, random.Random], UnitSpan]] = [move_edge, move_edge, sub_span, super_span]
    spans: list[UnitSpan] = []
    for span in gold:
        draw = chooser.random()
        if draw < 0.4:
            spans.append(chooser.choice(boundary)(span, unit_count, chooser))
        elif draw < 0.55:
            spans.append(other_type(span, type_count, chooser))
        else:
            spans.append(span)
    if chooser.random() < 0.3:
        spans.append(stray_span(unit_count, type_count, chooser))
    return list(nest(spans).spans)


def _within(candidate: UnitSpan, span: UnitSpan, unit_count: int) -> UnitSpan:
    fits = 0 <= candidate.start < candidate.end <= unit_count
    return candidate if fits else span
