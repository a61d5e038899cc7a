"""Vocabularies in rows: a user's own CSV or TSV, NCBI's gene_info, HGNC's table and UMLS's MRCONSO.RRF."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby, islice
from pathlib import Path

from bioner_core.concepts.concept import MOST_SYNONYMS, RELATED, SYNONYM, Concept, Synonym, with_prefix
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

_BREAK = re.compile(r"\s*[\r\n]\s*")


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
    for number, row in _rows(path, has_quotes=False):
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

    Of the rows of a CUI, which stand together, the one that UMLS prefers in English comes first: the index takes the
    first for the name of the concept.

    Raises:
        InputError: a row has too few columns.
    """
    for _, rows in groupby(_names_of_umls(path), key=lambda row: row[1][0]):
        # One more than is allowed, and one: a file that has all its rows under one CUI is refused, not held in memory.
        for number, cells in sorted(islice(rows, MOST_SYNONYMS + 2), key=_is_less_preferred):
            yield Concept(with_prefix(cells[0], prefix or "UMLS"), cells[14], line=number)


def _names_of_umls(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in text_lines(path):
        cells = line.split("|")
        if len(cells) < 18:
            raise InputError(f"{path}, line {number}: has {len(cells)} columns; MRCONSO.RRF has 18")
        if cells[16] in ("N", ""):
            yield number, cells


def _is_less_preferred(row: tuple[int, list[str]]) -> tuple[bool, ...]:
    """A sort key: language, then TS, STT and ISPREF, as UMLS says which name of a concept it prefers."""
    _, cells = row
    return cells[1] != "ENG", cells[2] != "P", cells[4] != "PF", cells[6] != "Y"


def _rows(path: Path, *, has_quotes: bool = True) -> Iterator[tuple[int, Row]]:
    """The rows below the header, by its names in lower case, with the number of their first line.

    NCBI's tables have no quotes: a name that begins with one means itself.
    """
    lines = text_lines(path)
    _, head = next(lines, (0, ""))
    tabs = "\t" in head
    records = _records(path, chain([head], (line for _, line in lines)), tabs=tabs, has_quotes=has_quotes)
    _, header = next(records, (0, []))
    names = [name.casefold() for name in header]
    for number, cells in records:
        if cells in ([], [""]):
            continue
        if len(cells) > len(names) or (not tabs and len(cells) < len(names)):
            raise InputError(f"{path}, line {number}: has {len(cells)} columns, the header {len(names)}")
        yield number, dict(zip(names, cells, strict=False))


def _records(path: Path, lines: Iterator[str], *, tabs: bool, has_quotes: bool) -> Iterator[tuple[int, list[str]]]:
    ended = (f"{line}\n" for line in lines)
    # strict: a quote that is not closed takes the next rows into its cell, and only so it is noticed
    reader = csv.reader(
        ended,
        delimiter="\t" if tabs else ",",
        quoting=csv.QUOTE_MINIMAL if has_quotes else csv.QUOTE_NONE,
        strict=True,
    )
    number = 1
    try:
        for cells in reader:
            yield number, [_BREAK.sub(" ", one.strip()) for one in cells]
            number = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{path}, line {number}: is no {'TSV' if tabs else 'CSV'} ({error}); a cell that begins with a quotation "
            "mark must end with one, and those within it are doubled"
        ) from error


def _given(row: Row, column: str, separator: str) -> list[str]:
    return row.get(column, "").split(separator)


def _synonyms(names: Sequence[str], weight: float = SYNONYM) -> tuple[Synonym, ...]:
    return tuple(Synonym(one.strip(), weight) for one in dict.fromkeys(names) if one.strip() not in ("", "-"))
