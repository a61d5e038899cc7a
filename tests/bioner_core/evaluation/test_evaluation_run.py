"""The way of an evaluation from records to scores."""

from collections.abc import Sequence
from typing import Any

import pytest

from bioner_core.errors import AnnotatorOutOfMemoryError, ConfigurationError, ModelError
from bioner_core.evaluation.corpora import GoldRecord, with_types
from bioner_core.evaluation.run import evaluate_annotator, scored_types
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.labels.label_set import load_label_set
from bioner_core.mentions import Candidate, Span
from bioner_core.records import RejectReason

GENIA = load_label_set("genia")
TEXT = "CD28 binds. T cells need IL-2."
GOLD = frozenset({Span(0, 4, "protein"), Span(12, 19, "cell_type"), Span(25, 29, "protein")})
RECORDS = [GoldRecord(str(number), "en", TEXT, GOLD) for number in range(3)]


class Finder:
    """Finds known words, accepting only proteins; fails on more than `room` rows at once."""

    fingerprint = "finder"

    def __init__(self, room: int = 100, poison: str = "\0") -> None:
        self.room, self.poison = room, poison
        self.batches = 0

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Candidates of each request."""
        if len(requests) > self.room:
            raise AnnotatorOutOfMemoryError("too many rows")
        self.batches += 1
        return [self._row(request.text) for request in requests]

    def _row(self, text: str) -> RowResult:
        if self.poison in text:
            return RowError(RejectReason.ANNOTATION_FAILED, "poison")
        words = (("CD28", "protein"), ("IL-2", "protein"), ("T cells", "cell_type"), ("need", "DNA"))
        return tuple(
            Candidate(text.index(word), text.index(word) + len(word), name, 1.0, 0.5, accepted=name == "protein")
            for word, name in words
            if word in text
        )


def test_one_pass_gives_scores_with_and_without_the_selector() -> None:
    """Catches offsets that stay in the sentence, and a selector's decision that is ignored or applied to both."""
    finder = Finder()
    run = evaluate_annotator(finder, RECORDS, label_set="genia", types=scored_types(RECORDS, GENIA), has_selector=True)
    assert finder.batches == 1
    assert (run.evaluation.strict.precision, run.evaluation.strict.recall) == (1.0, pytest.approx(2 / 3))
    assert run.without_selector is not None
    assert (run.without_selector.strict.precision, run.without_selector.strict.recall) == (0.75, 1.0)
    assert run.sentences == 6
    assert "without_selector" in run.to_json()


def test_tag_scores_alone_may_decide() -> None:
    """Catches a yardstick that scores what the selector accepted, or drops what lies at its threshold."""
    named: dict[str, Any] = {"label_set": "genia", "types": scored_types(RECORDS, GENIA), "has_selector": True}
    at, above = (evaluate_annotator(Finder(), RECORDS, tag_threshold=one, **named) for one in (1.0, 1.5))
    assert at.without_selector is not None
    assert at.by_tag_score == at.without_selector.strict
    assert above.by_tag_score is not None
    assert above.by_tag_score.predicted == 0
    assert at.to_json()["by_tag_score"]["f1"] == at.by_tag_score.f1
    assert evaluate_annotator(Finder(), RECORDS, **named).by_tag_score is None


def test_without_a_selector_there_is_one_score() -> None:
    """Catches a report that claims a selector where there is none."""
    run = evaluate_annotator(Finder(), RECORDS, label_set="genia", types=frozenset(["protein"]), has_selector=False)
    assert "without_selector" not in run.to_json()


def test_types_count_on_both_sides() -> None:
    """Catches types that are left out of the gold but not of the predictions, or the other way round."""
    types = scored_types(RECORDS, GENIA, types=["cell_type"])
    run = evaluate_annotator(Finder(), RECORDS, label_set="genia", types=types, has_selector=True)
    assert run.evaluation.strict.support == 3
    assert run.without_selector is not None
    assert run.without_selector.strict.f1 == 1.0


def test_the_size_of_a_batch_changes_no_score() -> None:
    """Catches halves of a batch that land under the wrong index when memory runs out."""
    types = scored_types(RECORDS, GENIA)
    whole = evaluate_annotator(Finder(), RECORDS, label_set="genia", types=types, has_selector=True)
    halved = evaluate_annotator(Finder(room=1), RECORDS, label_set="genia", types=types, has_selector=True)
    assert halved.evaluation == whole.evaluation


@pytest.mark.slow
def test_an_annotator_that_never_answers_is_no_score_of_0() -> None:
    """Catches a defect or a device without room that passes for a model which finds nothing."""
    types = scored_types(RECORDS, GENIA)
    with pytest.raises(ModelError, match=r"none of 6 sentences could be annotated; the first: .*too many rows"):
        evaluate_annotator(Finder(room=0), RECORDS, label_set="genia", types=types, has_selector=True)


def test_a_sentence_without_room_is_left_out_alone() -> None:
    """Catches an evaluation of hours that ends at one sentence too long for the device, or loses its batch-mates."""

    class Tight(Finder):
        def _row(self, text: str) -> RowResult:
            if "IL-2" in text:
                raise AnnotatorOutOfMemoryError("no room")
            return super()._row(text)

    types = scored_types(RECORDS, GENIA)
    run = evaluate_annotator(Tight(), RECORDS, label_set="genia", types=types, has_selector=True)
    assert run.failed_sentences == 3
    assert run.evaluation.strict.recall == pytest.approx(1 / 3)


def test_a_failed_sentence_counts_as_empty_and_is_told() -> None:
    """Catches failed rows that vanish from the recall, or from the report."""
    types = scored_types(RECORDS, GENIA)
    run = evaluate_annotator(Finder(poison="IL-2"), RECORDS, label_set="genia", types=types, has_selector=True)
    assert run.failed_sentences == 3
    assert run.evaluation.strict.recall == pytest.approx(1 / 3)


def test_progress_hears_every_sentence() -> None:
    """Catches a bar that never fills."""
    planned: list[int] = []
    done: list[int] = []
    evaluate_annotator(
        Finder(),
        RECORDS,
        label_set="genia",
        types=frozenset(["protein"]),
        has_selector=True,
        on_planned=planned.append,
        on_sentences=done.append,
    )
    assert sum(planned) == sum(done) == 6


def test_gold_of_other_types_is_refused_unless_types_are_named() -> None:
    """Catches an evaluation against the wrong label set that quietly scores 0."""
    strange = [GoldRecord("1", "en", TEXT, frozenset({Span(0, 4, "Gene")}))]
    with pytest.raises(ConfigurationError, match="Gene"):
        scored_types(strange, GENIA)
    with pytest.raises(ConfigurationError, match=r"marks none of .*protein.*--map"):
        scored_types(strange, GENIA, types=["protein"])
    both = with_types([*strange, *RECORDS], {})
    assert scored_types(both, GENIA, types=["protein"]) == {"protein"}


def test_types_of_other_names_count_as_the_label_set_s() -> None:
    """Would catch gold of a foreign corpus that is dropped, or counted twice where two of its types are one here."""
    spans = frozenset({Span(0, 4, "SpecificDisease"), Span(0, 4, "DiseaseClass"), Span(5, 7, "Modifier")})
    record = GoldRecord("1", "en", "gout and so on", spans)
    (found,) = with_types([record], {"SpecificDisease": "Disease", "DiseaseClass": "Disease"})
    assert found.spans == {Span(0, 4, "Disease"), Span(5, 7, "Modifier")}
    with pytest.raises(ConfigurationError, match=r"has no type 'Diseases'.*own name first"):
        with_types([record], {"Diseases": "Disease"})
    with pytest.raises(ConfigurationError, match="Gene"):
        scored_types(RECORDS, GENIA, types=["Gene"])


def test_documents_are_finished_and_their_sentences_scored_beside() -> None:
    """Catches a pass over records that is not run, hidden, or run over types that were left out before it."""
    text = "Acute kidney failure (AKF) is bad. AKF kills."
    gold = frozenset({Span(0, 20, "protein"), Span(22, 25, "protein"), Span(35, 38, "protein")})

    class LongForms(Finder):
        def _row(self, text: str) -> RowResult:
            found = text.find("Acute kidney failure")
            return (Candidate(0, 20, "protein", 1.0, 0.9, accepted=True),) if found == 0 else ()

    named: dict[str, Any] = {"label_set": "genia", "types": frozenset(["protein"]), "has_selector": True}
    records = [GoldRecord("1", "en", text, gold)]
    run = evaluate_annotator(LongForms(), records, document_pass=None, **named)
    assert run.evaluation.strict.recall == 1.0
    assert run.without_document_pass is not None
    assert run.without_document_pass.recall == pytest.approx(1 / 3)
    assert run.to_json()["document_pass"] is True
    off = evaluate_annotator(LongForms(), records, document_pass=False, **named)
    assert (off.evaluation.strict.recall, off.to_json()["document_pass"]) == (pytest.approx(1 / 3), False)
    one = [GoldRecord("1", "en", text[:34], frozenset({Span(0, 20, "protein")}))]
    assert evaluate_annotator(LongForms(), one, document_pass=None, **named).without_document_pass is None
