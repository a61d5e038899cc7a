"""The lock as verbs take it: what is said and swept where a dead job held it."""

import os
from pathlib import Path

import pytest

from bioner_core.process_identity import ProcessIdentity
from bioner_core.store.history.lock import Part
from bioner_core.store.history.lock_claims import Claim, place_claim
from bioner_core.store.layout import Store
from jobs.runs import locking
from jobs.runs.locking import held_lock


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[Store]:
    """The stores that were swept, in order."""
    found = list[Store]()
    monkeypatch.setattr(locking, "sweep_orphans", found.append)
    return found


def dead_job(store: Store, name: str = "store") -> None:
    """Leave the lock of a job of another host that was last heard of long ago."""
    holder = ProcessIdentity("elsewhere", 1, "then")
    path = place_claim(store, name, claim=Claim(holder, "r1", "bioner annotate", "2026-01-01"), after=None)
    assert path is not None
    os.utime(path, (1, 1))


@pytest.mark.parametrize("quiet", [True, False])
def test_a_dead_job_is_told_unless_quiet_and_what_it_left_is_swept(
    tmp_path: Path, swept: list[Store], capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    """Catches a verb that speaks although --quiet was given, or leaves a dead job's files on object storage."""
    store = Store(tmp_path)
    dead_job(store)
    with held_lock(store, purpose="bioner link", quiet=quiet):
        assert swept == [store]
    said = capsys.readouterr().err
    assert ("took over the lock of a job that has died: bioner annotate, run r1" in said) == (not quiet)
    with held_lock(store, purpose="bioner link", quiet=False):
        pass
    assert (capsys.readouterr().err, swept) == ("", [store])


def test_a_part_sweeps_nothing_of_its_neighbours(tmp_path: Path, swept: list[Store]) -> None:
    """Catches a part of a backfill that removes the files which another part is about to commit."""
    dead_job(Store(tmp_path), "part-1-of-2")
    with held_lock(Store(tmp_path), purpose="bioner backfill", quiet=True, part=Part(1, 2)) as lock:
        assert lock.took_over
    assert swept == []


@pytest.mark.parametrize(("part", "stays"), [(None, False), (Part(1, 2), True)])
def test_whoever_holds_the_whole_store_removes_what_was_left(tmp_path: Path, part: Part | None, stays: bool) -> None:
    """Catches temporary files of killed readers and jobs that no command ever removes."""
    left = tmp_path / "register" / ".a.parquet.0123abcd.tmp"
    left.parent.mkdir()
    left.touch()
    os.utime(left, (1, 1))
    with held_lock(Store(tmp_path), purpose="bioner compact", quiet=True, part=part):
        assert left.exists() == stays
