"""`bioner status --watch` beside a job."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import word_store
from rich.console import Console

from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.manifest import Counts
from jobs.terminal.status_view import MAX_ACTORS, line, page
from pipelines.watch.live_note import LiveActor
from pipelines.watch.store_watch import StoreView

REPOSITORY = Path(__file__).resolve().parents[3]


def a_view(**values: object) -> StoreView:
    """A view of a store with a job at work."""
    fixed: dict[str, object] = {
        "time": "2026-01-02T03:04:05+00:00",
        "jobs": ("bioner annotate, run ab, process 1 on host",),
        "shards_committed": 3,
        "shards_pending": 2,
        "records_pending": 400,
        "counts": Counts(records_in=600, annotated=590, unchanged=5, rejected=5, mentions=9000, mentions_accepted=8000),
        "reject_reasons": {"no_text": 5},
        "documents_per_second": 2.5,
        "records_per_second": 2.6,
        "seconds_left": 153.8,
        "actors": (LiveActor("a", "busy", 1.5, 10.0, 0.987), LiveActor("b", "idle", 0.0, 1.0, 0.1)),
    }
    return StoreView(**fixed | values)  # type: ignore[arg-type]


def shown(view: StoreView) -> str:
    """The page of a view as text."""
    console = Console(width=120, file=open(os.devnull, "w"), record=True)  # noqa: SIM115
    console.print(page(view))
    return console.export_text()


def test_a_view_has_all_that_a_person_asks_for() -> None:
    """Catches a fact that is missing on the page or in the line."""
    assert line(a_view()) == (
        "2026-01-02T03:04:05+00:00  3 shards, 2 pending  595 documents, 2.5/s  9000 mentions  5 rejects  "
        "1 of 2 actors busy  about 0:02:34 left"
    )
    text = shown(a_view())
    for words in ("bioner annotate", "3 committed, 2 pending", "595, 2.5/s", "5 no_text", "98.7%", "0:02:34 left"):
        assert words in text


def test_actors_that_ray_ended_for_memory_are_shown() -> None:
    """Catches an hour of slowness without a reason on the page or in the line."""
    assert "2 actor processes ended for memory" in line(a_view(memory_kills=2))
    assert "smaller --memory-cap" in shown(a_view(memory_kills=2))


def test_many_actors_do_not_fill_the_terminal() -> None:
    """Catches a page of 256 lines."""
    actors = tuple(LiveActor(f"actor-{n}", "busy", 1.0, 1.0, 0.5) for n in range(256))
    text = shown(a_view(actors=actors))
    assert text.count("actor-") == MAX_ACTORS
    assert "and 240 more, 240 of them busy" in text


def test_a_store_at_rest_is_shown_once(bioner: Command, tmp_path: Path) -> None:
    """Catches a watch that never ends, or that mixes words into JSON lines."""
    store = word_store(tmp_path)
    done = bioner("status", "--store", store, "--watch")
    assert (done.code, done.out.count("\n")) == (0, 1)
    assert "no job is at work" in done.out
    done = bioner("status", "--store", store, "--watch", "--json")
    found = json.loads(done.out)
    assert (done.code, found["shards_committed"], found["jobs"], found["annotated"]) == (0, 2, [], 4)


def test_json_is_a_line_each_time_until_the_job_is_done(bioner: Command, tmp_path: Path) -> None:
    """Catches a watch that stops while a job runs, or goes on after its end."""
    store = word_store(tmp_path)
    lock = StoreLock(Store(store), purpose="bioner annotate")
    lock.__enter__()
    threading.Timer(1.0, lock.__exit__, (None, None, None)).start()
    done = bioner("status", "--store", store, "--watch", "--json", "--interval", "0.1")
    views = [json.loads(one) for one in done.out.splitlines()]
    assert done.code == 0
    assert len(views) > 2
    assert [bool(view["jobs"]) for view in views] == [True] * (len(views) - 1) + [False]


@pytest.mark.slow
@pytest.mark.parametrize("terminal", [True, False])
def test_ctrl_c_ends_the_watch_in_order(tmp_path: Path, terminal: bool) -> None:
    """Catches a stack trace, a wrong exit code, or a terminal that is left without its cursor."""
    store = word_store(tmp_path)
    words = [sys.executable, "-m", "jobs.main", "status", "--store", str(store), "--watch", "--interval", "0.1"]
    reader, writer = pty.openpty() if terminal else os.pipe()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    with StoreLock(Store(store), purpose="bioner annotate"):
        process = subprocess.Popen(words, cwd=REPOSITORY, env=environment, stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        try:
            seen = b""
            while seen.count(b"documents") < 3:
                seen += os.read(reader, 65536)
            process.send_signal(signal.SIGINT)
            while True:
                try:
                    more = os.read(reader, 65536)
                except OSError:  # what a terminal says when the other side has gone
                    break
                if not more:
                    break
                seen += more
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    os.close(reader)
    assert process.returncode == 130
    assert b"Traceback" not in seen + err
    if terminal:
        assert seen.rindex(b"\x1b[?25h") > seen.rindex(b"\x1b[?25l")
