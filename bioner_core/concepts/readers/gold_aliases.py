"""A vocabulary of what a gold corpus calls its concepts: aliases, each as sure as it is common.

Corpora write identifiers bare, several in one, or none at all; here they are CURIEs.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from bioner_core.concepts.concept import Concept, Synonym
from bioner_core.concepts.readers.lines import text_lines
from bioner_core.errors import InputError
from bioner_core.typed_json import loaded_json, typed


def read_gold_aliases(path: Path, prefix: str) -> Iterator[Concept]:
    """One concept per id of the corpus (JSON lines with `concept` in the entities), named by its mentions.

    The weight of a name is the share of its mentions that mean the concept. `prefix` is for ids that say none and whose
    kind cannot be told.

    Raises:
        InputError: a line is no such record; the message names file and line.
    """
    meant: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for number, line in text_lines(path):
        try:
            for one in loaded_json(line)["entities"]:
                concept, kind, text = (
                    typed(str, value) for value in (one.get("concept", ""), one["type"], one["text"])
                )
                for curie in gold_curies(concept, kind, prefix=prefix):
                    meant[kind, text][curie] += 1
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}, line {number}: is no record of a gold corpus ({error!r})") from error
    yield from _concepts(meant)


def _concepts(meant: dict[tuple[str, str], Counter[str]]) -> Iterator[Concept]:
    names: dict[tuple[str, str], list[tuple[int, Synonym]]] = defaultdict(list)
    for (kind, text), counts in meant.items():
        for curie, count in counts.items():
            names[curie, kind].append((count, Synonym(text, count / counts.total())))
    for (curie, kind), found in sorted(names.items()):
        yield _concept(curie, kind, sorted(found, key=lambda one: (-one[0], one[1].name)))


def _concept(curie: str, kind: str, found: Sequence[tuple[int, Synonym]]) -> Concept:
    # the commonest mention is the name, and is as sure as it is common: so it stands among the synonyms too
    return Concept(curie, found[0][1].name, kind, tuple(one for _, one in found))


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
