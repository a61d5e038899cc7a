"""What of a PubMed record is in no passage: text under elements that are neither read nor named as not read.

The elements that a record has are looked at level by level, so that a record of known elements costs next to nothing.
"""

from collections.abc import Mapping

from bioner_core.formats.contract import visible_count
from bioner_core.formats.xml_text import Element, text_below


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_READ: Mapping[str, frozenset[str]] = {
    "PubmedArticle": _names("MedlineCitation"),
    "PubmedBookArticle": _names("BookDocument"),
    "MedlineCitation": _names("Article OtherAbstract"),
    "Article": _names("ArticleTitle Abstract VernacularTitle"),
    "BookDocument": _names("ArticleTitle Abstract VernacularTitle"),
    "Abstract": _names("AbstractText"),
}
"""The elements that are read, by the element that holds them: anywhere else their text is lost."""

_READ_ONCE = frozenset[str]().union(*_READ.values()) - _names("AbstractText OtherAbstract")
"""Elements of which there is one: text of a second one is lost."""

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

UNREAD_ANYWHERE = _names("AuthorList DateCompleted DateRevised History Pagination ReferenceList")
"""Lists that are not read wherever they stand: `pubmed_cuts` may have taken them out before the record was parsed."""

_KNOWN = {name: unread | UNREAD_ANYWHERE | _READ[name] for name, unread in UNREAD.items()}


def children_loss(element: Element | None, fields: Mapping[str, Element]) -> int:
    """How many visible characters the children of an element lose; `fields` has the first of each tag."""
    if element is None or element.tag not in _KNOWN:
        return 0
    known = _KNOWN[element.tag]
    lost = 0 if fields.keys() <= known else text_below(node for node in element if node.tag not in known)
    if len(fields) < len(element):
        for tag in _READ_ONCE & fields.keys():
            lost += text_below(fields[tag].itersiblings(tag))
    return lost


def abstract_loss(abstract: Element | None) -> int:
    """How many visible characters of an abstract are outside its parts."""
    if abstract is None:
        return 0
    known = _KNOWN["Abstract"]
    lost = _stray(abstract.text)
    for part in abstract:
        tail = part.tail
        if tail and not tail.isspace():  # asked here too: most are, and a call costs more than the question
            lost += _stray(tail)
        if part.tag not in known:
            lost += text_below((part,))
    return lost


def _stray(text: str | None) -> int:
    return visible_count(text) if text and not text.isspace() else 0
