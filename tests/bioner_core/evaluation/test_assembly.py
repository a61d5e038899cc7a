"""Gold into sentences and candidates back into records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_core.evaluation.corpora import GoldRecord, record_sentences, spans_by_sentence, spans_in_record
from bioner_core.mentions import Candidate, Span

TEXT = "IL-2 rose.  The CD28 gene fell. Then p53."
RECORD = GoldRecord("a", "en", TEXT, frozenset({Span(0, 4, "protein"), Span(16, 25, "DNA"), Span(5, 15, "DNA")}))


def candidate(start: int, end: int) -> Candidate:
    """A protein at these offsets of its sentence."""
    return Candidate(start, end, "protein", tag_score=1.0, selector_score=0.5, accepted=True)


def test_candidates_land_at_their_offsets_in_the_record() -> None:
    """Catches an origin that forgets the blanks between sentences."""
    sentences = record_sentences(RECORD)
    rows = [(candidate(0, 4),), (candidate(4, 8), candidate(4, 13)), ()]
    assert [s.text for s in sentences] == ["IL-2 rose.", "The CD28 gene fell.", "Then p53."]
    assert {TEXT[s.start : s.end] for s in spans_in_record(sentences, rows)} == {"IL-2", "CD28", "CD28 gene"}


def test_a_missing_row_is_an_error() -> None:
    """Catches a lost result that passes for a sentence without entities."""
    with pytest.raises(ValueError, match="shorter"):
        spans_in_record(record_sentences(RECORD), [()])


def test_gold_that_crosses_a_sentence_is_in_none() -> None:
    """Catches a clipped gold span, which would teach a wrong edge."""
    assert spans_by_sentence(record_sentences(RECORD), RECORD.spans) == [
        {Span(0, 4, "protein")},
        {Span(4, 13, "DNA")},
        set(),
    ]


@given(st.text("Ab. \n。1(", max_size=60), st.sets(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=8))
def test_there_and_back_is_the_identity(text: str, edges: set[tuple[int, int]]) -> None:
    """Catches two conversions that disagree about where a sentence starts."""
    spans = {Span(a, a + size, "protein") for a, size in edges if a + size <= len(text)}
    sentences = record_sentences(GoldRecord("a", "en", text, frozenset(spans)))
    placed = spans_by_sentence(sentences, spans)
    rows = [[candidate(span.start, span.end) for span in found] for found in placed]
    whole = {p for p in spans if any(s.start <= p.start and p.end <= s.end for s in sentences)}
    assert spans_in_record(sentences, rows) == whole


def test_a_span_before_the_first_sentence_is_in_none() -> None:
    """Catches index -1, which would place it in the last sentence."""
    sentences = record_sentences(GoldRecord("a", "en", "  Cells.", frozenset()))
    assert spans_by_sentence(sentences, [Span(0, 1, "X")]) == [set()]
