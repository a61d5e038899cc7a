"""Random gold and predicted spans, and a run with every kind of mistake, for the tests of evaluation."""

from collections.abc import Sequence

from hypothesis import strategies as st

from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.evaluation.run import EvaluationRun, evaluate_annotator
from bioner_core.evaluation.scoring import RecordSpans
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.mentions import Candidate, Span

TEXT = "ab c 12 d-e 病肺 fgh "

spans = st.builds(
    lambda start, size, name: Span(start, min(start + size, len(TEXT)), name),
    st.integers(0, len(TEXT) - 1),
    st.integers(1, 6),
    st.sampled_from("XYZ"),
)
"""Spans of `TEXT`."""

records = st.lists(
    st.builds(RecordSpans, st.frozensets(spans, max_size=6), st.frozensets(spans, max_size=6)), max_size=5
)

SENTENCE = "The <b>CD28</b> gene & IL-2 receptor alpha bind T cells."


class Scripted:
    """Gives each sentence these candidates, with a fixed probability each."""

    fingerprint = "scripted"
    has_selector = True

    def __init__(self, *found: tuple[str, str, float]) -> None:
        self.found = found

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """A word, its type and its probability make a candidate; from 0.5 on it is accepted."""
        return [
            tuple(
                Candidate(place, place + len(word), name, 4 * probability, probability, accepted=probability >= 0.5)
                for word, name, probability in self.found
                if (place := request.text.find(word)) >= 0
            )
            for request in requests
        ]


def span_of(word: str, name: str) -> Span:
    """The span of a word of `SENTENCE`."""
    return Span(SENTENCE.index(word), SENTENCE.index(word) + len(word), name)


def run_with_every_mistake(records_wanted: int = 3, *, examples: int = 2, has_selector: bool = True) -> EvaluationRun:
    """One right span, and in each record one mistake of each kind."""
    gold = {("CD28", "DNA"), ("IL-2 receptor", "protein"), ("T cells", "cell_type"), ("gene", "DNA"), ("bind", "RNA")}
    found = (
        ("CD28", "protein", 0.9),  # wrong type
        ("IL-2 receptor alpha", "protein", 0.8),  # one unit too long
        ("cells.", "RNA", 0.7),  # spurious: another type at other edges
        ("e & IL-2", "DNA", 0.6),  # a wrong boundary of `gene`
        ("T cells", "cell_type", 0.4),  # right, and turned down: missed
    )
    records = [
        GoldRecord(str(number), "en", SENTENCE, frozenset(span_of(*one) for one in gold))
        for number in range(records_wanted)
    ]
    return evaluate_annotator(
        Scripted(*found),
        records,
        label_set="genia",
        types=frozenset({"DNA", "RNA", "protein", "cell_type"}),
        has_selector=has_selector,
        examples=examples,
    )
