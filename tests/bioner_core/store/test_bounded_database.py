"""DuckDB within its limits: what does not fit goes where it is told, and nowhere else."""

from pathlib import Path

import duckdb
import pytest

from bioner_core.store.bounded_database import bounded_database

_ROWS = "CREATE TABLE wide AS SELECT range AS n, repeat(md5(range::VARCHAR), 30) AS word FROM range(100000)"


def settings_of(database: duckdb.DuckDBPyConnection) -> tuple[str, str]:
    """The limit of a database's memory, and where the rest goes."""
    [found] = database.execute("SELECT current_setting('memory_limit'), current_setting('temp_directory')").fetchall()
    return str(found[0]), str(found[1])


@pytest.mark.parametrize("memory", [64_000_000, "64MB"])
def test_what_does_not_fit_goes_into_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int | str
) -> None:
    """Catches a limit that is not set, and sorts that land in the working folder of whoever runs the command."""
    for name in ("here", "spill"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with bounded_database(memory, tmp_path / "spill") as database:
        assert settings_of(database) == ("61.0 MiB", str(tmp_path / "spill"))
        database.execute("SET preserve_insertion_order = false")
        database.execute(_ROWS)  # some 100 MB
        assert database.execute("SELECT count(*) FROM wide").fetchall() == [(100000,)]
        assert list((tmp_path / "spill").iterdir()) != []
    assert list((tmp_path / "here").iterdir()) == []


def test_tables_may_be_kept_in_a_file(tmp_path: Path) -> None:
    """Catches a graph that is built in memory although it was given a file."""
    with bounded_database("64MB", tmp_path, file=tmp_path / "graph.duckdb") as database:
        database.execute("CREATE TABLE kept AS SELECT 1 AS n")
    with duckdb.connect(str(tmp_path / "graph.duckdb")) as database:
        assert database.execute("SELECT n FROM kept").fetchall() == [(1,)]
