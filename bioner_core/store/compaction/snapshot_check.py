"""Does a snapshot hold exactly what went into it? Asked of its files before anybody sees it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from bioner_core.errors import StoreError
from bioner_core.store.bounded_database import bounded_database
from bioner_core.store.snapshot.snapshot_manifest import SnapshotFile

_MENTIONS = """
SELECT count(*), coalesce(sum(accepted::INT), 0), coalesce(sum(start + "end"), 0)
FROM read_parquet($files, hive_partitioning = false)
"""
_ORPHANS = """
SELECT count(*) FROM (SELECT DISTINCT doc_id, doc_version FROM read_parquet($mentions, hive_partitioning = false)) AS m
WHERE NOT EXISTS (
    SELECT 1 FROM read_parquet($documents, hive_partitioning = false) AS d
    WHERE d.doc_id = m.doc_id AND d.version = m.doc_version
)
"""
_DOUBLES = "SELECT count(*) - count(DISTINCT (doc_id, version)) FROM read_parquet($files, hive_partitioning = false)"


@dataclass(slots=True)
class SnapshotTally:
    """What went into a snapshot: `newest` records of the store, rows per table, and sums over the mentions."""

    newest: int = 0
    accepted: int = 0
    offsets: int = 0
    rows: Counter[str] = field(default_factory=Counter)

    def counting(self, table: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass batches on, and count them."""
        for batch in batches:
            self.rows[table] += batch.num_rows
            if table == "mentions" and batch.num_rows:
                self.accepted += batch.column("accepted").true_count
                self.offsets += pc.sum(batch.column("start")).as_py() + pc.sum(batch.column("end")).as_py()
            yield batch


def check_snapshot_rows(
    folder: Path, files: Sequence[SnapshotFile], *, tally: SnapshotTally, memory_bytes: int
) -> None:
    """Read the keys of what was written and compare them with what went in.

    Raises:
        StoreError: rows are lost, doubled or without their document; nothing was shown to anybody.
    """
    paths = {
        table: [str(folder / one.path) for one in files if one.table == table] for table in ("documents", "mentions")
    }
    faults = []
    written = Counter({table: sum(one.rows for one in files if one.table == table) for table in tally.rows})
    if written != tally.rows:
        faults.append(f"rows {dict(written)} were written of {dict(tally.rows)}")
    if not tally.newest == tally.rows["documents"] == tally.rows["lineage"]:
        faults.append(f"{tally.rows['documents']} of {tally.newest} newest documents were found")
    with bounded_database(memory_bytes, folder / "sorting") as database:
        try:
            faults += _mention_faults(database, paths, tally)
        except duckdb.Error as error:
            raise StoreError(f"{folder}: what was written cannot be read ({error}). Nothing was changed") from error
    if faults:
        raise StoreError(f"{folder}: is not what went in: {'; '.join(faults)}. Nothing was changed")


def _mention_faults(
    database: duckdb.DuckDBPyConnection, paths: dict[str, list[str]], tally: SnapshotTally
) -> Iterator[str]:
    if paths["documents"]:
        [[doubles]] = database.execute(_DOUBLES, {"files": paths["documents"]}).fetchall()
        if doubles:
            yield f"{doubles} documents are there twice"
    if not paths["mentions"]:
        return
    [found] = database.execute(_MENTIONS, {"files": paths["mentions"]}).fetchall()
    if found != (tally.rows["mentions"], tally.accepted, tally.offsets):
        yield f"the sums of the mentions are {found}"
    if not paths["documents"]:
        yield "there are mentions and no documents"
        return
    [[orphans]] = database.execute(
        _ORPHANS, {"mentions": paths["mentions"], "documents": paths["documents"]}
    ).fetchall()
    if orphans:
        yield f"the mentions of {orphans} documents have no document"
