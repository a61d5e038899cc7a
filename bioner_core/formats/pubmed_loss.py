"""What of a PubMed record is in no passage: text under elements that are neither read nor named as not read.

The elements that a record has are looked at level by level, so that a record of known elements costs next to nothing.
"""

from collections.abc import Iterator, Mapping

from bioner_core.formats.lost_text import text_below, visible
from bioner_core.formats.xml_text import Element


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_READ_ONCE = _names("MedlineCitation Article BookDocument ArticleTitle Abstract VernacularTitle")
"""Elements of which there is one: text of a second one is lost."""

_READ = _READ_ONCE | _names("AbstractText OtherAbstract")

UNREAD: Mapping[str, frozenset[str]] = {
    "PubmedArticle": _names("PubmedData"),
    "PubmedBookArticle": _names("PubmedBookData"),
    "MedlineCitation": _names(
        """
        PMID DateCreated DateCompleted DateRevised MedlineJournalInfo ChemicalList SupplMeshList CitationSubset
        CommentsCorrectionsList GeneSymbolList MeshHeadingList NumberOfReferences PersonalNameSubjectList OtherID
        KeywordList CoiStatement SpaceFlightMission InvestigatorList GeneralNote DataBankList MedlineID
        CommentsCorrections
        """
    ),
    "Article": _names(
        """
        Journal Pagination ELocationID AuthorList InvestigatorList Language DataBankList GrantList PublicationTypeList
        ArticleDate Affiliation
        """
    ),
    "BookDocument": _names(
        """
        PMID ArticleIdList Book LocationLabel Pagination Language AuthorList InvestigatorList PublicationType Sections
        KeywordList ContributionDate DateRevised GrantList ItemList ReferenceList CitationString
        """
    ),
    "Abstract": _names("CopyrightInformation"),
}
"""The elements that are not read as text, by the element that holds them; ids, dates and keywords are in `meta`."""

UNREAD_ANYWHERE = _names("AuthorList History ReferenceList")
"""Lists that are not read wherever they stand: `pubmed_cuts` may have taken them out before the record was parsed."""

_KNOWN = {name: unread | UNREAD_ANYWHERE | _READ for name, unread in UNREAD.items()}
_KNOWN["OtherAbstract"] = _KNOWN["Abstract"]


def children_loss(element: Element | None, fields: Mapping[str, Element]) -> int:
    """How many visible characters the children of an element lose; `fields` has the first of each tag."""
    if element is None or element.tag not in _KNOWN:
        return 0
    known = _KNOWN[element.tag]
    if len(fields) == len(element) and fields.keys() <= known:
        return 0
    return text_below(_strangers(element, known))


def abstract_loss(abstract: Element | None) -> int:
    """How many visible characters of an abstract are outside its parts."""
    if abstract is None:
        return 0
    known = _KNOWN["Abstract"]
    lost = visible(abstract.text) if abstract.text else 0
    for part in abstract:
        if part.tail:
            lost += visible(part.tail)
        if part.tag not in known:
            lost += text_below((part,))
    return lost


def _strangers(element: Element, known: frozenset[str]) -> Iterator[Element]:
    """The children that nobody knows, and those that are there once too often."""
    seen: set[str] = set()
    for node in element:
        if node.tag not in known or (node.tag in seen and node.tag in _READ_ONCE):
            yield node
        seen.add(node.tag)
