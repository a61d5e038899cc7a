"""Small vocabularies of our own for the tests of linking."""

from pathlib import Path

from bioner_core.concepts.concept import RELATED, Concept, Synonym
from bioner_core.concepts.index import VocabularyPage, build_index
from bioner_core.concepts.vocabulary import Vocabulary, open_vocabulary

CONCEPTS = (
    Concept("TEST:D1", "Kidney Failure, Acute", "Disease", (Synonym("AKF"), Synonym("acute renal shutdown", RELATED))),
    Concept("TEST:D2", "Hypertension", "Disease", replaces=("TEST:OLD2",)),
    Concept("TEST:D3", "Neoplasms, Liver", "Disease"),
    Concept("TEST:C1", "Valproic Acid", "Chemical", (Synonym("Depakine"),)),
    Concept("TEST:C2", "Cold Remedy", "Chemical", (Synonym("cold"),)),
    Concept("TEST:D4", "Common Cold", "Disease", (Synonym("cold"),)),
    Concept("TEST:G1", "ABC1", "Gene", taxon="NCBITaxon:9606"),
    Concept("TEST:G2", "Abc1", "Gene", taxon="NCBITaxon:10090"),
    Concept("NCBITaxon:10090", "mouse", "Species", (Synonym("mice"),)),
    Concept("TEST:X1", "Bleeding", "Disease", (Synonym("haemorrhage"),)),
)


def made_vocabulary(folder: Path, *concepts: Concept, name: str = "sample") -> Vocabulary:
    """A vocabulary of these concepts, or of the sample ones."""
    build_index(folder / name, concepts or CONCEPTS, page=VocabularyPage(name, "1", "ours"))
    return open_vocabulary(folder / name)
