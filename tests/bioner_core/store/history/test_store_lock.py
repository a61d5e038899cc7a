"""The lock of a store: one job at a time, parts side by side, dead holders recognised, takers that cannot both win."""

import errno
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bioner_core import process_identity
from bioner_core.errors import ConfigurationError, StoreError
from bioner_core.process_identity import ProcessIdentity, birth_of, has_ended, this_process
from bioner_core.store.history import lock_claims as claims
from bioner_core.store.history.lock import Part, StoreLock
from bioner_core.store.history.lock_claims import Claim, latest_claim, place_claim
from bioner_core.store.layout import Store


def lock(store: Path, **settings: Any) -> StoreLock:
    """A lock that does not wait."""
    return StoreLock(Store(store), **{"purpose": "test", "wait_seconds": 0.0} | settings)


def foreign_claim(store: Path, *, silent_for: float, **changes: Any) -> Path:
    """The claim of a job on another host that was last heard of a while ago."""
    holder = ProcessIdentity("elsewhere", 1, "then")
    path = place_claim(
        Store(store), "store", claim=Claim(holder, "r1", "bioner nightly pubmed", "2026-01-01"), after=None
    )
    assert path is not None
    os.utime(path, (time.time() - silent_for,) * 2)
    return path


def ended_process() -> ProcessIdentity:
    """A process of this host that is no more."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = replace(this_process(), pid=child.pid, birth=birth_of(child.pid))
    assert not has_ended(identity)
    child.communicate(b"\n")
    return identity


def test_a_second_job_stops_and_says_who_is_at_work(tmp_path: Path) -> None:
    """Would catch two jobs on one store, or a message that leaves the user guessing."""
    said = r"bioner nightly pubmed, run r7, process \d+ on .*--wait"
    with lock(tmp_path, purpose="bioner nightly pubmed", run_id="r7"), pytest.raises(StoreError, match=said):
        lock(tmp_path).__enter__()
    with lock(tmp_path) as again:
        assert again.took_over == ""


def test_a_second_job_waits_if_it_may(tmp_path: Path) -> None:
    """Would catch a job that gives up although the first one ends in time."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with lock(tmp_path):
            held.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    threading.Timer(0.3, release.set).start()
    with lock(tmp_path, wait_seconds=20):
        assert release.is_set()
    holder.join()


def test_an_error_gives_the_lock_back(tmp_path: Path) -> None:
    """Would catch a failed job that locks the store."""
    with pytest.raises(ValueError, match="boom"), lock(tmp_path):
        raise ValueError("boom")
    with lock(tmp_path):
        pass


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    """Would catch a killed night after which somebody has to remove a file by hand."""
    place_claim(
        Store(tmp_path), "store", claim=Claim(ended_process(), "r1", "bioner nightly pubmed", "then"), after=None
    )
    with lock(tmp_path) as taken:
        assert "run r1" in taken.took_over


def test_a_process_id_that_was_given_out_again_is_not_the_holder(tmp_path: Path) -> None:
    """Would catch a lock that is respected because some other process happens to have the dead one's id."""
    boot = this_process().birth.partition(":")[0]
    place_claim(
        Store(tmp_path), "store", claim=Claim(replace(this_process(), birth=f"{boot}:1"), "r1", "x", ""), after=None
    )
    with lock(tmp_path) as taken:
        assert taken.took_over


@pytest.mark.parametrize(
    "changes",
    [
        {"birth": "another-boot:1", "machine": "0123456789abcdef"},
        {"birth": "another-boot:1", "machine": ""},
        {"processes": "pid:[4026532999]", "pid": 2**22},
    ],
    ids=["another machine", "nobody knows which", "another container"],
)
def test_another_machine_or_container_of_this_name_keeps_its_lock_until_its_lease_is_over(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    """Catches the lock of a living job that is taken over since two machines or containers have one host name, and the
    id of its process means nothing here."""
    path = place_claim(
        Store(tmp_path), "store", claim=Claim(replace(this_process(), **changes), "r1", "x", ""), after=None
    )
    assert path is not None
    with pytest.raises(StoreError, match="another job"), lock(tmp_path, lease_seconds=1000):
        pass
    os.utime(path, (time.time() - 2000,) * 2)
    with lock(tmp_path, lease_seconds=1000) as taken:
        assert "run r1" in taken.took_over


def test_after_a_reboot_of_the_machine_its_lock_is_taken_over_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a night that waits a quarter of an hour for a job that cannot live any more; and a living job of a cloned
    machine, with the same name and machine id, that is taken for one."""
    (tmp_path / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setattr(process_identity, "MACHINE_ID", tmp_path / "machine-id")
    monkeypatch.setattr(process_identity.os, "readlink", lambda _: "pid:[4026531836]")  # in no container
    before = replace(this_process(), birth="another-boot:1")
    path = place_claim(Store(tmp_path), "store", claim=Claim(before, "r1", "x", ""), after=None)
    assert path is not None
    with pytest.raises(StoreError, match="another job"), lock(tmp_path):
        pass
    os.utime(path, (1, 1))  # before the boot, and within this lease
    with lock(tmp_path, lease_seconds=1e12) as taken:
        assert "run r1" in taken.took_over


@pytest.mark.parametrize("lives", [True, False])
def test_a_lock_of_an_older_bioner_is_understood(tmp_path: Path, lives: bool) -> None:
    """Catches an update after which a killed job's lock is unreadable, or a living job's is taken over."""
    holder = this_process() if lives else ended_process()
    path = place_claim(Store(tmp_path), "store", claim=Claim(holder, "r1", "x", ""), after=None)
    assert path is not None
    text = json.loads(path.read_text())
    old = {"host": holder.host, "pid": holder.pid, "birth": holder.birth}
    path.write_text(json.dumps(text | {"holder": old}))
    if lives:
        with pytest.raises(StoreError, match="run r1"), lock(tmp_path):
            pass
    else:
        with lock(tmp_path) as taken:
            assert "run r1" in taken.took_over


def test_another_host_keeps_its_lock_until_its_lease_is_over(tmp_path: Path) -> None:
    """Would catch a live job on another machine that is pushed aside, or a dead one that blocks for ever."""
    path = foreign_claim(tmp_path, silent_for=100)
    with pytest.raises(StoreError, match="elsewhere"), lock(tmp_path, lease_seconds=1000):
        pass
    os.utime(path, (time.time() - 2000,) * 2)
    with lock(tmp_path, lease_seconds=1000) as taken:
        assert "elsewhere" in taken.took_over


def test_a_damaged_lock_counts_until_its_lease_is_over(tmp_path: Path) -> None:
    """Would catch a lock that is ignored, or that crashes every later job, because its file is damaged."""
    path = foreign_claim(tmp_path, silent_for=0)
    path.write_text("{")
    with pytest.raises(StoreError, match="unreadable lock"), lock(tmp_path):
        pass
    os.utime(path, (time.time() - 2000,) * 2)
    with lock(tmp_path, lease_seconds=1000):
        pass


def test_the_heart_beats(tmp_path: Path) -> None:
    """Would catch a long job that other hosts believe dead."""
    with lock(tmp_path, heartbeat_seconds=0.05):
        placed = latest_claim(Store(tmp_path), "store")
        assert placed is not None
        os.utime(placed.path, (1, 1))
        deadline = time.monotonic() + 10
        while placed.path.stat().st_mtime < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert placed.path.stat().st_mtime > 2


def test_a_job_that_lost_its_lock_is_told(tmp_path: Path) -> None:
    """Would catch a host that wakes up after its lease and goes on writing beside its successor."""
    with lock(tmp_path) as sleeper:
        sleeper.check()
        placed = latest_claim(Store(tmp_path), "store")
        assert placed is not None
        text = json.loads(placed.path.read_text())
        placed.path.write_text(json.dumps(text | {"holder": {"host": "elsewhere", "pid": 1, "birth": ""}}))
        os.utime(placed.path, (1, 1))
        with lock(tmp_path) as successor:
            successor.check()
            with pytest.raises(StoreError, match="lost its lock"):
                sleeper.check()
    with lock(tmp_path) as third:
        assert third.took_over == ""


def take_at_once(store: Path, takers: int) -> tuple[list[int], int]:
    """Let threads take a lock at the same moment: how many were inside at each entry, and how many were refused."""
    inside: list[int] = []
    seen: list[int] = []
    refused: list[int] = []
    barrier = threading.Barrier(takers)

    def take() -> None:
        barrier.wait()
        try:
            with lock(store):
                inside.append(1)
                seen.append(len(inside))
                time.sleep(0.05)
                inside.pop()
        except StoreError:
            refused.append(1)

    threads = [threading.Thread(target=take) for _ in range(takers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen, len(refused)


def test_of_many_takers_of_a_dead_lock_one_wins(tmp_path: Path) -> None:
    """Would catch two jobs that both find the lock dead and both take it."""
    dead = ended_process()
    for number in range(5):
        place_claim(Store(tmp_path / str(number)), "store", claim=Claim(dead, "r1", "x", ""), after=None)
        seen, refused = take_at_once(tmp_path / str(number), 8)
        assert set(seen) == {1}
        assert len(seen) + refused == 8


def test_a_taker_that_read_a_stale_claim_does_not_win(tmp_path: Path) -> None:
    """Would catch the taker that is slow between reading a dead claim and replacing it, and meets its successor's."""
    dead = Claim(ended_process(), "r1", "x", "")
    place_claim(Store(tmp_path), "store", claim=dead, after=None)
    stale = latest_claim(Store(tmp_path), "store")
    with lock(tmp_path):
        assert place_claim(Store(tmp_path), "store", claim=Claim(this_process(), "slow", "x", ""), after=stale) is None
    with lock(tmp_path):
        assert place_claim(Store(tmp_path), "store", claim=Claim(this_process(), "slow", "x", ""), after=stale) is None
        latest = latest_claim(Store(tmp_path), "store")
        assert latest is not None
        assert latest.claim is not None
        assert latest.claim.run_id != "slow"


def test_what_killed_takers_wrote_aside_goes_with_the_next_claim(tmp_path: Path) -> None:
    """Catches files that stay for ever where a process was killed while it took the lock; and one of a live taker of a
    later number that is swept with them."""
    folder = tmp_path / "locks"
    folder.mkdir()
    for number in (1, 2):
        (folder / f".store-{number:08d}.json.0123abcd.tmp").write_text("half a cla")
    first = place_claim(Store(tmp_path), "store", claim=Claim(ended_process(), "r1", "x", ""), after=None)
    assert first is not None
    assert sorted(path.name for path in folder.iterdir()) == [
        ".store-00000002.json.0123abcd.tmp",
        "store-00000001.json",
    ]
    assert place_claim(
        Store(tmp_path),
        "store",
        claim=Claim(this_process(), "r2", "x", ""),
        after=latest_claim(Store(tmp_path), "store"),
    )
    assert [path.name for path in folder.iterdir()] == ["store-00000002.json"]


def test_parts_of_one_split_work_side_by_side(tmp_path: Path) -> None:
    """Would catch machines of one backfill that wait for each other, or two machines with the same part."""
    with lock(tmp_path, part=Part(1, 3)), lock(tmp_path, part=Part(2, 3)):
        with pytest.raises(StoreError, match="at work"), lock(tmp_path, part=Part(2, 3)):
            pass
        with pytest.raises(StoreError, match="at work"), lock(tmp_path, part=Part(1, 2)):
            pass
        with pytest.raises(StoreError, match="at work"), lock(tmp_path):
            pass
    with lock(tmp_path), pytest.raises(StoreError, match="at work"), lock(tmp_path, part=Part(1, 3)):
        pass
    with lock(tmp_path, part=Part(1, 1)), pytest.raises(StoreError, match="at work"), lock(tmp_path):
        pass


def test_the_whole_store_waits_for_parts_to_end(tmp_path: Path) -> None:
    """Would catch a night that starts while a part of a backfill is still at work."""
    held = ExitStack()
    held.enter_context(lock(tmp_path, part=Part(1, 2)))
    ended = threading.Event()
    threading.Timer(0.3, lambda: (held.close(), ended.set())).start()
    with lock(tmp_path, wait_seconds=20):
        assert ended.wait(10)


@pytest.mark.parametrize("part", [(0, 3), (4, 3), (1, 0)])
def test_impossible_parts_are_named(part: tuple[int, int]) -> None:
    """Would catch a typing error that silently leaves files out."""
    with pytest.raises(ConfigurationError, match="K/N"):
        Part(*part)


def test_a_file_system_without_links_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a lock that silently is none where the file system cannot make it."""

    def no_links(*arguments: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(claims.os, "link", no_links)
    with pytest.raises(StoreError, match="lock cannot be made"), lock(tmp_path):
        pass
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_link_that_was_made_though_its_answer_was_lost_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch a job on NFS that locks itself out: the link is made, its answer is lost, and the same request finds
    the name taken when it is asked again."""
    real = os.link

    def asked_twice(source: Path, target: Path) -> None:
        real(source, target)
        raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(claims.os, "link", asked_twice)
    with lock(tmp_path) as first:
        first.check()
        with pytest.raises(StoreError, match="another job"):
            lock(tmp_path).__enter__()


def test_a_lock_that_a_full_disk_refuses_names_what_a_killed_compaction_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch a store on which nothing can start, and a message that does not say what to remove."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "snapshots" / ".20260101.building").mkdir(parents=True)
    monkeypatch.setattr(claims.os, "link", full)
    with pytest.raises(StoreError, match=r"Free some space.*\.20260101\.building"):
        lock(tmp_path).__enter__()
