"""What a large store costs to compact, to query and to export: `python -m devtools.bench_store --documents N`.

The store is made by `devtools.synthetic_store` unless it is there. Compaction runs in a process of its own, whose
highest memory is read when it ends; with `--exports` each format is exported in one of its own. Bytes read are those
of the kernel's read calls, page cache or not (Linux only).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bioner_core.errors import EXIT_FAILED, BionerError, StoreError
from bioner_core.export.export import FORMATS
from bioner_core.store.layout import Store
from bioner_core.store.query.named_queries import named_queries
from bioner_core.store.query.query_session import QuerySession, query_session
from bioner_core.store.snapshot.snapshot_reading import Snapshot, open_snapshot
from devtools.synthetic_store import Scale, make_synthetic_store
from jobs.terminal.console import say_error

_QUERY_MEMORY = 1024**3
_THREADS = 2
_MEBIBYTE = 1024**2
_ONE_DOCUMENT = "SELECT * FROM candidates WHERE doc_id = $doc_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreBench:
    """Seconds, mebibytes, and shares of the bytes of the tables that were asked."""

    documents: int
    mentions: int
    make_s: float
    compact_s: float
    compact_peak_mib: float
    snapshot_mib: float
    files: int
    reader_share_of_one_document: float
    query_share_of_one_document: float
    open_session_s: float
    named_queries_s: dict[str, float]
    export_mentions_a_second: dict[str, int]


def bench_store(store: Store, scale: Scale, *, memory: str, exports: bool = False) -> StoreBench:
    """Make a store unless it is there, compact it, ask every named query once, and export it in every format.

    Raises:
        BionerError: the store cannot be made, compacted or queried.
    """
    started = time.monotonic()
    if not store.manifests.is_dir():
        make_synthetic_store(store, scale)
    made = time.monotonic()
    words = ["compact", "--store", str(store), "--memory", memory]
    subprocess.run([sys.executable, "-m", "jobs.main", *words], check=True)  # noqa: S603
    compacted = time.monotonic()
    compact_peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    snapshot = open_snapshot(store)
    if snapshot is None:
        raise StoreError(f"{store}: there is no snapshot after a compaction")
    document = _some_document(snapshot)
    by_reader = _bytes_read_by(lambda: snapshot.mentions_of(document))
    opening = time.monotonic()
    with query_session(store, memory_bytes=_QUERY_MEMORY, threads=_THREADS) as session:
        opened = time.monotonic() - opening
        by_query = _bytes_read_by(lambda: session.ask(_ONE_DOCUMENT, {"doc_id": document}).read_all())
        seconds = _seconds_of_named_queries(session, snapshot.mentions_of(document)[0].mention_id)
    mention_bytes = sum(file.bytes for file in snapshot.manifest.files if file.table == "mentions")
    return StoreBench(
        documents=snapshot.manifest.documents,
        mentions=snapshot.manifest.mentions,
        make_s=round(made - started, 1),
        compact_s=round(compacted - made, 1),
        compact_peak_mib=round(compact_peak / 1024, 1),
        snapshot_mib=round(sum(file.bytes for file in snapshot.manifest.files) / _MEBIBYTE, 1),
        files=len(snapshot.manifest.files),
        reader_share_of_one_document=round(by_reader / mention_bytes, 5),
        query_share_of_one_document=round(by_query / mention_bytes, 5),
        open_session_s=round(opened, 2),
        named_queries_s=seconds,
        export_mentions_a_second=_export_speeds(store) if exports else {},
    )


def _export_speeds(store: Store) -> dict[str, int]:
    """Mentions per second of each format, from the start of the command to its end."""
    speeds = {}
    for name in FORMATS:
        with tempfile.TemporaryDirectory(dir=store.folder.parent) as folder:
            output = Path(folder) / "export"
            words = ["export", "--store", str(store), "--format", name, "--output", str(output), "--quiet", "--json"]
            started = time.monotonic()
            done = subprocess.run([sys.executable, "-m", "jobs.main", *words], check=True, stdout=subprocess.PIPE)  # noqa: S603
            speeds[name] = round(json.loads(done.stdout)["mentions"] / (time.monotonic() - started))
    return speeds


def _seconds_of_named_queries(session: QuerySession, mention_id: str) -> dict[str, float]:
    given = {"mention": mention_id, "since": "2000-01-01", "concept": "MESH:D003924", "heading": "D003924"}
    seconds = {}
    for query in named_queries():
        known = {one.name for one in query.parameters}
        values = query.bound({name: value for name, value in given.items() if name in known})
        started = time.monotonic()
        session.ask(query.sql, values).read_all()
        seconds[query.name] = round(time.monotonic() - started, 2)
    return seconds


def _some_document(snapshot: Snapshot) -> str:
    """The first document of the middle one of the files, which lies at the edge of a row group: the usual case."""
    files = [file for file in snapshot.manifest.files if file.table == "mentions"]
    return files[len(files) // 2].first_doc_id


def _bytes_read_by(work: Callable[[], object]) -> int:
    """What `work` reads when it is done a second time; the first time also loads code."""
    work()
    before = _bytes_read()
    work()
    return _bytes_read() - before


def _bytes_read() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("rchar:")).split()[1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench and print one JSON object; returns the exit code."""
    parser = argparse.ArgumentParser(description="Compact and query a synthetic store.")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--mentions", type=int, default=2_000_000)
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--exports", action="store_true", help="also export the store in every format")
    parser.add_argument("--store", type=Path, help="keep the store here; else it is made in a temporary folder")
    options = parser.parse_args(arguments)
    scale = Scale(
        documents=options.documents,
        mentions=options.mentions,
        updated=options.documents // 50,
        deleted=options.documents // 500,
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = bench_store(
                Store(options.store or Path(folder) / "store"), scale, memory=options.memory, exports=options.exports
            )
    except (BionerError, subprocess.CalledProcessError) as error:
        say_error(str(error))
        return EXIT_FAILED
    print(json.dumps(asdict(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
