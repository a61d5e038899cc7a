"""What NLM's indexers say of a citation: MeSH headings, chemicals, publication types, and notices that concern it."""

from collections.abc import Iterable

from bioner_core.documents import Correction, Heading
from bioner_core.formats.identifiers import normal_pmid
from bioner_core.formats.short_memory import kept
from bioner_core.formats.xml_text import Element, child, children, text_of

MESH, SUBSTANCE = "mesh", "mesh-chemical"
"""`Heading.vocabulary` of MeSH headings, and of the substances of a `ChemicalList`, whose ids are MeSH's too."""

HEADING_LIST, SUBSTANCE_LIST = "MeshHeadingList", "ChemicalList"
"""The elements of a citation that hold them."""

_UNREGISTERED = "0"
_NOTICES = frozenset(
    {
        "RetractionIn",
        "RetractionOf",
        "PartialRetractionIn",
        "PartialRetractionOf",
        "RetractedandRepublishedIn",
        "RetractedandRepublishedFrom",
        "CorrectedandRepublishedIn",
        "CorrectedandRepublishedFrom",
        "ErratumIn",
        "ErratumFor",
        "ExpressionOfConcernIn",
        "ExpressionOfConcernFor",
        "UpdateIn",
        "UpdateOf",
    }
)


def mesh_headings(ui: str, name: str, *, major: bool, qualifiers: Iterable[tuple[str, bool]]) -> list[Heading]:
    """The headings that a descriptor makes, one for each qualifier and whether that is major; none without a name.

    A heading is major where the descriptor is, or where this qualifier is.
    """
    if not (name := name.strip()):
        return []
    found = [_heading(MESH, ui, name, text.strip(), major or one) for text, one in qualifiers]
    return found or [_heading(MESH, ui, name, "", major)]


def substance_headings(ui: str, name: str, *, number: str) -> list[Heading]:
    """The heading of a substance, its registry number (CAS, UNII or EC) as qualifier; none without a name."""
    if not (name := name.strip()):
        return []
    number = number.strip()
    return [_heading(SUBSTANCE, ui, name, "" if number == _UNREGISTERED else number, False)]


def listed_mesh_headings(listed: Element | None) -> list[Heading]:
    """The headings of a `MeshHeadingList`, in its order."""
    found: list[Heading] = []
    if listed is None:
        return found
    descriptor: Element | None = None
    qualifiers: list[Element] = []
    # One walk over the whole list takes half the time of asking each heading for its children.
    for node in listed.iter("MeshHeading", "DescriptorName", "QualifierName"):
        tag = node.tag
        if tag == "QualifierName":
            qualifiers.append(node)
        elif tag == "DescriptorName":
            descriptor = node if descriptor is None else descriptor
        else:
            found += _of_elements(descriptor, qualifiers)
            descriptor, qualifiers = None, []
    return [*found, *_of_elements(descriptor, qualifiers)]


def listed_substances(listed: Element | None) -> list[Heading]:
    """The substances of a `ChemicalList`, in its order."""
    found: list[Heading] = []
    for node in children(listed, "Chemical"):
        substance = child(node, "NameOfSubstance")
        if substance is not None:
            number = text_of(child(node, "RegistryNumber"))
            found += substance_headings(substance.get("UI", ""), text_of(substance), number=number)
    return found


def publication_types(listed: Element | None) -> tuple[str, ...]:
    """The names of a `PublicationTypeList`, in order."""
    return tuple(name for node in children(listed, "PublicationType") if (name := text_of(node)))


def corrections(listed: Element | None) -> tuple[Correction, ...]:
    """Retractions, errata, expressions of concern and republications of a `CommentsCorrectionsList`; not comments."""
    found = []
    for node in children(listed, "CommentsCorrections"):
        kind = node.get("RefType", "")
        if kind in _NOTICES:
            pmid = normal_pmid(text_of(child(node, "PMID")))
            found.append(Correction(kind, text_of(child(node, "RefSource")), f"pubmed:{pmid}" if pmid else ""))
    return tuple(found)


def _of_elements(descriptor: Element | None, qualifiers: Iterable[Element]) -> list[Heading]:
    if descriptor is None:
        return []
    return mesh_headings(
        descriptor.get("UI", ""),
        text_of(descriptor),
        major=descriptor.get("MajorTopicYN") == "Y",
        qualifiers=[(text_of(one), one.get("MajorTopicYN") == "Y") for one in qualifiers],
    )


# A few thousand headings are most of a file's, and to find one costs a third of making it anew.
_heading = kept(16_384)(Heading)
