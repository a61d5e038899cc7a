"""From candidates of a sentence to mentions of a document."""

import pytest

from bioner_core.documents import Document, Passage, Sentence
from bioner_core.errors import StoreError
from bioner_core.inference.placement import candidate_fault, place_candidates
from bioner_core.mentions import Candidate

_TEXT = "糖😀. CD28 receptor"
_DOCUMENT = Document("d", "s", 1, "en", (Passage("title", "", "en", "T"), Passage("abstract", "", "en", _TEXT)))
_SENTENCE = Sentence(1, 1, 4, 17, "CD28 receptor", "en")


def _candidate(start: int, end: int, kind: str = "a", *, score: float = 1.0, accepted: bool = True) -> Candidate:
    return Candidate(start, end, kind, score, 0.5, accepted)


def test_offsets_are_code_points_of_the_passage() -> None:
    """Would catch offsets relative to the sentence, or in bytes or UTF-16 units, after Chinese and emoji."""
    placed = place_candidates(_DOCUMENT, _SENTENCE, candidates=[_candidate(0, 4)], label_set="g", id_prefix="d@1")
    assert [(one.start, one.end, one.text, one.mention_id) for one in placed] == [(4, 8, "CD28", "d@1:p1:4-8:g:a")]
    assert (placed[0].section, placed[0].sentence_index, placed[0].passage_index) == ("abstract", 1, 1)


def test_outer_mentions_come_first_and_a_dropped_one_is_no_parent() -> None:
    """Would catch children before parents, or a child that hangs on an entity that the selector turned down."""
    given = [_candidate(0, 4), _candidate(0, 13, accepted=False), _candidate(0, 13, "b"), _candidate(1, 3)]
    placed = place_candidates(_DOCUMENT, _SENTENCE, candidates=given, label_set="g", id_prefix="d@1")
    outline = [(one.start, one.end, one.type, one.depth) for one in placed]
    assert outline == [(4, 17, "a", 0), (4, 17, "b", 0), (4, 8, "a", 1), (5, 7, "a", 2)]
    assert [one.parent_id for one in placed] == [None, None, "d@1:p1:4-17:g:b", "d@1:p1:4-8:g:a"]


@pytest.mark.parametrize("scores", [(1.0, 2.0), (2.0, 1.0)])
def test_the_same_span_tagged_twice_is_one_mention(scores: tuple[float, float]) -> None:
    """Would catch two rows with one id, or the weaker one kept by the accident of order."""
    given = [_candidate(0, 4, score=score) for score in scores]
    placed = place_candidates(_DOCUMENT, _SENTENCE, candidates=given, label_set="g", id_prefix="d@1")
    assert [one.tag_score for one in placed] == [2.0]


def test_a_sentence_that_is_not_where_it_says_is_refused() -> None:
    """Would catch a splitter at fault that shifts every offset of a passage in silence."""
    moved = Sentence(1, 1, 3, 16, "CD28 receptor", "en")
    with pytest.raises(StoreError, match="sentence splitter is at fault"):
        place_candidates(_DOCUMENT, moved, candidates=[_candidate(0, 4)], label_set="g", id_prefix="d@1")


@pytest.mark.parametrize(("start", "end", "good"), [(0, 3, True), (0, 4, False), (-1, 2, False), (2, 2, False)])
def test_offsets_outside_the_text_are_found(start: int, end: int, good: bool) -> None:
    """Would catch an empty span, or one that Python's slices would clip without a word."""
    assert (candidate_fault([_candidate(0, 1), _candidate(start, end)], "abc") == "") is good
