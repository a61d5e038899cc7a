"""How long pages of `bioner serve` take on a large store: `python -m devtools.bench_site --documents N --store DIR`.

The store is made by `devtools.synthetic_store`, compacted, and linked to an invented vocabulary with a concept for each
text, unless that was done before. Each page is asked twice over the application itself, without a network between.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from starlette.testclient import TestClient

from bioner_core.errors import EXIT_FAILED, BionerError, StoreError
from bioner_core.linking.link_table import LinkPage, current_links, link_writer, make_current
from bioner_core.linking.linker import ConceptLink
from bioner_core.site.app import make_app
from bioner_core.site.guard import loopback_access
from bioner_core.site.pages import SiteSettings
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.query.link_summaries import make_link_summaries
from bioner_core.store.snapshot.snapshot_reading import Snapshot, open_snapshot
from devtools.synthetic_store import Scale, make_synthetic_store
from jobs.terminal.console import say, say_error
from pipelines.watch.run_history import run_history

_PORT = 8999
_MEMORY = 2 * 1024**3
_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class PageTime:
    """Seconds of one page, asked for the first time and again, in all and of processors, and its size in bytes."""

    page: str
    first_s: float
    again_s: float
    first_cpu_s: float
    again_cpu_s: float
    size: int


@dataclass(frozen=True, slots=True)
class SiteBench:
    """What was served, how long its parts took to make (0 where they were there), its opening, and its pages."""

    documents: int
    mentions: int
    make_s: float
    compact_s: float
    link_s: float
    counts_s: float
    open_s: float
    pages: list[PageTime]


def bench_site(store: Store, scale: Scale) -> SiteBench:
    """Make the store unless it is there, and time its pages.

    Raises:
        BionerError: the store cannot be made or read.
    """
    steps = [time.monotonic()]
    if not store.manifests.is_dir():
        make_synthetic_store(store, scale)
    steps.append(time.monotonic())
    subprocess.run([sys.executable, "-m", "jobs.main", "compact", "--store", str(store)], check=True)  # noqa: S603
    steps.append(time.monotonic())
    snapshot = open_snapshot(store)
    if snapshot is None:
        raise StoreError(f"{store}: there is no snapshot after a compaction")
    with StoreLock(store, purpose="bench_site"):
        if current_links(store) is None:
            _invent_links(store, snapshot)
        steps.append(time.monotonic())
        make_link_summaries(store, check=lambda: None)
    steps.append(time.monotonic())
    made, compacted, linked, counted = (round(after - before, 1) for before, after in pairwise(steps))
    say(f"the store is ready: {made} s to make, {compacted} s to compact, {linked} s to link, {counted} s to count")
    browser, opened = _opened(store)
    pages = list(_page_times(browser, snapshot))
    documents, mentions = snapshot.manifest.documents, snapshot.manifest.mentions
    return SiteBench(documents, mentions, made, compacted, linked, counted, opened, pages)


def concept_of(text: str) -> str:
    """The invented concept of a text."""
    return f"INVENTED:{hashlib.sha256(text.lower().encode()).hexdigest()[:8]}"


def _invent_links(store: Store, snapshot: Snapshot) -> None:
    run = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-invented"
    known: dict[str, list[ConceptLink]] = {}
    mentions = 0
    with link_writer(store, run, fingerprint="invented") as writer:
        for batch in snapshot.batches("mentions"):
            columns = (batch.column(name).to_pylist() for name in ("doc_id", "mention_id", "text", "accepted"))
            for doc_id, mention_id, text, accepted in zip(*columns, strict=True):
                if accepted:
                    link = ConceptLink("invented", "1", concept_of(text), text, "exact", 0.9, 1)
                    writer.add_links(doc_id, mention_id, links=known.setdefault(text, [link]))
                    mentions += 1
    origin = f"snapshot:{snapshot.manifest.snapshot_id}"
    created = datetime.now(UTC).isoformat(timespec="seconds")
    documents = snapshot.manifest.documents
    make_current(store, LinkPage(run, origin, "invented", {"invented": "1"}, documents, mentions, mentions, created))


def _opened(store: Store) -> tuple[TestClient, float]:
    """The site, and how many seconds it took to open the store."""
    access = loopback_access(_PORT)
    started = time.monotonic()
    app = make_app(SiteSettings(store, memory_bytes=_MEMORY, seconds=_SECONDS), access, history=run_history)
    seconds = round(time.monotonic() - started, 2)
    say(f"the site has opened the store after {seconds} s")
    browser = TestClient(app, base_url=f"http://127.0.0.1:{_PORT}")
    browser.cookies.set(access.cookie, access.token)
    return browser, seconds


def _page_times(browser: TestClient, snapshot: Snapshot) -> Iterator[PageTime]:
    for page in _addresses(snapshot):
        (first, first_cpu, size), (again, again_cpu, _) = (_asked(browser, page) for _ in range(2))
        yield PageTime(page, first, again, first_cpu, again_cpu, size)
        say(f"{page}: {first} s, {first_cpu} s of processors; again {again} s, {again_cpu} s")


def _asked(browser: TestClient, page: str) -> tuple[float, float, int]:
    started, at_work = time.monotonic(), time.process_time()
    answer = browser.get(page)
    if answer.status_code != 200:
        raise StoreError(f"{page}: {answer.status_code}: {answer.text[-300:]}")
    return round(time.monotonic() - started, 2), round(time.process_time() - at_work, 2), len(answer.content)


def _addresses(snapshot: Snapshot) -> list[str]:
    """One page of each kind; one concept is in nearly every document and one in few, `zzzz` is in no text."""
    files = [file for file in snapshot.manifest.files if file.table == "mentions"]
    document = files[len(files) // 2].first_doc_id
    number = document.partition(":")[2]
    common, rare = concept_of("ro"), concept_of("rotensul")
    return [
        "/",
        f"/document?id={document}",
        f"/documents?id={number}",
        "/documents?year=2020",
        "/documents?journal=invented",
        "/documents?type=disease",
        "/documents?type=disease&year=2020&page=40",
        f"/documents?concept={common}",
        f"/documents?concept={rare}",
        "/documents?text=patients",
        "/documents?text=zzzz",
        f"/concept?id={common}",
        f"/concept?id={rare}",
        "/answer?name=top_entities",
        f"/answer?name=concept_pairs&concept={common}",
        "/questions",
        "/runs",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench and print one JSON object; returns the exit code."""
    parser = argparse.ArgumentParser(description="Time the pages of a synthetic store.")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--mentions", type=int, default=2_000_000)
    parser.add_argument("--store", type=Path, help="keep the store here; else it is made in a temporary folder")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(options.store or Path(folder) / "store")
            found = bench_site(store, Scale(documents=options.documents, mentions=options.mentions))
    except (BionerError, subprocess.CalledProcessError) as error:
        say_error(str(error))
        return EXIT_FAILED
    print(json.dumps(asdict(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
