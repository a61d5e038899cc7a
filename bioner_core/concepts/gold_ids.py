"""Identifiers as gold corpora write them, as CURIEs: bare, several in one, or none at all."""

import re

_NONE = frozenset({"", "-", "-1", "none", "null"})
_SEPARATOR = re.compile(r"[,;|]")
_MESH = re.compile(r"[CD]\d{6,9}")
_PREFIXES = {
    "gene": "NCBIGene",
    "genefamily": "NCBIGene",
    "domainmotif": "NCBIGene",
    "species": "NCBITaxon",
    "cellline": "Cellosaurus",
    "variant": "dbSNP",
}


def gold_curies(concept: str, type_name: str, *, prefix: str = "") -> tuple[str, ...]:
    """The CURIEs in a `concept` of a gold corpus; none where it says that there is none.

    An id that has a prefix keeps it; `D000123` is MeSH's, a number is NCBI Gene's or NCBI Taxonomy's after the type,
    and whatever else is left has `prefix`.
    """
    found = []
    for one in map(str.strip, _SEPARATOR.split(concept)):
        if one.casefold() in _NONE:
            continue
        if ":" in one:
            found.append(one)
        elif _MESH.fullmatch(one):
            found.append(f"MESH:{one}")
        else:
            found.append(f"{_PREFIXES.get(type_name.casefold(), prefix or 'gold')}:{one}")
    return tuple(dict.fromkeys(found))
