"""The bench at one batch size: what it finds, and that it would find a wrong decoder out."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bioner_core.benchmark import batch_bench
from bioner_core.benchmark.batch_bench import run_batches, spread
from bioner_core.benchmark.batch_summary import summarise
from bioner_core.benchmark.decode_report import BatchFigures
from bioner_core.benchmark.sentences import batches_of
from bioner_core.benchmark.subject import BenchSubject
from bioner_core.decoding.drafted import DraftedDecoder
from bioner_core.decoding.rows import DecodedRow, DecodingRow, LabelSetTokens
from bioner_core.selector.selector import Selector
from bioner_core.tagging.moves import COPY, FIRST_OPEN, tag_pairs
from bioner_core.tagging.scheme import TagScheme
from tests.bioner_core.benchmark.bench_samples import bench_sentences, tiny_settings, tiny_subject
from tests.bioner_core.tiny_model import TYPES, tiny_model


class Untagged(DraftedDecoder):
    """Gives the first row of every batch back as a plain copy: a decoder that is wrong now and then."""

    def decode(self, rows: Sequence[DecodingRow], label_set: LabelSetTokens) -> list[DecodedRow]:
        """Decode, and spoil."""
        first, *rest = super().decode(rows, label_set)
        return [replace(first, moves=(COPY,) * len(rows[0].unit_ids)), *rest]


def figures_of(subject: BenchSubject, size: int = 2, **settings: object) -> BatchFigures:
    """A whole bench at one batch size."""
    sentences = bench_sentences(subject)
    run = run_batches(subject, batches_of(sentences, size), settings=tiny_settings(**settings))
    return summarise(subject, run, batch_size=size)


@pytest.mark.parametrize("scheme", list(TagScheme))
def test_in_float32_all_ways_make_the_same_moves(scheme: TagScheme) -> None:
    """Would catch decoders that differ, or an outsiders' head that is not equivalent to the move rows."""
    figures = figures_of(tiny_subject(scheme))
    assert (figures.identical, figures.generate_identical) == (1.0, 1.0)
    assert figures.f1["difference"] == 0.0
    assert figures.sentences == 5
    assert figures.rows == (5 if scheme is TagScheme.INLINE else 15)
    assert figures.spans_per_sentence > 0, "the model never tags: the test is blind"


def test_a_wrong_decoder_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a share of identical outputs that compares a decoder with itself."""
    monkeypatch.setattr(batch_bench, "DraftedDecoder", Untagged)
    figures = figures_of(tiny_subject())
    assert figures.identical is not None
    assert 0.0 < figures.identical < 1.0
    assert figures.generate_identical == figures.identical


def test_f1_is_that_of_each_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch F1 of one decoder in the place of the other's, or spans in units against code points."""
    subject = tiny_subject()
    gold = {row: moves for one in bench_sentences(subject) for row, moves in zip(one.rows, one.gold_moves, strict=True)}

    class Human(DraftedDecoder):
        """Tags as the gold does."""

        def decode(self, rows: Sequence[DecodingRow], label_set: LabelSetTokens) -> list[DecodedRow]:
            """Look the answers up."""
            return [
                replace(one, moves=gold[row]) for row, one in zip(rows, super().decode(rows, label_set), strict=True)
            ]

    monkeypatch.setattr(batch_bench, "DraftedDecoder", Human)
    figures = figures_of(subject)
    assert figures.f1 == {"drafted": 1.0, "reference": 0.0, "difference": 1.0}


def test_every_contender_is_timed_on_its_sentences() -> None:
    """Would catch seconds of one contender beside the sentences of another, or a round that is counted twice."""
    figures = figures_of(tiny_subject(), generate_sentences=2, repeats=2)
    counts = {name: one.sentences for name, one in figures.contenders.items()}
    assert counts["generate"] == 2
    assert {counts[name] for name in ("floor", "floor_with_prompt", "drafted", "reference")} == {5}
    for one in figures.contenders.values():
        assert one.seconds > 0
        assert one.sentences_per_second == pytest.approx(one.sentences / one.seconds)
    assert figures.contenders["floor"].to_floor == 1.0


def test_passes_and_traffic_are_those_of_the_drafted_decoder() -> None:
    """Would catch counts that include the warm-up or the prompt, or padding that is counted as tokens."""
    alone, together = figures_of(tiny_subject(), size=1), figures_of(tiny_subject(), size=5)
    assert alone.passes_per_sentence == together.passes_per_sentence
    assert alone.tokens_read_to_floor == pytest.approx(together.tokens_read_to_floor)
    assert 1.0 <= alone.passes_per_sentence <= alone.tokens / alone.sentences
    assert alone.tokens_read_to_floor >= 1.0
    assert alone.padding == {"drafted": 0.0, "floor": 0.0}
    assert 0.0 < together.padding["floor"] < 1.0


def test_what_is_skipped_has_no_figures() -> None:
    """Would catch a figure made up for a contender that did not run."""
    figures = figures_of(tiny_subject(), skip=("encoders", "generate", "reference", "floor_with_prompt", "selector"))
    assert set(figures.contenders) == {"floor", "drafted"}
    assert (figures.identical, figures.generate_identical, figures.reference_to_drafted) == (None, None, None)
    assert figures.to_json()["reference_s"] is None
    assert set(figures.f1) == {"drafted"}


def test_the_selector_judges_every_candidate_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a cost of the selector that leaves candidates out, or that counts the decoding again."""
    subject = replace(tiny_subject(), selector=Selector(48, len(TYPES)))
    judged: list[int] = []
    own = Selector.probabilities
    monkeypatch.setattr(
        Selector,
        "probabilities",
        lambda self, features, tags, *, tag_scores: (
            judged.append(len(tags)) or own(self, features, tags, tag_scores=tag_scores)
        ),
    )
    figures = figures_of(subject)
    assert figures.selector_to_drafted is not None
    assert figures.selector_to_drafted > 0
    assert figures.contenders["selector"].tokens_per_second is None
    rows = [row for one in bench_sentences(subject) for row in one.rows]
    decoded = DraftedDecoder(subject.network).decode(rows, subject.tokens)
    found = [len(tag_pairs(one.moves, len(row.unit_ids))) for row, one in zip(rows, decoded, strict=True)]
    of_one_round = sorted(filter(None, found))
    assert sorted(judged[-len(of_one_round) :]) == of_one_round
    assert figures_of(tiny_subject()).selector_to_drafted is None


def test_random_weights_write_the_tags_of_the_gold() -> None:
    """Would catch a larger model that is timed on tags at random, or a tape that the decoder runs away from."""
    own = tiny_subject(is_gold_forced=True)
    gold = sum(move >= FIRST_OPEN for one in bench_sentences(own) for moves in one.gold_moves for move in moves)
    other = replace(own, network=tiny_model(seed=7))
    figures = figures_of(other)
    assert figures.spans_per_sentence == gold / 5
    assert figures.passes_per_sentence == figures_of(own).passes_per_sentence
    assert (figures.identical, figures.f1) == (None, {})
    assert set(figures.contenders) == {"floor", "floor_with_prompt", "drafted", "reference", "generate"}


def test_random_weights_can_write_the_tags_of_the_model() -> None:
    """Would catch a replay that does not do as many passes as what it replays."""
    own = tiny_subject()
    replayed, original = figures_of(replace(own, network=tiny_model(seed=7))), figures_of(own)
    assert replayed.passes_per_sentence == original.passes_per_sentence
    assert replayed.spans_per_sentence == original.spans_per_sentence
    assert replayed.tokens_read_to_floor == original.tokens_read_to_floor


@pytest.mark.parametrize(
    ("count", "wanted", "places"), [(5, 9, {0, 1, 2, 3, 4}), (9, 1, {4}), (4, 0, {2}), (8, 2, {2, 6})]
)
def test_a_subset_of_the_batches_is_spread_over_all_lengths(count: int, wanted: int, places: set[int]) -> None:
    """Would catch a slow contender that is timed on the shortest sentences only."""
    assert spread(count, wanted) == places
