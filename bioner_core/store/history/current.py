"""Which records are the newest state of a store: for each article its newest record, unless that is a deletion.

Of one article and version the newest record wins (`input_order`); a deletion withdraws the version that it names; of
the versions that are left the highest is shown. A record of an export that lacks the strongest key of its article (no
link, no DOI) belongs to the one article that has its key among the weaker ones.

Exports are made by hand, and a later one may hold less: a list of titles alone, after titles with abstracts. So of the
records of an export's article the one with the most text counts, the newest of those that have as much: text is never
replaced by less, and which file was read first does not matter. Where an index has stable ids, as PubMed, a shorter
record is a correction, and the newest counts.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import duckdb
import pyarrow as pa

from bioner_core.errors import StoreError
from bioner_core.store.bounded_database import bounded_database
from bioner_core.store.history.document_index import EXPORT_SOURCES, manifests_by_input, refresh_index
from bioner_core.store.history.input_order import read_input_order
from bioner_core.store.layout import Store
from bioner_core.store.left_behind import scratch_in
from bioner_core.store.manifest import Manifest
from bioner_core.store.paths import scratch_beside
from bioner_core.store.reading import left_out_shards

MEMORY_LIMIT = "1GB"
"""What DuckDB may hold in memory while it finds the newest records; it puts the rest on disk beside the store."""

_MAX_RECORDS = 2**40
"""More than one input can hold: a record's position is its input's place times this, plus its number."""

_RECORDS = """
SELECT {article} AS article, r.other_keys, r.version, r.characters,
       (o.place * {records} + r.record_number) * 2 + r.deleted::BIGINT AS position
FROM read_parquet($files, filename = true, hive_partitioning = false) AS r JOIN inputs AS o ON r.filename = o.file
"""
_EVENTS = "CREATE OR REPLACE TABLE events AS " + _RECORDS
_ALIASES = """
CREATE OR REPLACE TABLE aliases AS
SELECT key, min(article) AS article
FROM (SELECT {key} AS key, article FROM events WHERE len(other_keys) >= {keys})
GROUP BY key HAVING count(DISTINCT article) = 1
"""
_UNITE = "UPDATE events SET article = aliases.article FROM aliases WHERE events.article = aliases.key"
_UNIONS = ({"key": "other_keys[1]", "keys": 2}, {"key": "other_keys[-1]", "keys": 1})
"""First a DOI beside a file name, then what the article is called: each joins weaker records to a stronger one."""

_NEWEST = """
INSERT INTO newest
WITH versions AS (SELECT article, version, max(position) AS position FROM ({records}) GROUP BY article, version)
SELECT max_by(position, version) // 2 FROM versions WHERE position % 2 = 0 GROUP BY article
"""
_RICHEST = """
INSERT INTO newest
WITH standing AS (
    SELECT *, coalesce(max(position) FILTER (position % 2 = 1) OVER (PARTITION BY article, version), -1) AS withdrawn
    FROM events
), versions AS (
    SELECT article, version, max_by(position, (characters, position)) AS position
    FROM standing WHERE position > withdrawn GROUP BY article, version
)
SELECT max_by(position, version) // 2 FROM versions GROUP BY article
"""


@dataclass(frozen=True, slots=True)
class CurrentShard:
    """The records of one committed shard that are the newest of their articles."""

    manifest: Manifest
    record_numbers: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Input:
    source: str
    index: str
    manifests: tuple[Manifest, ...]


def count_current(store: Store, *, source: str, first_year: int | None = None) -> int:
    """How many articles of a source have a newest record; `first_year` as in `read_input_order`.

    Raises:
        StoreError: the store is damaged. A count that lacks a shard would say that a release is incomplete.
    """
    for fault in left_out_shards(store):
        raise StoreError(fault)
    with _scratch(store) as scratch:
        inputs = [one for one in _inputs(store, scratch, first_year=first_year) if one.source == source]
        with _newest_records(store, inputs, scratch) as database:
            [row] = database.execute("SELECT count(*) FROM newest").fetchall()
    return int(row[0])


def current_shards(store: Store) -> Iterator[CurrentShard]:
    """The shards that hold newest records, inputs from the oldest to the newest.

    Memory is bounded by `MEMORY_LIMIT`, the manifests, and the record numbers of one input.

    Raises:
        StoreError: the store is damaged.
    """
    with _scratch(store) as scratch:
        inputs = _inputs(store, scratch)
        with _newest_records(store, inputs, scratch) as database:
            positions = _positions(database.execute("SELECT position FROM newest ORDER BY position"))
            for place, group in groupby(positions, key=lambda position: position // _MAX_RECORDS):
                yield from _shards(inputs[place].manifests, [position % _MAX_RECORDS for position in group])


@contextmanager
def _scratch(store: Store) -> Iterator[Path]:
    """Lend a folder for what is needed for the moment only: in the store, or elsewhere where that may only be read.

    Beside the store's files there is room for an index of them, which a small /tmp may not have; so it comes first.
    """
    with suppress(OSError):
        store.root.mkdir(exist_ok=True)
    with scratch_in(scratch_beside(store.root), prefix=".current-", elsewhere="index") as folder:
        yield folder


def _inputs(store: Store, scratch: Path, *, first_year: int | None = None) -> list[_Input]:
    """The inputs that count, from the oldest to the newest, their document indexes made to fit."""
    # What is shown names the damaged entries itself, and a compaction has read all of them before it comes here.
    input_order = read_input_order(store, first_year=first_year, on_damaged=lambda _: None)
    placed = []
    for key, manifests in manifests_by_input(store):
        place = input_order.place(key, manifests)
        if place is not None:
            index = str(refresh_index(store, key, manifests=manifests, otherwise_in=scratch))
            ordered = tuple(sorted(manifests, key=lambda one: one.first))
            placed.append((place, key, _Input(ordered[0].source, index, ordered)))
    return [one for _, _, one in sorted(placed, key=lambda item: item[:2])]


@contextmanager
def _newest_records(store: Store, inputs: Sequence[_Input], scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend a database whose table `newest` has the position of each article's newest record."""
    with bounded_database(MEMORY_LIMIT, scratch) as database:
        database.execute("SET preserve_insertion_order = false")
        database.execute("CREATE TABLE newest (position BIGINT)")
        try:
            find_newest(database, [(one.source, one.index) for one in inputs])
            yield database
        except duckdb.Error as error:
            raise StoreError(
                f"{store}: its document indexes cannot be read ({error}). Remove the folder register"
            ) from error


def find_newest(database: duckdb.DuckDBPyConnection, indexes: Sequence[tuple[str, str]]) -> None:
    """Fill the table `newest` from (source, document index) pairs, the oldest first.

    Sources share no article. Ids that are stable are compared by a digest of 128 bits, which halves the memory.

    Raises:
        duckdb.Error: a document index is damaged, or the disk is full.
    """
    files = pa.array([index for _, index in indexes], pa.string())
    database.register("inputs", pa.table({"file": files, "place": pa.array(range(len(files)), pa.int64())}))
    exports = [file for source, file in indexes if source in EXPORT_SOURCES]
    others = [file for source, file in indexes if source not in EXPORT_SOURCES]
    if others:
        records = _RECORDS.format(article="md5_number(r.identity)", records=_MAX_RECORDS)
        database.execute(_NEWEST.format(records=records), {"files": others})
    if exports:
        database.execute(_EVENTS.format(article="r.identity", records=_MAX_RECORDS), {"files": exports})
        for union in _UNIONS:
            database.execute(_ALIASES.format(**union))
            database.execute(_UNITE)
        database.execute(_RICHEST)


def _positions(rows: duckdb.DuckDBPyConnection) -> Iterator[int]:
    while batch := rows.fetchmany(10_000):
        yield from (position for (position,) in batch)


def _shards(manifests: Sequence[Manifest], numbers: Sequence[int]) -> Iterator[CurrentShard]:
    """Sort the record numbers of one input, which ascend, into its shards."""
    firsts = [one.first for one in manifests]
    for index, group in groupby(numbers, key=lambda number: bisect_right(firsts, number) - 1):
        yield CurrentShard(manifests[index], frozenset(group))
