"""Links against gold concepts."""

from pathlib import Path

import pytest

from bioner_core.concepts.readers.gold_aliases import gold_curies
from bioner_core.evaluation.corpora import GoldRecord, with_types
from bioner_core.evaluation.link_scores import evaluate_links, score_end_to_end
from bioner_core.linking.linker import Linker
from bioner_core.mentions import Span
from tests.bioner_core.concept_samples import made_vocabulary

TEXT = "hypertension, depakine, cold and nonsense"
KNOWN, DRUG, COLD, NONE = (
    Span(0, 12, "Disease"),
    Span(14, 22, "Chemical"),
    Span(24, 28, "Disease"),
    Span(33, 41, "Disease"),
)
CONCEPTS = {KNOWN: "TEST:OLD2", DRUG: "TEST:C1|TEST:C9", COLD: "TEST:D1", NONE: "-1"}
RECORD = GoldRecord("1", "en", TEXT, frozenset(CONCEPTS), CONCEPTS)


@pytest.fixture
def linker(tmp_path: Path) -> Linker:
    """A linker to the sample vocabulary."""
    return Linker([made_vocabulary(tmp_path)])


def test_gold_mentions_are_counted_by_type_and_method(linker: Linker) -> None:
    """Catches an old id that counts as wrong, and a mention without concept that counts."""
    found = evaluate_links([RECORD], linker)
    assert (found.overall.mentions, found.overall.linked, found.overall.right, found.overall.known) == (3, 3, 2, 3)
    assert (found.by_type["Disease"].right, found.by_type["Chemical"].right) == (1, 1)
    assert found.by_method["exact"].mentions == 3
    report = found.to_json()
    assert (report["accuracy"], report["precision"]) == (0.6667, 0.6667)
    assert evaluate_links([RECORD], linker, types=["Chemical"]).overall.mentions == 1


def test_end_to_end_needs_the_place_and_the_concept(linker: Linker) -> None:
    """Catches a right concept elsewhere that counts, and a found mention of no concept that counts as wrong."""
    found = [Span(0, 12, "Disease"), Span(24, 28, "Disease"), Span(33, 41, "Disease")]
    score = score_end_to_end([RECORD], [found], linker=linker)
    assert (score.right, score.predicted, score.found, score.gold) == (1, 2, 1, 3)
    assert score.to_json()["f1"] == 0.4


def test_renamed_types_keep_their_concepts() -> None:
    """Catches --map that loses what the corpus says of a mention."""
    [renamed] = with_types([RECORD], {"Disease": "dis"})
    assert renamed.concepts[Span(0, 12, "dis")] == "TEST:OLD2"


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("D001", "Disease", ("gold:D001",)),
        ("D000001|C000002", "Disease", ("MESH:D000001", "MESH:C000002")),
        ("7;8", "Gene", ("NCBIGene:7", "NCBIGene:8")),
        ("9606", "Species", ("NCBITaxon:9606",)),
        ("OMIM:1", "Disease", ("OMIM:1",)),
        ("-", "Disease", ()),
        ("", "Gene", ()),
    ],
)
def test_ids_of_corpora_become_curies(text: str, kind: str, expected: tuple[str, ...]) -> None:
    """Catches ids that never equal those of a vocabulary."""
    assert gold_curies(text, kind) == expected
