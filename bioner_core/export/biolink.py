"""Names for a knowledge graph: CURIEs of documents, mentions and surface entities, and Biolink categories of types."""

import hashlib
import re
import unicodedata
from functools import lru_cache
from urllib.parse import quote

from bioner_core.documents import Document
from bioner_core.linking.linker import type_family

_OTHER_CATEGORY = "biolink:NamedThing"

_CATEGORIES = {
    ("bc5cdr", "Chemical"): "biolink:ChemicalEntity",
    ("bc5cdr", "Disease"): "biolink:Disease",
    ("cmedqaner", "body"): "biolink:AnatomicalEntity",
    ("cmedqaner", "disease"): "biolink:Disease",
    ("cmedqaner", "drug"): "biolink:Drug",
    ("cmedqaner", "symptom"): "biolink:PhenotypicFeature",
    ("cmedqaner", "test"): "biolink:Procedure",
    ("cmedqaner", "treatment"): "biolink:Treatment",
    ("cmeee", "bod"): "biolink:AnatomicalEntity",
    ("cmeee", "dis"): "biolink:Disease",
    ("cmeee", "dru"): "biolink:Drug",
    ("cmeee", "equ"): "biolink:Device",
    ("cmeee", "mic"): "biolink:OrganismalEntity",
    ("cmeee", "pro"): "biolink:Procedure",
    ("cmeee", "sym"): "biolink:PhenotypicFeature",
    ("craft", "GO_BP"): "biolink:BiologicalProcess",
    ("craft", "GO_CC"): "biolink:CellularComponent",
    ("craft", "GO_MF"): "biolink:MolecularActivity",
    ("craft", "PR"): "biolink:Protein",
    ("craft", "SO"): _OTHER_CATEGORY,  # parts of sequences, and hardly ever variants of them
    ("gene_families", "GeneFamily"): "biolink:GeneFamily",
    ("gene_families", "DomainMotif"): "biolink:ProteinDomain",
    ("genia", "DNA"): "biolink:NucleicAcidEntity",
    ("genia", "RNA"): "biolink:NucleicAcidEntity",
    ("genia", "cell_line"): "biolink:CellLine",
    ("genia", "cell_type"): "biolink:Cell",
    ("genia", "protein"): "biolink:Protein",
}
_OF_FAMILY = {
    "disease": "biolink:Disease",
    "phenotype": "biolink:PhenotypicFeature",
    "chemical": "biolink:ChemicalEntity",
    "gene": "biolink:Gene",
    "species": "biolink:OrganismTaxon",
    "cellline": "biolink:CellLine",
    "celltype": "biolink:Cell",
    "anatomy": "biolink:AnatomicalEntity",
    "procedure": "biolink:Procedure",
    "variant": "biolink:SequenceVariant",
}
_BLANKS = re.compile(r"\s+")
_KEPT = ":@#.-_~"
_PLAIN = re.compile(r"[A-Za-z0-9:@#._~-]*\Z")


def category_of(label_set: str, type_name: str) -> str:
    """The Biolink category of a type: its label set's, else that of what the linker takes it for, else `NamedThing`."""
    known = _CATEGORIES.get((label_set, type_name))
    return known or _OF_FAMILY.get(type_family(type_name), _OTHER_CATEGORY)


def document_curie(doc_id: str) -> str:
    """`PMID:1` and `PMC:PMC1` for records of PubMed and PMC, otherwise the document's id, percent-encoded."""
    source, _, name = doc_id.partition(":")
    prefix = {"pubmed": "PMID", "pmc": "PMC"}.get(source, source)
    return f"{_encoded(prefix)}:{_encoded(name)}"


def article_curie(document: Document) -> str:
    """The CURIE that all copies of an article share: its PMID where the record gives one, else its document's."""
    pmid = next((value for kind, value in document.meta.ids if kind == "pmid"), None)
    return document_curie(document.doc_id) if pmid is None else f"PMID:{_encoded(pmid)}"


def mention_curie(mention_id: str) -> str:
    """The CURIE of one mention."""
    return f"bioner.mention:{_encoded(mention_id)}"


@lru_cache(maxsize=100_000)
def entity_curie(text: str, *, label_set: str, type_name: str) -> str:
    """The CURIE of a surface entity: mentions of one type whose texts have one normal form share it."""
    key = "\0".join((label_set, type_name, normal_form(text)))
    return f"bioner.entity:{hashlib.sha256(key.encode()).hexdigest()[:24]}"


@lru_cache(maxsize=100_000)
def normal_form(text: str) -> str:
    """What counts in a surface form: NFKC, case folded, runs of white space as one blank."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _encoded(name: str) -> str:
    # nearly every id is plain, and `quote` takes ten times as long to find that out
    return name if _PLAIN.match(name) else quote(name, safe=_KEPT)
