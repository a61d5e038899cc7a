"""Vocabularies in rows: a user's own CSV or TSV, NCBI's gene_info, HGNC's table and UMLS's MRCONSO.RRF."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bioner_core.concepts.concept import RELATED, SYNONYM, Concept, Synonym, with_prefix
from bioner_core.concepts.readers.lines import text_lines
from bioner_core.errors import InputError

Row = Mapping[str, str]

_WORDS = {
    "id": ("id", "code", "concept_id", "编码", "代码"),
    "name": ("name", "label", "display", "term", "名称"),
    "synonyms": ("synonyms", "aliases", "synonym", "别名", "同义词"),
    "type": ("type", "category", "类型"),
    "system": ("system", "code system", "code_system", "vocabulary"),
    "taxon": ("taxon", "tax_id", "species"),
}
"""What the columns of a user's table may be called, whatever their case."""


def read_table(path: Path, prefix: str) -> Iterator[Concept]:
    """A user's table: columns id and name, and if there are any synonyms (split at `|`), type, system and taxon.

    The prefix of an id is what it has, else the row's system, else `prefix`.

    Raises:
        InputError: a column is missing, or a row has other columns than the header.
    """
    for number, row in _rows(path):
        cells = {word: next((row[name] for name in names if name in row), "") for word, names in _WORDS.items()}
        if number == 2 and not ({*row} & set(_WORDS["id"]) and {*row} & set(_WORDS["name"])):
            raise InputError(f"{path}, line 1: needs columns id and name; it has {', '.join(row)}")
        yield Concept(
            with_prefix(cells["id"], cells["system"] or prefix),
            cells["name"],
            cells["type"],
            _synonyms(cells["synonyms"].split("|")),
            taxon=with_prefix(cells["taxon"], "NCBITaxon") if cells["taxon"] else "",
            line=number,
        )


def read_gene_info(path: Path, prefix: str) -> Iterator[Concept]:
    """NCBI's gene_info: symbols, synonyms, full names, species.

    Raises:
        InputError: as `read_table`.
    """
    for number, row in _rows(path):
        names = [*_given(row, "synonyms", "|"), row.get("full_name_from_nomenclature_authority", "-")]
        loose = [*_given(row, "other_designations", "|"), row.get("description", "-")]
        symbol = row.get("symbol", "")
        if symbol not in ("", "-", "NEWENTRY"):
            yield Concept(
                with_prefix(row.get("geneid", ""), prefix or "NCBIGene"),
                symbol,
                "Gene",
                (*_synonyms(names), *_synonyms(loose, RELATED)),
                taxon=f"NCBITaxon:{row.get('#tax_id') or row.get('tax_id', '')}",
                line=number,
            )


def read_hgnc(path: Path, prefix: str) -> Iterator[Concept]:
    """HGNC's complete set, or its custom download; the id is NCBI's where `prefix` is NCBIGene and it is there.

    Raises:
        InputError: as `read_table`.
    """
    for number, row in _rows(path):
        symbol = row.get("symbol") or row.get("approved symbol", "")
        if row.get("status", "Approved") != "Approved" or not symbol:
            continue
        own = row.get("hgnc_id") or row.get("hgnc id", "")
        entrez = row.get("entrez_id") or row.get("ncbi gene id(supplied by ncbi)", "")
        full = row.get("name") or row.get("approved name", "")
        words = [row.get(name, "") for name in ("alias_symbol", "alias symbols", "prev_symbol", "previous symbols")]
        more = [row.get(name, "") for name in ("alias_name", "prev_name")]
        names = [full, *(one for text in words for one in text.replace("|", ",").split(","))]
        yield Concept(
            f"NCBIGene:{entrez}" if prefix == "NCBIGene" and entrez else own,
            symbol,
            "Gene",
            (*_synonyms(names), *_synonyms([one for text in more for one in text.split("|")])),
            taxon="NCBITaxon:9606",
            line=number,
        )


def read_rrf(path: Path, prefix: str) -> Iterator[Concept]:
    """UMLS's MRCONSO.RRF, a row per name, but for suppressed ones; the index joins those of one CUI.

    Raises:
        InputError: a row has too few columns.
    """
    for number, line in text_lines(path):
        cells = line.split("|")
        if len(cells) < 18:
            raise InputError(f"{path}, line {number}: has {len(cells)} columns; MRCONSO.RRF has 18")
        cui, name, suppressed = cells[0], cells[14], cells[16]
        if suppressed in ("N", ""):
            yield Concept(with_prefix(cui, prefix or "UMLS"), name, line=number)


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    lines = text_lines(path)
    _, head = next(lines, (0, ""))
    tabs = "\t" in head
    names = [name.strip().casefold() for name in _cells(path, 1, head, tabs=tabs)]
    for number, line in lines:
        if not line.strip():
            continue
        cells = _cells(path, number, line, tabs=tabs)
        if len(cells) > len(names) or (not tabs and len(cells) < len(names)):
            raise InputError(f"{path}, line {number}: has {len(cells)} columns, the header {len(names)}")
        yield number, dict(zip(names, (one.strip() for one in cells), strict=False))


def _cells(path: Path, number: int, line: str, *, tabs: bool) -> Sequence[str]:
    try:
        return line.split("\t") if tabs else next(csv.reader([line]), [])
    except csv.Error as error:
        raise InputError(f"{path}, line {number}: is no CSV ({error})") from error


def _given(row: Row, column: str, separator: str) -> list[str]:
    return row.get(column, "").split(separator)


def _synonyms(names: Sequence[str], weight: float = SYNONYM) -> tuple[Synonym, ...]:
    return tuple(Synonym(one.strip(), weight) for one in dict.fromkeys(names) if one.strip() not in ("", "-"))
