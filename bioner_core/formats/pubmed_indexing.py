"""What NLM's indexers say of a citation: MeSH headings, chemicals, publication types, and notices that concern it."""

from collections.abc import Iterator
from functools import lru_cache

from bioner_core.documents import Correction, Heading
from bioner_core.formats.identifiers import normal_pmid
from bioner_core.formats.xml_text import Element, child, children, text_of

MESH, SUBSTANCE = "mesh", "mesh-chemical"
"""`Heading.vocabulary` of MeSH headings, and of the substances of a `ChemicalList`, whose ids are MeSH's too."""

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


def headings(heading_list: Element | None, chemical_list: Element | None) -> tuple[Heading, ...]:
    """The MeSH headings, one for each qualifier, then the substances; in the record's order.

    A heading is major where the descriptor is, or where this qualifier is. The qualifier of a substance is its registry
    number (CAS, UNII or EC), empty where it has none.
    """
    return (*_mesh_headings(heading_list), *_substances(chemical_list))


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


def _mesh_headings(listed: Element | None) -> list[Heading]:
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
            _add_heading(found, descriptor, qualifiers)
            descriptor, qualifiers = None, []
    _add_heading(found, descriptor, qualifiers)
    return found


def _add_heading(found: list[Heading], descriptor: Element | None, qualifiers: list[Element]) -> None:
    if descriptor is None or not (name := text_of(descriptor)):
        return
    ui, major = descriptor.get("UI", ""), descriptor.get("MajorTopicYN") == "Y"
    if not qualifiers:
        found.append(_heading(MESH, ui, name, "", major))
    for one in qualifiers:
        found.append(_heading(MESH, ui, name, text_of(one), major or one.get("MajorTopicYN") == "Y"))


def _substances(listed: Element | None) -> Iterator[Heading]:
    for node in children(listed, "Chemical"):
        substance = child(node, "NameOfSubstance")
        if substance is not None and (name := text_of(substance)):
            number = text_of(child(node, "RegistryNumber"))
            number = "" if number == _UNREGISTERED else number
            yield _heading(SUBSTANCE, substance.get("UI", ""), name, number, False)


# A few thousand headings are most of a file's, and to find one costs a third of making it anew.
_heading = lru_cache(maxsize=16_384)(Heading)
