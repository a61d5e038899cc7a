"""MeSH's descriptor and supplementary XML, and SKOS as RDF/XML; no entities, no DTD, no network."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from lxml import etree

from bioner_core.concepts.concept import RELATED, SYNONYM, Concept, Synonym, check_hierarchy
from bioner_core.errors import InputError
from bioner_core.gzip_file import open_plain_or_gzip

MESH_TYPES = {"A": "Anatomy", "B": "Organism", "C": "Disease", "D": "Chemical", "E": "Procedure", "F03": "Disease"}
"""What the branches of MeSH's tree hold, by the first letters of a tree number."""

_SCR_TYPES = {"1": "Chemical", "2": "Procedure", "3": "Disease", "4": "Organism", "5": "Other", "6": "Anatomy"}
"""What supplementary records are by their class: 2 are protocols of treatments, 5 population groups."""

_SKOS = "{http://www.w3.org/2004/02/skos/core#}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def mesh_type(tree_numbers: Iterable[str]) -> str:
    """The type of a descriptor by its places in MeSH's tree; a disease anywhere is a disease.

    Behaviour, processes and the like are `Other`: no mention of a disease or substance means them.
    """
    found = {name for start, name in MESH_TYPES.items() for one in tree_numbers if one.startswith(start)}
    return next(
        (name for name in ("Disease", "Chemical", "Organism", "Anatomy", "Procedure") if name in found), "Other"
    )


def read_mesh_xml(path: Path, prefix: str) -> Iterator[Concept]:
    """The records of desc*.xml or supp*.xml; terms of a record's other concepts are looser names.

    A descriptor has the type of its places in the tree, `Other` without any; a supplementary record that of its class.

    Raises:
        InputError: it is no well-formed XML; the message names file and line.
    """
    for record in _elements(path, ("DescriptorRecord", "SupplementalRecord")):
        # NLM writes DescriptorUI, but SupplementalRecordUI
        is_descriptor = record.tag == "DescriptorRecord"
        word = "Descriptor" if is_descriptor else record.tag
        numbers = [one.text or "" for one in record.findall("TreeNumberList/TreeNumber")]
        names = tuple(
            Synonym(term.text or "", SYNONYM if concept.get("PreferredConceptYN") == "Y" else RELATED)
            for concept in record.findall("ConceptList/Concept")
            for term in concept.findall("TermList/Term/String")
        )
        yield Concept(
            f"{prefix or 'MESH'}:{record.findtext(f'{word}UI', '')}",
            record.findtext(f"{word}Name/String", ""),
            mesh_type(numbers) if is_descriptor else _SCR_TYPES.get(record.get("SCRClass", "1"), "Other"),
            names,
            line=record.sourceline or 0,
        )


def read_skos(path: Path, prefix: str) -> Iterator[Concept]:
    """The concepts of SKOS in RDF/XML: preferred, alternative and hidden labels of all languages.

    The id is the notation, else the last part of the IRI, with `prefix`.

    Raises:
        InputError: it is no well-formed XML, or the hierarchy goes in a circle; the message names file and line.
    """
    parents: dict[str, tuple[str, ...]] = {}
    lines: dict[str, int] = {}
    for one in _elements(path, (f"{_SKOS}Concept",)):
        about = one.get(f"{_RDF}about", "")
        labels = [(label.text or "").strip() for label in one.findall(f"{_SKOS}prefLabel")]
        others = [*labels[1:], *((label.text or "").strip() for label in one.findall(f"{_SKOS}altLabel"))]
        hidden = [(label.text or "").strip() for label in one.findall(f"{_SKOS}hiddenLabel")]
        local = one.findtext(f"{_SKOS}notation", "") or _last_part(about)
        broader = (_last_part(above.get(f"{_RDF}resource", "")) for above in one.findall(f"{_SKOS}broader"))
        found = Concept(
            f"{prefix}:{local}" if prefix else local,
            labels[0] if labels else "",
            synonyms=(*(Synonym(text) for text in others), *(Synonym(text, RELATED) for text in hidden)),
            parents=tuple(f"{prefix}:{above}" if prefix else above for above in broader if above),
            line=one.sourceline or 0,
        )
        parents[found.concept_id], lines[found.concept_id] = found.parents, found.line
        yield found
    check_hierarchy(parents, lines, file=str(path))


def _last_part(iri: str) -> str:
    return iri.rstrip("/").replace("#", "/").rpartition("/")[2]


def _elements(path: Path, tags: tuple[str, ...]) -> Iterator[Any]:
    try:
        with open_plain_or_gzip(path) as stream:
            for _, element in etree.iterparse(
                cast(Any, stream), tag=tags, resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
            ):
                yield element
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise InputError(f"{path}, line {error.lineno}: is no well-formed XML ({error.msg})") from error
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
