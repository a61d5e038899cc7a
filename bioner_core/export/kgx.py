"""A knowledge graph as KGX or Neo4j has it: `nodes` and `edges`, in a folder.

For KGX each is TSV and Parquet; for Neo4j each is a CSV file with the header that `neo4j-admin` wants: ids, labels and
types of values.

Documents, mentions and surface entities are nodes; see `kgx_tables` for the edges. The rows are gathered in a database
on disk, so memory stays bounded; equal stores give equal files.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from bioner_core.errors import StoreError
from bioner_core.export.kgx_rows import gather_rows
from bioner_core.export.kgx_tables import EXACT_SUM, GRAPH, GraphTable
from bioner_core.export.output import new_folder
from bioner_core.export.provenance import Provenance, Tally
from bioner_core.store.bounded_database import bounded_database
from bioner_core.store.document_mentions import DocumentMentions

MEMORY_LIMIT = "1GB"
"""What the database may hold in memory; it puts the rest on disk, beside the output."""


def export_kgx(documents: Iterable[DocumentMentions], output: Path, *, provenance: Provenance, tally: Tally) -> None:
    """Write the four files of KGX.

    Raises:
        ConfigurationError: `output` is there and not an empty folder.
        StoreError: it cannot be written.
    """
    with _graph(documents, output, tally) as (database, folder):
        for name, table in GRAPH.items():
            _write(database, name, table, path=folder / name, provided_by=f"bioner {provenance.origin}")


def export_neo4j(documents: Iterable[DocumentMentions], output: Path, *, provenance: Provenance, tally: Tally) -> None:
    """Write `nodes.csv`, `edges.csv` and `import.txt`, the command that makes a database of them.

    Raises:
        ConfigurationError: `output` is there and not an empty folder.
        StoreError: it cannot be written.
    """
    with _graph(documents, output, tally) as (database, folder):
        for name, table in GRAPH.items():
            columns = ", ".join(neo4j_columns(name, table))
            path = _literal(folder / f"{name}.csv")
            database.execute(
                f"COPY (SELECT {columns} FROM {name}) TO {path} ({_CSV})",  # noqa: S608 - names of our own
                {"by": f"bioner {provenance.origin}"},
            )
        (folder / "import.txt").write_text(f"{IMPORT_COMMAND}\n", encoding="utf-8")


@contextmanager
def _graph(
    documents: Iterable[DocumentMentions], output: Path, tally: Tally
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A database with the tables of the graph, and the folder that becomes `output` when the block ends."""
    with new_folder(output) as folder, _database(output) as database:
        try:
            gather_rows(database, documents)
            for name, table in GRAPH.items():
                tally.details |= _fill(database, name, table)
            yield database, folder
        except (duckdb.Error, OSError) as error:
            raise StoreError(f"{output}: cannot be written ({error}). Free some space, then export again") from error


@contextmanager
def _database(output: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with (
        TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as scratch,
        bounded_database(MEMORY_LIMIT, scratch, file=Path(scratch) / "graph.duckdb") as database,
    ):
        database.execute(EXACT_SUM)
        yield database


def _fill(database: duckdb.DuckDBPyConnection, name: str, table: GraphTable) -> dict[str, int]:
    """Gather a table of the graph; returns how many rows there are of each kind."""
    columns = ", ".join(f'"{column}" {kind}' for column, kind in table.stored.items())
    database.execute(f"CREATE TABLE {name} ({columns})")
    counts = {}
    for kind, question in table.questions.items():
        [row] = database.execute(f"INSERT INTO {name} BY NAME {question}").fetchall()
        counts[f"{name}_{kind}"] = int(row[0])
    return counts


def _write(database: duckdb.DuckDBPyConnection, name: str, table: GraphTable, *, path: Path, provided_by: str) -> None:
    said = table.said | {column: f'"{column}"' for column in table.stored if column not in _INNER}
    cells = {column: f'{_FREE_TEXT.get(column, expression)} AS "{column}"' for column, expression in said.items()}
    columns = (f'{expression} AS "{column}"' for column, expression in said.items())
    for suffix, selected, options in ((".parquet", columns, _PARQUET), (".tsv", cells.values(), _TSV)):
        database.execute(
            f"COPY (SELECT {', '.join(selected)} FROM {name}) TO {_literal(path.with_suffix(suffix))} ({options})",  # noqa: S608 - names of our own
            {"by": provided_by},
        )


"""Columns that only others are made of."""

_PARQUET = "FORMAT parquet, COMPRESSION zstd"
_CSV = "FORMAT csv, HEADER, FORCE_QUOTE *"
_TSV = "FORMAT csv, DELIMITER '\t', QUOTE '', ESCAPE '', HEADER"


def _free_text(column: str, bar: str = "¦") -> str:
    # KGX's TSV has no quotes, and takes `|` for what stands between the values of a list
    signs = "concat('|', chr(9), chr(10), chr(13), chr(11), chr(12))"
    return f"""translate("{column}", {signs}, '{bar}     ')"""


_WORDS = (
    "supporting_text",
    "name",
    "source",
    "lang",
    "journal",
    "year",
    "input_file",
    "type",
    "label_set",
    "normal_form",
    "section",
)
_FREE_TEXT = {column: _free_text(column) for column in _WORDS} | {"xref": _free_text("xref", "|")}
"""Columns that a dump or a label set has a say in; all others hold CURIEs, numbers and names of ours."""


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


IMPORT_COMMAND = (
    "neo4j-admin database import full --nodes=nodes.csv --relationships=edges.csv --array-delimiter=';' "
    "--multiline-fields=true neo4j"
)
"""Run in the exported folder; labels are Biolink classes, types of relationships its predicates."""

_IDS = {
    "nodes": {"id": "id:ID", "category": ":LABEL"},
    "edges": {"subject": ":START_ID", "object": ":END_ID", "predicate": ":TYPE"},
}
_TYPES = {"BIGINT": "long", "INTEGER": "int", "DOUBLE": "double", "BOOLEAN": "boolean"}
_LISTS = {"publications": "string", "xref": "string", "subject_location_in_text": "int"}
_LISTS["object_location_in_text"] = "int"
_INNER = ("relation", "slot")
_BIOLINK = "biolink:"


def neo4j_columns(name: str, table: GraphTable) -> Iterator[str]:
    """Expressions for the columns of a table of the graph, each under the header that the import reads."""
    said = table.said | {column: f'"{column}"' for column in table.stored if column not in _INNER}
    for column, expression in said.items():
        header = _IDS[name].get(column)
        if column in ("category", "predicate"):
            # the categories of edges are all one, and no label
            expression = f"replace({expression}, '{_BIOLINK}', '')"
        if column in _LISTS:
            expression, header = f"replace({expression}, '|', ';')", f"{column}:{_LISTS[column]}[]"
        kind = _TYPES.get(table.stored.get(column, ""))
        header = header or (f"{column}:{kind}" if kind else column)
        yield f'{expression} AS "{header}"'
