"""Addresses on the web of concepts and documents."""

import pytest

from bioner_core.concepts.concept import concept_address, document_address


@pytest.mark.parametrize(
    ("concept", "address"),
    [
        ("MESH:D003924", "https://bioregistry.io/MESH:D003924"),
        ("ncbigene:7157", "https://bioregistry.io/ncbigene:7157"),
        ("MESH:a/../b?c", "https://bioregistry.io/MESH:a%2F..%2Fb%3Fc"),
        ("T:1", ""),
        ("MESH", ""),
        ("MESH:", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_a_concept_has_the_page_of_its_prefix(concept: str, address: str) -> None:
    """Would catch a dead link for a vocabulary of one's own, and an id that leads to another place."""
    assert concept_address(concept) == address


def test_a_document_has_the_page_of_its_source() -> None:
    """Would catch a PMC article that is looked for in PubMed, and a link for a source that has no pages."""
    assert document_address("pubmed:7") == "https://pubmed.ncbi.nlm.nih.gov/7/"
    assert document_address("pmc:PMC8") == "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC8/"
    assert document_address("pubmed:../x") == "https://pubmed.ncbi.nlm.nih.gov/..%2Fx/"
    assert document_address("cnki:1") == document_address("pubmed") == ""
