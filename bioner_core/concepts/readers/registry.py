"""The forms of vocabulary files, by name, and which of them a file has."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bioner_core.concepts.concept import Concept, checked
from bioner_core.concepts.readers.gold_aliases import read_gold_aliases
from bioner_core.concepts.readers.lines import text_lines
from bioner_core.concepts.readers.ontologies import read_obo, read_obograph
from bioner_core.concepts.readers.tables import read_gene_info, read_hgnc, read_rrf, read_table
from bioner_core.concepts.readers.xml import read_mesh_xml, read_skos
from bioner_core.errors import ConfigurationError, InputError

FORMS: Mapping[str, Callable[[Path, str], Iterator[Concept]]] = {
    "table": read_table,
    "obo": read_obo,
    "obograph": read_obograph,
    "mesh-xml": read_mesh_xml,
    "gene-info": read_gene_info,
    "hgnc": read_hgnc,
    "rrf": read_rrf,
    "skos": read_skos,
    "gold": read_gold_aliases,
}
"""Each reader takes the file and the prefix of ids that say none."""


def read_concepts(path: Path, *, form: str | None = None, prefix: str = "") -> Iterator[Concept]:
    """The concepts of a file, checked.

    Raises:
        ConfigurationError: there is no such form.
        InputError: the file is not of that form, or a concept of it is unsound; the message names file and line.
    """
    return checked(FORMS[form_of(path, named=form)](path, prefix), file=str(path))


def form_of(path: Path, *, named: str | None = None) -> str:
    """The form of a file: the one that the user has `named`, else by how it begins.

    Raises:
        ConfigurationError: there is no form of that name.
        InputError: it cannot be told.
    """
    if named is not None:
        if named not in FORMS:
            raise ConfigurationError(f"--format: {named!r} is not one of {', '.join(FORMS)}")
        return named
    head = "\n".join(line[:2_000] for _, line in _first(path, 40))
    begin = head.lstrip()
    first_line = begin.partition("\n")[0].casefold()
    for form, holds in (
        ("obo", begin.startswith(("format-version", "[Term]", "ontology:"))),
        ("mesh-xml", "DescriptorRecordSet" in head or "SupplementalRecordSet" in head),
        ("skos", begin.startswith("<") and "skos" in head),
        ("gold", begin.startswith("{") and '"text"' in head and '"graphs"' not in head),
        ("obograph", begin.startswith("{")),
        ("gene-info", first_line.startswith(("#tax_id", "tax_id")) and "geneid" in first_line),
        ("hgnc", first_line.startswith(("hgnc_id", "hgnc id"))),
        ("rrf", begin.startswith("C") and first_line.count("|") >= 17),
        ("table", "\t" in first_line or "," in first_line),
    ):
        if holds:
            return form
    raise InputError(f"{path}: its form cannot be told; name it with --format: {', '.join(FORMS)}")


def _first(path: Path, count: int) -> Iterator[tuple[int, str]]:
    for number, line in text_lines(path):
        yield number, line
        if number >= count:
            return
