"""Where a concept or a document can be looked up: addresses on the web. Nothing here asks for them."""

import re
from urllib.parse import quote

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
