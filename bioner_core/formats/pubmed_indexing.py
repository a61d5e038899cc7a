"""What NLM's indexers say of a citation: MeSH headings, chemicals, publication types, and notices that concern it."""

from collections.abc import Iterator

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


def _mesh_headings(listed: Element | None) -> Iterator[Heading]:
    for node in children(listed, "MeshHeading"):
        descriptor = child(node, "DescriptorName")
        if descriptor is None or not text_of(descriptor):
            continue
        name, ui, major = text_of(descriptor), descriptor.get("UI", ""), _is_major(descriptor)
        qualifiers = list(children(node, "QualifierName"))
        if not qualifiers:
            yield Heading(MESH, ui, name, "", major)
        for one in qualifiers:
            yield Heading(MESH, ui, name, text_of(one), major or _is_major(one))


def _substances(listed: Element | None) -> Iterator[Heading]:
    for node in children(listed, "Chemical"):
        substance = child(node, "NameOfSubstance")
        if substance is not None and text_of(substance):
            number = text_of(child(node, "RegistryNumber"))
            yield Heading(
                SUBSTANCE, substance.get("UI", ""), text_of(substance), "" if number == _UNREGISTERED else number
            )


def _is_major(node: Element) -> bool:
    return bool(node.get("MajorTopicYN") == "Y")
