"""Mentions of one document to concepts."""

from pathlib import Path

import pytest

from bioner_core.concepts.concept import Concept, Synonym
from bioner_core.linking.linker import Linker, NamedText, concept_types, may_mean
from tests.bioner_core.concept_samples import CONCEPTS, made_vocabulary


@pytest.fixture
def linker(tmp_path: Path) -> Linker:
    """A linker to the sample vocabulary."""
    return Linker([made_vocabulary(tmp_path)])


def ids(linker: Linker, *mentions: tuple[str, str], long_forms: dict[str, str] | None = None) -> list[list[str | None]]:
    """The concepts of each mention, ranked."""
    named = [NamedText(*one) for one in mentions]
    return [[one.concept_id for one in links] for links in linker.link_document(named, long_forms or {})]


def test_every_mention_is_answered_in_order(linker: Linker) -> None:
    """Catches a lost row for what has no concept, and answers that slip by one."""
    found = linker.link_document(
        [NamedText("hypertensive", "Disease"), NamedText("nonsense", "Disease"), NamedText("Depakine", "Chemical")], {}
    )
    assert [(one[0].concept_id, one[0].method) for one in found] == [
        ("TEST:D2", "broad"),
        (None, "none"),
        ("TEST:C1", "exact"),
    ]
    assert found[1][0].vocabulary == "sample"
    assert found[0][0].score < found[2][0].score
    assert found[0][0].vocabulary_version.startswith("1+")


def test_types_choose_whatever_they_are_called(linker: Linker) -> None:
    """Catches a Chinese or clinical type that links to nothing, and a disease that is linked to a medicine."""
    assert ids(linker, ("cold", "Disease"), ("cold", "Chemical"), ("cold", "dis"), ("cold", "药物")) == [
        ["TEST:D4"],
        ["TEST:C2"],
        ["TEST:D4"],
        ["TEST:C2"],
    ]


def test_a_short_form_means_what_its_document_defines(linker: Linker) -> None:
    """Catches an acronym that is linked by its letters where the document says what it means."""
    found = linker.link_document([NamedText("AKF", "Disease")], {"AKF": "liver neoplasms"})
    assert (found[0][0].concept_id, found[0][0].method) == ("TEST:D3", "abbreviation+words")
    assert ids(linker, ("AKF", "Disease"), long_forms={"AKF": "unknown thing"}) == [["TEST:D1"]]


def test_a_long_form_is_not_looked_up_broadly(linker: Linker) -> None:
    """Catches a short form that is linked to what its long form hardly means, though it has a concept of its own."""
    assert ids(linker, ("hypertensive", "Disease")) == [["TEST:D2"]]
    assert ids(linker, ("AKF", "Disease"), long_forms={"AKF": "hypertensive"}) == [["TEST:D1"]]


def test_a_short_name_is_found_exactly_or_not_at_all(tmp_path: Path) -> None:
    """Catches three letters that are linked by a loose key."""
    linker = Linker([made_vocabulary(tmp_path, Concept("T:1", "colds", "Disease"))])
    assert ids(linker, ("cold", "Disease")) == [[None]]


def test_genes_are_those_of_the_documents_species(linker: Linker) -> None:
    """Catches a mouse paper whose genes are human, and a paper without species whose genes are anything else."""
    assert ids(linker, ("ABC1", "Gene")) == [["TEST:G1", "TEST:G2"]]
    assert ids(linker, ("ABC1", "Gene"), ("mice", "Species"))[0] == ["TEST:G2", "TEST:G1"]


def test_the_default_species_has_its_own_place_where_a_document_names_it(tmp_path: Path) -> None:
    """Catches a paper on humans whose genes are of mice, since it names humans, the default, and mice once."""
    human = Concept("NCBITaxon:9606", "human", "Species", (Synonym("patients"),))
    linker = Linker([made_vocabulary(tmp_path, *CONCEPTS, human)])
    gene, mouse, people = ("ABC1", "Gene"), ("mice", "Species"), ("patients", "Species")
    assert ids(linker, gene, people)[0] == ["TEST:G1", "TEST:G2"]
    assert ids(linker, gene, mouse, *[people] * 10)[0] == ["TEST:G1", "TEST:G2"]
    assert ids(linker, gene, people, mouse, mouse)[0] == ["TEST:G2", "TEST:G1"]


def test_a_name_that_is_the_very_text_comes_first(tmp_path: Path) -> None:
    """Catches two genes that are told apart by a hyphen, of which the one with the lesser id is always meant."""
    both = [Concept("T:1", "AB-C1", "Gene"), Concept("T:2", "ABC1", "Gene")]
    linker = Linker([made_vocabulary(tmp_path, *both)])
    assert ids(linker, ("ABC1", "Gene"), ("abc1", "Gene"), ("AB-C1", "Gene")) == [
        ["T:2", "T:1"],
        ["T:2", "T:1"],
        ["T:1", "T:2"],
    ]


def test_equal_candidates_follow_the_rest_of_the_document(tmp_path: Path) -> None:
    """Catches an ambiguous name that is linked against what the document speaks of elsewhere."""
    both = [
        Concept("T:1", "first meaning", "Disease", (Synonym("shared"),)),
        Concept("T:2", "second meaning", "Disease", (Synonym("shared"),)),
    ]
    linker = Linker([made_vocabulary(tmp_path, *both)])
    assert ids(linker, ("shared", "Disease")) == [["T:1", "T:2"]]
    assert ids(linker, ("shared", "Disease"), ("second meaning", "Disease"))[0] == ["T:2", "T:1"]


def test_of_two_vocabularies_the_surer_then_the_first_wins(tmp_path: Path) -> None:
    """Catches an order of vocabularies that means nothing, and a loose match before an exact one."""
    one = made_vocabulary(tmp_path, Concept("A:1", "hypertensive states", "Disease"), name="one")
    two = made_vocabulary(tmp_path, Concept("B:1", "hypertension state", "Disease"), name="two")
    assert ids(Linker([one, two]), ("hypertension state", "Disease")) == [["B:1"]]
    assert ids(Linker([two, one]), ("hypertensive states", "Disease")) == [["A:1"]]
    alias = made_vocabulary(tmp_path, Concept("B:1", "high pressure", "Disease"), name="aliases")
    [[found]] = Linker([alias, two]).link_document([NamedText("high pressure", "Disease")], {})
    assert (found.vocabulary, found.name) == ("aliases", "hypertension state")
    same = made_vocabulary(tmp_path, Concept("C:1", "hypertension state", "Disease"), name="three")
    assert ids(Linker([same, two]), ("hypertension state", "Disease")) == [["C:1"]]


def test_a_link_says_how_surely_it_was_found(linker: Linker) -> None:
    """Catches scores that do not tell a loose match from a sure one, ranks that begin at 0, and a nameless concept."""
    [[exact], [broad], [none]] = linker.link_document(
        [NamedText("Depakine", "Chemical"), NamedText("hypertensive", "Disease"), NamedText("nonsense", "Disease")], {}
    )
    assert (exact.rank, none.rank) == (1, 1)
    assert (none.name, none.score, none.concept_id) == ("", 0.0, None)
    assert none.vocabulary_version == exact.vocabulary_version
    assert 0 < broad.score <= 0.8 < exact.score <= 1.0
    assert exact.name


def test_no_more_than_five_concepts_are_named(tmp_path: Path) -> None:
    """Catches a symbol that many concepts share and that makes as many rows, and an order that changes."""
    many = [Concept(f"T:{number}", f"meaning {number}", "Disease", (Synonym("shared"),)) for number in range(9)]
    linker = Linker([made_vocabulary(tmp_path, *many)])
    [links] = linker.link_document([NamedText("shared", "Disease")], {})
    assert [(one.concept_id, one.rank) for one in links] == [(f"T:{rank - 1}", rank) for rank in range(1, 6)]


@pytest.mark.parametrize(
    ("name", "long_form", "found"),
    [
        ("colds", None, "T:1"),  # five letters may be found by their words
        ("cold", None, None),
        ("AB", "colds of the", "T:1"),  # a long form by its words, but by nothing looser
        ("AB", "hypertensive", None),
        ("hypertensive", None, "T:2"),
    ],
)
def test_how_loosely_a_name_may_be_found(tmp_path: Path, name: str, long_form: str | None, found: str | None) -> None:
    """Catches four letters that are found by a loose key, and a long form that is linked by a guess."""
    concepts = [Concept("T:1", "the colds", "Disease"), Concept("T:2", "hypertension", "Disease")]
    linker = Linker([made_vocabulary(tmp_path, *concepts)])
    assert ids(linker, (name, "Disease"), long_forms={name: long_form} if long_form else None) == [[found]]


@pytest.mark.parametrize(
    ("asked", "concept", "fits"),
    [
        ("Disease", "biolink:Disease", True),
        ("dis", "PhenotypicFeature", True),
        ("sym", "disease", True),
        ("Gene or gene product", "Gene", True),
        ("Specific Disease", "MONDO", True),
        ("Chemical", "Disease", False),
        ("own kind", "OwnKind", True),
        ("own kind", "", True),
    ],
)
def test_types_are_compared_by_what_they_mean(asked: str, concept: str, fits: bool) -> None:
    """Catches blanks, case or a prefix that keep a type from its vocabulary, and a type unknown here that fits all."""
    assert may_mean(concept_types(asked), concept) == fits


def test_the_commonest_species_comes_first_and_then_the_default_one(tmp_path: Path) -> None:
    """Catches genes of a species that is named once before those of the one that a paper is of."""
    genes = [Concept(f"G:{name}", "ABC1", "Gene", taxon=taxon) for name, taxon in TAXA.items()]
    species = [Concept(taxon, name, "Species") for name, taxon in TAXA.items()]
    linker = Linker([made_vocabulary(tmp_path, *genes, *species)], default_taxon=TAXA["yeast"])
    named = [("ABC1", "Gene"), ("mouse", "Species"), ("rat", "Species"), ("rat", "Species")]
    assert ids(linker, *named)[0] == ["G:rat", "G:mouse", "G:yeast"]
    assert ids(linker, ("ABC1", "Gene"))[0] == ["G:yeast", "G:mouse", "G:rat"]


TAXA = {"mouse": "NCBITaxon:10090", "rat": "NCBITaxon:10116", "yeast": "NCBITaxon:4932"}
