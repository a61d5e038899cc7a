"""The sentences of a bench: drawn once from a gold corpus, the same for every contender."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from bioner_core.benchmark.subject import BenchSubject
from bioner_core.decoding.rows import DecodingRow
from bioner_core.errors import InputError
from bioner_core.evaluation.corpora import GoldRecord, gold_sentences
from bioner_core.mentions import GoldSentence, Span
from bioner_core.tagging.moves import Move
from bioner_core.tagging.scheme import render
from bioner_core.text.units import Unit, split_units

SEED = 13
"""Draws the sentences; fixed, so that two runs of a bench read the same."""

Answer = list[tuple[Move, ...]]
"""The moves of each row of a batch."""


@dataclass(frozen=True, slots=True)
class BenchSentence:
    """A sentence ready to be decoded.

    `rows` are its copy lines, `gold_moves` what a human's tags would be in each; `gold` are code points.
    """

    units: tuple[Unit, ...]
    rows: tuple[DecodingRow, ...]
    gold: frozenset[Span]
    gold_moves: tuple[tuple[Move, ...], ...]

    @property
    def length(self) -> int:
        """Tokens of the sentence."""
        return sum(map(len, self.rows[0].unit_ids))


@dataclass(frozen=True, slots=True)
class SentenceBatch:
    """Sentences that are decoded together; `index` is the batch's place, from 0."""

    index: int
    sentences: tuple[BenchSentence, ...]

    @property
    def rows(self) -> list[DecodingRow]:
        """The copy lines of all sentences, those of one sentence side by side."""
        return [row for sentence in self.sentences for row in sentence.rows]

    @property
    def gold_moves(self) -> Answer:
        """What a human's tags would be, row by row."""
        return [moves for sentence in self.sentences for moves in sentence.gold_moves]


def draw_sentences(records: Sequence[GoldRecord], subject: BenchSubject, *, count: int) -> list[BenchSentence]:
    """So many sentences of the records, drawn by a fixed seed; all of them if there are no more.

    Raises:
        InputError: the records hold no sentence.
    """
    sentences = [one for one in gold_sentences(records) if one.text.strip()]
    if not sentences:
        raise InputError("the corpus has no sentence to decode: give one with texts")
    chooser = random.Random(SEED)  # noqa: S311 - sampling, not secrecy
    return [_bench_sentence(one, subject) for one in chooser.sample(sentences, min(count, len(sentences)))]


def _bench_sentence(sentence: GoldSentence, subject: BenchSubject) -> BenchSentence:
    prepared, loaded = subject.prepared, subject.loaded
    units = tuple(split_units(sentence.text))
    ids = tuple(loaded.vocabulary.unit_ids(sentence.text, units))
    rows = tuple(
        DecodingRow(ids, separator, types)
        for separator, types in zip(prepared.separators, prepared.line_types, strict=True)
    )
    rendered = render(sentence.spans, units, type_names=prepared.label_set.type_names, scheme=loaded.card.scheme)
    return BenchSentence(units, rows, sentence.spans, rendered.moves)


def batches_of(sentences: Sequence[BenchSentence], size: int) -> list[SentenceBatch]:
    """Batches of `size` sentences of similar length, the shortest first; the last may be smaller."""
    ordered = sorted(sentences, key=lambda one: one.length)
    starts = range(0, len(ordered), size)
    return [SentenceBatch(index, tuple(ordered[start : start + size])) for index, start in enumerate(starts)]
