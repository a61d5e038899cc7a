"""A concept of a vocabulary: its identifier, its names, and what is checked of them whatever file they come from.

Where a concept or a document can be looked up on the web is told here; nothing here asks for it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from bioner_core.errors import InputError

PREFERRED, SYNONYM, RELATED, BORROWED = 1.0, 0.9, 0.7, 0.65
"""How surely a name means its concept: its own name, an exact synonym, a loose one, and one of a mapped vocabulary."""

MOST_SYNONYMS = 20_000
LONGEST_NAME = 2_000

_CURIE = re.compile(r"[A-Za-z][A-Za-z0-9._-]*:[^\s:|,;][^\s|,;]*")
_FORMULA = re.compile(r"[=@]")


@dataclass(frozen=True, slots=True)
class Synonym:
    """Another name of a concept, and how surely it means it: a weight from 0 to 1."""

    name: str
    weight: float = SYNONYM


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept; `concept_id` is a CURIE (`MESH:D003924`), `type` a word of the vocabulary such as `Disease`.

    `replaces` are ids that once named it, `parents` are broader concepts, `taxon` is the species of a gene
    (`NCBITaxon:9606`), empty where none is said. `line` is where the file has it, for messages; 0 where nobody knows.
    """

    concept_id: str
    name: str
    type: str = ""
    synonyms: tuple[Synonym, ...] = ()
    replaces: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    taxon: str = ""
    line: int = field(default=0, compare=False)


def is_curie(text: str) -> bool:
    """Whether a text is a prefix, a colon and a local id without blanks."""
    return _CURIE.fullmatch(text) is not None


def with_prefix(local_id: str, prefix: str) -> str:
    """The CURIE of an id that a file writes without its prefix; one that has a prefix stays as it is."""
    return local_id if not prefix or is_curie(local_id) else f"{prefix}:{local_id}"


def checked(concepts: Iterable[Concept], *, file: str) -> Iterator[Concept]:
    """The concepts, each of which is sound.

    Raises:
        InputError: an id is no CURIE, a name is missing, too long or a formula, or one id has too many synonyms, in one
            row or in many; the message names file and line.
    """
    names: Counter[str] = Counter()
    for one in concepts:
        names[one.concept_id] += 1 + len(one.synonyms)
        fault = _fault(one, names=names[one.concept_id])
        if fault:
            raise InputError(f"{file}, line {one.line}: {fault}" if one.line else f"{file}: {fault}")
        yield one


def check_hierarchy(parents: Mapping[str, tuple[str, ...]], lines: Mapping[str, int], *, file: str) -> None:
    """Refuse a hierarchy in which a concept is broader than itself.

    Raises:
        InputError: there is a circle; the message names file, line and the ids on it.
    """
    settled: set[str] = set()
    for start in parents:
        path: dict[str, None] = {}
        stack: list[tuple[str, Iterator[str]]] = [] if start in settled else [(start, iter(parents[start]))]
        path[start] = None
        while stack:
            here, rest = stack[-1]
            following = next((one for one in rest if one not in settled), None)
            if following is None:
                settled.add(here)
                path.pop(here, None)
                stack.pop()
            elif following in path:
                circle = [*list(path)[list(path).index(following) :], following]
                where = f"{file}, line {lines.get(following, 0)}"
                raise InputError(
                    f"{where}: the hierarchy goes in a circle: {' > '.join(circle[:6])}. Break it in the file"
                )
            else:
                path[following] = None
                stack.append((following, iter(parents.get(following, ()))))


def _fault(concept: Concept, *, names: int) -> str:
    if not is_curie(concept.concept_id):
        return (
            f"id {concept.concept_id[:60]!r} is no CURIE such as MESH:D003924; "
            "give the file's ids a prefix with --prefix"
        )
    if not concept.name.strip():
        return f"{concept.concept_id} has no name"
    if names > MOST_SYNONYMS + 1:
        return f"{concept.concept_id} has {names - 1} synonyms or more, and {MOST_SYNONYMS} are allowed"
    written = (concept.name, *(one.name for one in concept.synonyms))
    if any(len(name) > LONGEST_NAME for name in written):
        return f"{concept.concept_id} has a name of more than {LONGEST_NAME} characters"
    formula = next((name for name in written if _FORMULA.match(name.lstrip())), None)
    return "" if formula is None else f"{concept.concept_id}: {formula[:40]!r} is a formula of a spreadsheet, no name"


_REGISTERED = re.compile(
    r"CHEBI|CHEMBL\.COMPOUND|CL|CLO|CVCL|DOID|DRUGBANK|EFO|ENSEMBL|FMA|GO|HGNC|HP|ICD10(CM)?|MESH|MONDO|NCBIGENE"
    r"|NCBITAXON|NCIT|OMIM|ORPHANET|PR|RXNORM|SNOMEDCT|SO|UBERON|UMLS|UNIPROT",
    re.IGNORECASE,
)
"""Prefixes that Bioregistry resolves. Those of a user's own vocabulary lead nowhere."""

_DOCUMENTS = {
    "pubmed": "https://pubmed.ncbi.nlm.nih.gov/{}/",
    "pmc": "https://www.ncbi.nlm.nih.gov/pmc/articles/{}/",
}


def concept_address(concept_id: str) -> str:
    """The page of a concept by its CURIE; empty where its prefix is nobody's."""
    prefix, colon, own = concept_id.partition(":")
    if not (colon and own and _REGISTERED.fullmatch(prefix)):
        return ""
    return f"https://bioregistry.io/{quote(prefix)}:{quote(own, safe='')}"


def document_address(doc_id: str) -> str:
    """The page of a document at its source; empty where that has none."""
    source, _, own = doc_id.partition(":")
    return _DOCUMENTS[source].format(quote(own, safe="")) if source in _DOCUMENTS and own else ""
