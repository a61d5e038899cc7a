"""Nightly PubMed jobs over HTTP that go wrong: the state after each, repaired, is compared with an undisturbed run.

In each test the server holds three files, of which the second one fails; `calm` is the state of a night without faults.
"""

import errno
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faulty_server import Fault, FaultyServer
from night_samples import WordAnnotator, companion, newest_mentions, night, publish, release, titles_of

from bioner_core.store import atomic
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.ledger import applied_files
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from pipelines.sync import download

pytestmark = pytest.mark.slow

SECOND = "pubmed26n0002.xml.gz"
FILES = [
    release({pmid: f"Protein {pmid} binds" for pmid in range(1, 11)}),
    release({pmid: f"Gene {pmid * 7919} sleeps near {pmid * 104729}" for pmid in range(1, 301)}, deleted=[7, 999]),
    release({1: "Newest one", 11: "Eleven"}),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FaultyServer]:
    """The three files on loopback."""
    for number, content in enumerate(FILES, start=1):
        publish(tmp_path / "site", f"pubmed26n{number:04d}.xml.gz", content)
    with FaultyServer(tmp_path / "site") as running:
        yield running


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], list[Any]]:
    """Texts and mentions after an undisturbed night."""
    folder = tmp_path_factory.mktemp("calm")
    for number, content in enumerate(FILES, start=1):
        publish(folder / "in", f"pubmed26n{number:04d}.xml.gz", content)
    assert night(folder / "s", folder / "in", annotator=annotator(folder / "s")).exit_code() == 0
    return titles_of(folder / "s"), newest_mentions(folder / "s")


def annotator(store: Path) -> WordAnnotator:
    """Shards of two hundred records: the second file has two."""
    return WordAnnotator(store, shard_records=200)


def state_of(store: Path) -> tuple[dict[str, str], list[Any]]:
    """What a night must come to, whatever happened on the way."""
    assert verify_store(Store(store)).sound
    return titles_of(store), newest_mentions(store)


def applied_names(store: Path) -> list[str]:
    """The files in the ledger."""
    return [entry.name for entry in applied_files(Store(store), "pubmed")]


def check_stopped_at_second(store: Path, server: FaultyServer, calm: object, *, says: str) -> None:
    """A night that stops at the second file: the first is applied, nothing of the others; the next repairs all."""
    report = night(store, server.url, annotator=annotator(store))
    assert (report.exit_code(), len(report.applied), report.pending) == (1, 1, 2)
    assert says in report.failures[0]
    assert applied_names(store) == ["pubmed26n0001.xml.gz"]
    assert {manifest.input_file.rpartition("/")[2] for manifest in read_manifests(Store(store))} == {
        "pubmed26n0001.xml.gz"
    }
    assert len(titles_of(store)) == 10
    server.faults.clear()
    assert night(store, server.url, annotator=annotator(store)).exit_code() == 0
    assert state_of(store) == calm


def test_a_slow_server_is_waited_for(tmp_path: Path, server: FaultyServer, calm: object) -> None:
    """Would catch a limit on the whole download instead of on silence."""
    server.faults[SECOND] = [Fault(pause=0.2)]
    assert night(tmp_path / "s", server.url).exit_code() == 0
    assert state_of(tmp_path / "s") == calm
    assert server.downloads_of(SECOND) == [""]


def test_a_download_that_breaks_off_goes_on_where_it_was(tmp_path: Path, server: FaultyServer, calm: object) -> None:
    """Would catch a download that starts from nothing each time, or joins its halves wrongly."""
    server.faults[SECOND] = [Fault(cut_after=1500), Fault(cut_after=700), Fault(status=503)]
    assert night(tmp_path / "s", server.url).exit_code() == 0
    assert server.downloads_of(SECOND) == ["", "bytes=1500-", "bytes=2200-", "bytes=2200-"]
    assert state_of(tmp_path / "s") == calm


def test_a_silent_server_is_asked_again(tmp_path: Path, server: FaultyServer, calm: object) -> None:
    """Would catch a night that hangs on a connection over which nothing comes any more."""
    server.faults[SECOND] = [Fault(pause=1.5)]
    assert night(tmp_path / "s", server.url).exit_code() == 0
    assert len(server.downloads_of(SECOND)) == 2
    assert state_of(tmp_path / "s") == calm


def test_a_server_without_ranges_sends_the_whole_file(tmp_path: Path, server: FaultyServer, calm: object) -> None:
    """Would catch a whole file appended to the half that was there."""
    server.faults[SECOND] = [Fault(cut_after=1500), Fault(no_ranges=True)]
    assert night(tmp_path / "s", server.url).exit_code() == 0
    assert state_of(tmp_path / "s") == calm


def test_a_busy_server_ends_the_night_after_some_attempts(tmp_path: Path, server: FaultyServer, calm: object) -> None:
    """Would catch a night that asks for ever, or one that skips the file."""
    server.faults[SECOND] = [Fault(status=503)] * 9
    check_stopped_at_second(tmp_path / "s", server, calm, says="HTTP status 503 (given up after 3 attempts)")


def test_a_file_that_stays_cut_off_is_not_applied_in_part(tmp_path: Path, server: FaultyServer, calm: object) -> None:
    """Would catch a truncated download that is applied as far as it goes."""
    server.faults[SECOND] = [Fault(cut_after=1500), *[Fault(cut_after=0)] * 9]
    check_stopped_at_second(tmp_path / "s", server, calm, says="the connection failed")
    assert "bytes=1500-" in server.downloads_of(SECOND)


def test_a_wrong_md5_applies_nothing_of_the_file(tmp_path: Path, server: FaultyServer, calm: object) -> None:
    """Would catch a damaged file that is applied, or one that stands in the way of the good one for ever."""
    server.faults[SECOND] = [Fault(instead=FILES[1][:-9] + b"\0" * 9)] * 9
    check_stopped_at_second(tmp_path / "s", server, calm, says="companion says")


def test_a_companion_of_another_file_is_refused(tmp_path: Path, server: FaultyServer, calm: object) -> None:
    """Would catch a digest that is taken from whatever stands in the companion."""
    server.faults[f"{SECOND}.md5"] = [Fault(instead=companion("pubmed26n0003.xml.gz", FILES[2]))] * 9
    check_stopped_at_second(tmp_path / "s", server, calm, says="is of another file")


def test_a_half_of_an_older_content_is_thrown_away(tmp_path: Path, server: FaultyServer, calm: object) -> None:
    """Would catch a resumed download that joins two contents, fails its digest, and never gets past that."""
    folder = tmp_path / "s-downloads"
    folder.mkdir()
    (folder / f".{SECOND}.part").write_bytes(b"old" * 400)
    assert night(tmp_path / "s", server.url).exit_code() == 0
    assert server.downloads_of(SECOND) == ["bytes=1200-", ""]
    assert state_of(tmp_path / "s") == calm


def test_a_missing_number_is_not_passed_over(tmp_path: Path, server: FaultyServer, calm: object) -> None:
    """Would catch the third file applied although the second is not there."""
    (server.folder / SECOND).unlink()
    report = night(tmp_path / "s", server.url)
    assert (report.exit_code(), applied_names(tmp_path / "s")) == (1, ["pubmed26n0001.xml.gz"])
    publish(server.folder, SECOND, FILES[1])
    assert night(tmp_path / "s", server.url).exit_code() == 0
    assert state_of(tmp_path / "s") == calm


def test_a_file_that_changed_after_it_was_applied(tmp_path: Path, server: FaultyServer, calm: object) -> None:
    """Would catch a repaired file that is overlooked, downloaded but not applied, or that hides the file after it."""
    publish(server.folder, SECOND, release({1: "Wrong", 2: "Wrong too"}))
    night(tmp_path / "s", server.url, annotator=annotator(tmp_path / "s"))
    assert titles_of(tmp_path / "s")["pubmed:2"] == "Wrong too"
    publish(server.folder, SECOND, FILES[1])
    report = night(tmp_path / "s", server.url, annotator=annotator(tmp_path / "s"))
    assert [one.name for one in report.applied] == [SECOND]
    assert state_of(tmp_path / "s") == calm


def test_a_full_disk_while_downloading(
    tmp_path: Path, server: FaultyServer, calm: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch a traceback, or half a file that passes for a whole one."""
    append = download._append

    def full(listed: Any, *arguments: Any) -> None:
        append(listed, *arguments)
        if listed.name == SECOND:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "_append", full)
    report = night(tmp_path / "s", server.url)
    assert (report.exit_code(), applied_names(tmp_path / "s")) == (1, ["pubmed26n0001.xml.gz"])
    assert "the disk is full" in report.failures[0]
    monkeypatch.undo()
    assert night(tmp_path / "s", server.url).exit_code() == 0
    assert state_of(tmp_path / "s") == calm


@pytest.mark.parametrize("table", ["mentions", "register", "ledger"])
def test_a_full_disk_while_committing(
    tmp_path: Path, server: FaultyServer, calm: object, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """Would catch a file in the ledger whose shards, or whose document index, could not be written."""
    replace = atomic.os.replace

    def full(source: Path, target: Path) -> None:
        if f"/{table}/" in str(target) and "pubmed26n0002" in str(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(atomic.os, "replace", full)
    report = night(tmp_path / "s", server.url, annotator=annotator(tmp_path / "s"))
    assert (report.exit_code(), applied_names(tmp_path / "s")) == (1, ["pubmed26n0001.xml.gz"])
    assert "the disk is full" in report.failures[0]
    assert verify_store(Store(tmp_path / "s")).sound
    monkeypatch.undo()
    assert night(tmp_path / "s", server.url, annotator=annotator(tmp_path / "s")).exit_code() == 0
    assert state_of(tmp_path / "s") == calm


def test_a_night_killed_at_any_rename_is_finished_by_the_next(
    tmp_path: Path, run_forked: Callable[..., int], server: FaultyServer, calm: object
) -> None:
    """Would catch rows lost or doubled by a kill at any durable step, and a dead night's lock that stops the next."""
    countdown, status = 0, -signal.SIGKILL
    while status == -signal.SIGKILL:
        countdown += 1
        store = tmp_path / f"s{countdown}"
        status = run_forked(Path(__file__).with_name("killed_night.py"), store, server.url, countdown)
        assert verify_store(Store(store)).sound
        before = len(applied_names(store))
        report = night(store, server.url, annotator=annotator(store))
        assert (report.exit_code(), len(report.applied)) == (0, 3 - before)
        assert state_of(store) == calm
    assert status == 0
    assert countdown > 25


@pytest.mark.parametrize("kind", ["ledger/pubmed", "ledger/runs", "manifests", "register", "plans"])
def test_a_damaged_file_of_the_store_stops_no_night(tmp_path: Path, kind: str) -> None:
    """Would catch a kilobyte of damage after which no night applies anything; what can be made anew is."""
    store, place = tmp_path / "s", tmp_path / "in"
    for number, content in enumerate(FILES, start=1):
        publish(place, f"pubmed26n{number:04d}.xml.gz", content)
    assert night(store, place, annotator=annotator(store)).exit_code() == 0
    bad = min(path for path in (store / kind).iterdir() if path.suffix in (".json", ".parquet"))
    bad.write_text('{"a": [')
    publish(place, "pubmed26n0004.xml.gz", release({1: "Protein 1 binds", 12: "Protein 2 binds"}))
    report = night(store, place, annotator=annotator(store))
    assert (report.exit_code(), report.failures) == (0, ())
    assert "pubmed26n0004.xml.gz" in [one.name for one in report.applied]
    if kind == "ledger/pubmed":
        assert not bad.exists()
        assert applied_names(store) == [f"pubmed26n{number:04d}.xml.gz" for number in (1, 2, 3, 4)]
        assert verify_store(Store(store)).sound
    faults = verify_store(Store(store)).faults
    assert (bad.name in "\n".join(faults)) == (kind in ("ledger/runs", "manifests"))
    assert len(titles_of(store)) > 190, "the other shards are shown"
