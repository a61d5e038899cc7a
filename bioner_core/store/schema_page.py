"""docs/schema.md, made from the declared Arrow schemas: `python -m bioner_core.store.schema_page > docs/schema.md`."""

import sys
from collections.abc import Iterator

import pyarrow as pa

from bioner_core.linking.link_table import SCHEMAS_OF_LINKS, SUMMARIES_OF_LINKS
from bioner_core.store.query.query_views import VIEWS
from bioner_core.store.schemas import ROW_GROUP_ROWS, SCHEMA_VERSION, SCHEMAS, SORT_COLUMNS, about
from bioner_core.store.snapshot.snapshot_schemas import FLAT_TABLES, PARTITION_COLUMN, SORTED_TABLES, row_schema

_HEAD = """# Schema

Made from the Arrow schemas by `python -m bioner_core.store.schema_page`; do not edit. Schema version {version}. What
a store promises stands in [store.md](store.md). `null` marks columns that may be empty; `a.b` is a field of a struct,
`a[]` an element of a list. Offsets are Unicode code points into `passages[passage_index].text`, end exclusive.

What a column means, its unit and an example are in the files too, in the metadata of the Arrow field
(`pyarrow.parquet.read_schema(file).field("start").metadata`).

**Two things are called `mentions`.** The *table* `mentions` (the Parquet files) holds every candidate, accepted or not;
the *view* `mentions` of `bioner query` holds those that were accepted. The view of the whole table is `candidates`. In
other tools add `WHERE accepted`.

Every file says in its key-value metadata `bioner.table`, `bioner.schema_version`, `bioner.fingerprint` and
`bioner.software_version`; those of a snapshot also `bioner.snapshot`.
"""

_MEANINGS = {
    "documents": "One row per document version.",
    "mentions": "One row per mention candidate, accepted or not.",
    "rejects": "One row per record or sentence without annotation.",
    "deletions": "One row per withdrawn document.",
    "lineage": "One row per document of the snapshot: the shard and the record of its input that it comes from.",
    "shards": "One row per committed shard, as its manifest has it, with the run that committed it.",
    "runs": "One row per run that ended by itself: of annotation, or of a nightly job or backfill.",
    "entity_years": "Accepted mentions counted by type, year and text in lower case.",
    "nested_entities": "Accepted mentions directly inside accepted ones, counted by types and texts in lower case.",
    "entity_pairs": "Different accepted entities in one sentence, none inside the other, each pair once; copies of an "
    "article count once.",
    "entity_choices": "Entities that the selector turned down at least once, and how often it kept them.",
    "links": "One row per mention and concept that it may mean; a mention without a concept has one row too.",
    "abbreviations": "One row per definition of an abbreviation in a document.",
    "concepts": "The concepts that accepted mentions mean, and how often.",
    "concept_names": "The texts of these mentions, counted by concept, language and type.",
    "concept_years": "The documents of a concept, counted by year.",
    "concept_documents": "The documents that have a concept, with the place of its surest mention.",
    "concept_neighbours": "Concepts in one sentence, none inside the other, seen from each of the two.",
}

_OF_LINKS = SCHEMAS_OF_LINKS | SUMMARIES_OF_LINKS


def schema_page() -> str:
    """The text of docs/schema.md."""
    return "\n".join([_HEAD.format(version=SCHEMA_VERSION), *_tables(), *_views()])


def _tables() -> Iterator[str]:
    for table in (*SORTED_TABLES, *FLAT_TABLES, *_OF_LINKS):
        yield f"## {table}\n"
        yield f"{_MEANINGS[table]} {_place(table)}\n"
        yield "| column | type | | meaning | unit | example |\n| --- | --- | --- | --- | --- | --- |"
        fields = (one for field in _schema(table) for one in _fields(field.name, field))
        yield from (_line(path, field) for path, field in fields)
        yield ""


def _place(table: str) -> str:
    if table in SCHEMAS_OF_LINKS:
        return "Made by `bioner link`, in the order of the documents."
    if table in SUMMARIES_OF_LINKS:
        return "Made after `bioner link` of a snapshot, sorted by `concept_id`; a view counts where there is no file."
    if table in FLAT_TABLES:
        return "Only in snapshots."
    if table not in SCHEMAS:
        return f"Only in snapshots, cut by `{PARTITION_COLUMN}`, sorted by `doc_id`, `version`."
    order = ", ".join(f"`{column}`" for column in SORT_COLUMNS[table])
    in_folder = f" In a snapshot `{PARTITION_COLUMN}` is in the name of the folder, not in the file."
    return f"Sorted by {order}; row groups of {ROW_GROUP_ROWS[table]:,} rows at most.{in_folder}"


def _line(path: str, field: pa.Field) -> str:
    meaning, unit, example = about(field)
    kind = "list" if pa.types.is_list(field.type) else "struct" if pa.types.is_struct(field.type) else str(field.type)
    shown = f"`{example}`" if example else ""
    return f"| `{path}` | {kind} | {'null' if field.nullable else ''} | {meaning} | {unit} | {shown} |"


def _schema(table: str) -> pa.Schema:
    return _OF_LINKS[table] if table in _OF_LINKS else row_schema(table)


def _fields(path: str, field: pa.Field) -> Iterator[tuple[str, pa.Field]]:
    yield path, field
    kind = field.type
    if pa.types.is_list(kind):
        yield from _fields(f"{path}[]", kind.value_field)
    elif pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            inner = kind.field(number)
            yield from _fields(f"{path}.{inner.name}", inner)


def _views() -> Iterator[str]:
    yield "## Views of `bioner query`\n"
    yield "| view | what it holds |\n| --- | --- |"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in VIEWS.items())
    yield ""


if __name__ == "__main__":
    sys.stdout.write(schema_page())
