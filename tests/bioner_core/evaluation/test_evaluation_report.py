"""The object that `bioner evaluate --json` prints."""

import json

from bioner_core.evaluation.report import evaluate
from bioner_core.evaluation.scoring import RecordSpans, UnitRuler
from bioner_core.mentions import Span

RECORDS = [
    RecordSpans(
        frozenset({Span(0, 4, "protein"), Span(0, 9, "DNA")}), frozenset({Span(0, 9, "DNA"), Span(2, 4, "protein")})
    ),
    RecordSpans(frozenset({Span(1, 2, "RNA")}), frozenset({Span(1, 2, "RNA")})),
]
RULERS = [UnitRuler("CD28 gene"), UnitRuler("a b")]


def test_the_json_has_what_the_command_promises() -> None:
    """Catches a renamed or missing key, and a value that JSON cannot hold."""
    found = json.loads(json.dumps(evaluate(RECORDS, RULERS).to_json()))
    assert {"precision", "recall", "f1", "ci95", "support", "by_type", "flat", "nested", "boundary_only"} <= set(found)
    assert {"inner", "relaxed", "by_length", "mistakes"} <= set(found)
    assert set(found["by_type"]["DNA"]) == {"precision", "recall", "f1", "support", "predicted"}
    assert set(found["nested"]) == {"recall", "support", "only"}
    assert (found["records"], found["support"], found["predicted"]) == (2, 3, 3)
    low, high = found["ci95"]
    assert 0.0 <= low <= found["f1"] <= high <= 1.0


def test_each_part_reads_its_own_score() -> None:
    """Catches two scores that are swapped on the way into the report."""
    found = evaluate(RECORDS, RULERS)
    assert found.strict.f1 == 2 / 3
    assert found.relaxed.f1 == 1.0
    assert found.boundary_only.recall == 2 / 3
    assert (found.nested.recall, found.flat.recall, found.inner.recall) == (0.5, 1.0, 0.0)
    assert found.mistakes["other_boundary"] == 0
    assert found.mistakes["boundary_one_unit"] == 1


def test_no_records_is_an_evaluation_of_zeros() -> None:
    """Catches a crash on an empty corpus."""
    found = evaluate([], []).to_json()
    assert (found["f1"], found["ci95"], found["by_type"]) == (0.0, [0.0, 0.0], {})
