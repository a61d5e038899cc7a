"""Schema version 3: columns with a meaning, nulls for what nobody filled, folders that any reader opens."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from store_samples import commit_sample, descriptor, document, mention

from bioner_core.documents import Correction, Heading
from bioner_core.file_digest import sha256_of_file
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import TABLES, Store
from bioner_core.store.manifest import write_manifest
from bioner_core.store.query.query_session import query_session
from bioner_core.store.reading import table_files
from bioner_core.store.rows import documents_from_arrow, documents_to_arrow, mentions_from_arrow, mentions_to_arrow
from bioner_core.store.schemas import about
from bioner_core.store.snapshot.snapshot_manifest import write_snapshot_manifest
from bioner_core.store.snapshot.snapshot_reading import open_snapshot
from bioner_core.store.snapshot.snapshot_schemas import FLAT_TABLES, SORTED_TABLES, file_schema, row_schema
from tests.stored_rows import document_rows, mention_rows


def _columns(fields: list[pa.Field]) -> Iterator[pa.Field]:
    for field in fields:
        yield field
        kind = field.type
        while pa.types.is_list(kind):
            kind = kind.value_type
        if pa.types.is_struct(kind):
            yield from _columns([kind.field(number) for number in range(kind.num_fields)])


@pytest.mark.parametrize("table", [*SORTED_TABLES, *FLAT_TABLES])
def test_every_column_says_what_it_holds(table: str) -> None:
    """Catches a column that came without its meaning or unit, which analysts then guess."""
    for field in _columns(list(row_schema(table))):
        meaning, unit, _ = about(field)
        assert meaning, field.name
        assert unit, field.name


def test_the_meaning_is_in_the_files(tmp_path: Path) -> None:
    """Catches metadata of fields that the way to the disk loses."""
    commit_sample(tmp_path)
    path = next(iter(table_files(Store(tmp_path), "mentions")))
    assert about(pq.read_schema(path).field("start"))[1] == "code points"
    compact_store(Store(tmp_path))
    snapshot = open_snapshot(Store(tmp_path))
    assert snapshot is not None
    assert about(pq.read_schema(snapshot.paths("mentions")[0]).field("start"))[1] == "code points"


def test_what_nobody_looked_for_is_null_and_not_empty(tmp_path: Path) -> None:
    """Catches `no headings` said of a document whose headings no reader reads, on the way through a snapshot too."""
    commit_sample(tmp_path)
    compact_store(Store(tmp_path))
    snapshot = open_snapshot(Store(tmp_path))
    assert snapshot is not None
    for rows in (list(document_rows(Store(tmp_path))), list(snapshot.documents())):
        assert {(one.meta.headings, one.meta.publication_types, one.meta.corrections) for one in rows} == {
            (None, None, None)
        }
    for found in (list(mention_rows(Store(tmp_path))), list(snapshot.mentions())):
        assert {(one.origin, one.assertion) for one in found} == {(None, None)}


def test_the_new_columns_come_back_as_they_were() -> None:
    """Catches headings, notices or assertions that are lost between values and rows."""
    first = document(0)
    headings = (Heading("mesh", "D1", "Headache", "therapy", True), Heading("mesh", "", "Adult"))
    notices = (Correction("RetractionIn", "J Example. 2020", "pubmed:9"),)
    meta = replace(first.meta, headings=headings, publication_types=("Review",), corrections=notices)
    given = [replace(first, meta=meta), replace(first, meta=replace(meta, headings=(), corrections=None))]
    [batch] = documents_to_arrow(given).to_batches()
    assert list(documents_from_arrow(batch)) == given
    found = [replace(one, origin="repeat", assertion="negated") for one in (mention(0, 0, 4), mention(0, 5, 12))]
    [batch] = mentions_to_arrow(found).to_batches()
    assert list(mentions_from_arrow(batch)) == found
    older = batch.drop_columns(["origin", "assertion"])
    assert list(mentions_from_arrow(older)) == [replace(one, origin=None, assertion=None) for one in found]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a shard."""
    folder = tmp_path_factory.mktemp("store")
    commit_sample(folder)
    return folder


@pytest.mark.parametrize("table", TABLES)
def test_every_table_opens_without_special_arguments(store: Path, table: str) -> None:
    """Catches a folder `source=...` beside a column `source`: pandas and pyarrow then refuse the whole table."""
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    folder = store / table
    paths = [str(path) for path in table_files(Store(store), table)]
    rows = sum(pq.read_metadata(path).num_rows for path in paths)
    assert rows
    for place in (folder, paths):
        assert pq.read_table(place).num_rows == rows
        assert ds.dataset(place).to_table().num_rows == rows
        assert len(pandas.read_parquet(place)) == rows
        assert polars.read_parquet(place).height == rows
    for pattern in (f"{folder}/*/*/*.parquet", paths):
        with duckdb.connect() as database:
            assert len(database.execute("FROM read_parquet($files)", {"files": pattern}).fetchall()) == rows


def test_names_that_begin_with_a_sign_are_read_too(tmp_path: Path) -> None:
    """Catches folders that pyarrow passes over in silence since their names begin with a dot or an underscore."""
    commit_sample(tmp_path, of=replace(descriptor(), source="_drafts"))
    assert pq.read_table(tmp_path / "documents").num_rows


def test_a_store_of_version_2_is_read_queried_and_upgraded(tmp_path: Path) -> None:
    """Catches an older store, or its snapshot, that no query opens since its files lack the new columns."""
    _as_version_2(tmp_path)
    sql = 'SELECT doc_id, text, origin, assertion FROM candidates ORDER BY start, "end"'
    headings = "SELECT meta.headings AS headings, meta.record_number AS record_number FROM documents ORDER BY 2"
    expected = [("pubmed:0", text, None, None) for text in ("CD28", "CD28 surface receptor", "surface")]
    assert verify_store(Store(tmp_path)).sound
    assert [one.origin for one in mention_rows(Store(tmp_path))] == [None] * 3
    for _ in ("shards", "snapshot"):
        with query_session(Store(tmp_path), memory_bytes=2**28) as session:
            assert [tuple(row.values()) for row in session.ask(sql).read_all().to_pylist()] == expected
            assert [row["headings"] for row in session.ask(headings).read_all().to_pylist()] == [None, None]
            [shard] = session.ask("SELECT decode_fingerprint FROM shards").read_all().to_pylist()
            assert shard == {"decode_fingerprint": None}
        compact_store(Store(tmp_path))
    snapshot = open_snapshot(Store(tmp_path))
    assert snapshot is not None
    assert pq.read_schema(snapshot.paths("mentions")[0]).equals(file_schema("mentions"))


def test_a_snapshot_of_version_2_is_queried(tmp_path: Path) -> None:
    """Catches a snapshot that the software of before made, refused until it is compacted again."""
    commit_sample(tmp_path)
    compact_store(Store(tmp_path))
    snapshot = open_snapshot(Store(tmp_path))
    assert snapshot is not None
    for table, names in (("mentions", ["origin", "assertion"]), ("shards", ["decode_fingerprint"])):
        [path] = snapshot.paths(table)
        _without(path, names)
    files = tuple(replace(one, sha256=sha256_of_file(snapshot.folder / one.path)) for one in snapshot.manifest.files)
    write_snapshot_manifest(snapshot.folder, replace(snapshot.manifest, schema_version=2, files=files))
    with query_session(Store(tmp_path), memory_bytes=2**28) as session:
        assert session.ask("SELECT DISTINCT origin FROM mentions").read_all().to_pylist() == [{"origin": None}]
        assert session.ask("SELECT count(*) AS n FROM shards").read_all().to_pylist() == [{"n": 1}]


def _as_version_2(store: Path) -> None:
    """Commit a sample shard, and take from its files what version 2 did not have."""
    manifest = commit_sample(store)
    for file in manifest.files:
        _without(store / file.path, ["origin", "assertion", "headings", "publication_types", "corrections"])
    files = tuple(
        replace(one, sha256=sha256_of_file(store / one.path), bytes=(store / one.path).stat().st_size)
        for one in manifest.files
    )
    write_manifest(Store(store), replace(manifest, schema_version=2, files=files))


def _without(path: Path, names: list[str]) -> None:
    table = pq.read_table(path, partitioning=None)
    if "meta" in table.schema.names:
        meta = table.column("meta").combine_chunks()
        kept = [field for field in meta.type if field.name not in names]
        older = pa.StructArray.from_arrays([meta.field(field.name) for field in kept], fields=kept)
        place = table.schema.get_field_index("meta")
        table = table.set_column(place, pa.field("meta", older.type, nullable=False), older)
    table = table.drop_columns([name for name in names if name in table.schema.names])
    facts = dict(table.schema.metadata) | {b"bioner.schema_version": b"2"}
    pq.write_table(table.replace_schema_metadata(facts), path)
