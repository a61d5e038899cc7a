"""The Parquet of a snapshot opens in what analysts use, without our code."""

from pathlib import Path

import duckdb
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from store_samples import commit_sample

from bioner_core.store.compaction.compact import CompactionSettings, compact_store
from bioner_core.store.layout import Store
from bioner_core.store.schemas import SCHEMAS
from bioner_core.store.snapshot.snapshot_schemas import view_schema

MENTIONS = {"pubmed:0@1:p1:0-21:genia:protein", "pubmed:0@1:p1:0-4:genia:protein", "pubmed:0@1:p1:5-12:genia:protein"}


ROWS = {"documents": 2, "mentions": 3, "rejects": 1, "deletions": 1}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a snapshot, found as anybody finds it: by the file CURRENT."""
    store = tmp_path_factory.mktemp("store")
    commit_sample(store)
    compact_store(Store(store), CompactionSettings(memory_bytes=256 * 1024**2))
    return store / "snapshots" / (store / "CURRENT").read_text().strip()


@pytest.mark.parametrize("table", SCHEMAS)
def test_every_table_opens_without_arguments(snapshot: Path, table: str) -> None:
    """Catches a table of a snapshot or of shards that one of them cannot read as it lies, or reads in part."""
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    of_shards = snapshot.parent.parent / table
    for folder, names in ((snapshot / table, view_schema(table).names), (of_shards, SCHEMAS[table].names)):
        with duckdb.connect() as database:
            in_duckdb = database.sql(f"FROM '{folder}/**/*.parquet'").pl()
        found = [pq.read_table(folder), pandas.read_parquet(folder), polars.read_parquet(folder), in_duckdb]
        rows = ROWS[table]
        assert [one.shape for one in found] == [(rows, len(names))] * len(found)
        assert all(set(getattr(one, "column_names", one.columns)) == set(names) for one in found)
        assert ds.dataset(folder).count_rows() == rows


def test_pandas_opens_it(snapshot: Path) -> None:
    """Catches folders whose partition clashes with a column, and types that pandas does not know."""
    pandas = pytest.importorskip("pandas")
    mentions = pandas.read_parquet(snapshot / "mentions")
    assert set(mentions["mention_id"]) == MENTIONS
    assert set(mentions["source"]) == {"pubmed"}
    documents = pandas.read_parquet(snapshot / "documents")
    joined = mentions.merge(documents, left_on="doc_id", right_on="doc_id")
    row = joined[joined["start"] == 5].iloc[0]
    passage = row["passages"][row["passage_index"]]["text"]
    assert passage[row["start"] : row["end"]] == row["text"] == "surface"


def test_polars_opens_it(snapshot: Path) -> None:
    """Catches the same for Polars, which reads Parquet by itself."""
    polars = pytest.importorskip("polars")
    mentions = (
        polars.scan_parquet(snapshot / "mentions", hive_partitioning=True).filter(polars.col("accepted")).collect()
    )
    assert set(mentions["mention_id"]) == {one for one in MENTIONS if "5-12" not in one}
    assert set(mentions["source"]) == {"pubmed"}
    documents = polars.read_parquet(snapshot / "documents", hive_partitioning=True)
    assert documents["passages"].list.get(1).struct.field("text").to_list() == ["CD28 surface receptor"] * 2


def test_duckdb_opens_it(snapshot: Path) -> None:
    """Catches files that need our views to be read."""
    with duckdb.connect() as database:
        sql = "SELECT mention_id FROM read_parquet($files) WHERE source = 'pubmed'"
        found = database.execute(sql, {"files": f"{snapshot}/mentions/*/*.parquet"}).fetchall()
    assert {one for (one,) in found} == MENTIONS
