"""How the graph's tables are named for `neo4j-admin database import`: headers with ids, labels, types of values."""

from collections.abc import Iterator

from bioner_core.export.kgx_tables import GraphTable

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
