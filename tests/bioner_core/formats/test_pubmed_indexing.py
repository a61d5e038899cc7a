"""What a PubMed record says beside its text: headings, substances, publication types, notices."""

from lxml import etree

from bioner_core.documents import Correction, Heading
from bioner_core.formats.pubmed_indexing import (
    corrections,
    listed_mesh_headings,
    listed_substances,
    publication_types,
)

RECORD = etree.fromstring(
    """<r><MeshHeadingList>
<MeshHeading><DescriptorName UI="D1" MajorTopicYN="N">Fever</DescriptorName></MeshHeading>
<MeshHeading><DescriptorName UI="D2" MajorTopicYN="N">Cough</DescriptorName>
<QualifierName UI="Q1" MajorTopicYN="Y">drug therapy</QualifierName>
<QualifierName UI="Q2" MajorTopicYN="N">etiology</QualifierName></MeshHeading>
<MeshHeading><DescriptorName UI="D3" MajorTopicYN="Y"></DescriptorName></MeshHeading>
</MeshHeadingList><ChemicalList>
<Chemical><RegistryNumber>0</RegistryNumber><NameOfSubstance UI="D4">Syrups</NameOfSubstance></Chemical>
<Chemical><RegistryNumber>50-00-1</RegistryNumber><NameOfSubstance UI="C5">sampline</NameOfSubstance></Chemical>
</ChemicalList><PublicationTypeList><PublicationType UI="D9">Case Reports</PublicationType><PublicationType/>
</PublicationTypeList><CommentsCorrectionsList>
<CommentsCorrections RefType="Cites"><RefSource>Some J. 2001</RefSource><PMID>7</PMID></CommentsCorrections>
<CommentsCorrections RefType="RetractionIn"><RefSource>Some J. 2002</RefSource><PMID>8</PMID></CommentsCorrections>
<CommentsCorrections RefType="ErratumIn"><RefSource>Some J. 2003</RefSource></CommentsCorrections>
</CommentsCorrectionsList></r>"""
)


def test_headings_have_id_qualifier_and_major() -> None:
    """Catches a qualifier that is lost, a major topic of one qualifier that all have, and an empty heading."""
    found = [
        *listed_mesh_headings(RECORD.find("MeshHeadingList")),
        *listed_substances(RECORD.find("ChemicalList")),
    ]
    assert found == [
        Heading("mesh", "D1", "Fever", "", False),
        Heading("mesh", "D2", "Cough", "drug therapy", True),
        Heading("mesh", "D2", "Cough", "etiology", False),
        Heading("mesh-chemical", "D4", "Syrups", "", False),
        Heading("mesh-chemical", "C5", "sampline", "50-00-1", False),
    ]


def test_types_and_notices_are_kept_and_references_are_not() -> None:
    """Catches a retraction that nobody sees, and a list of references among the notices."""
    assert publication_types(RECORD.find("PublicationTypeList")) == ("Case Reports",)
    assert corrections(RECORD.find("CommentsCorrectionsList")) == (
        Correction("RetractionIn", "Some J. 2002", "pubmed:8"),
        Correction("ErratumIn", "Some J. 2003", ""),
    )


def test_a_record_without_them_says_that_it_has_none() -> None:
    """Catches None, which means that the reader did not look."""
    assert (listed_mesh_headings(None), listed_substances(None)) == ([], [])
    assert (publication_types(None), corrections(None)) == ((), ())
