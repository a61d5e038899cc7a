"""Durable replacement of one file."""

import errno
from pathlib import Path
from typing import Any

import pytest

from bioner_core.errors import StoreError
from bioner_core.store import atomic


def test_an_exception_keeps_the_old_file_and_leaves_no_temporary(tmp_path: Path) -> None:
    """Would catch a half-written file under the final name, and litter after a failure."""
    path = tmp_path / "a.json"
    atomic.write_text(path, "old")
    with pytest.raises(ZeroDivisionError), atomic.replacing(path) as temporary:
        temporary.write_text("half") / 0
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync_path", "os.replace"])
def test_a_full_disk_is_named_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Would catch a full disk that ends in a bare OSError, or that destroys what was committed before."""
    path = tmp_path / "a.json"
    atomic.write_text(path, "old")

    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic if step == "fsync_path" else atomic.os, step.split(".")[-1], refuse)
    with pytest.raises(StoreError, match=r"a\.json: the disk is full .* Free some space"):
        atomic.write_text(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_on_disk_before_its_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch a missing fsync: after a power cut the name would stand for an empty file, or be gone."""
    steps: list[str] = []
    path = tmp_path / "a.json"
    monkeypatch.setattr(atomic, "fsync_path", lambda one: steps.append(f"fsync {'folder' if one.is_dir() else 'file'}"))
    replace = atomic.os.replace
    monkeypatch.setattr(atomic.os, "replace", lambda a, b: (steps.append("replace"), replace(a, b)))
    atomic.write_text(path, "x")
    assert steps == ["fsync file", "replace", "fsync folder"]


def test_new_folders_are_made_durable_from_the_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a new shard folder that a power cut takes away with the committed file in it."""
    synced: list[Path] = []
    monkeypatch.setattr(atomic, "fsync_path", synced.append)
    atomic.make_folder(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a"]


def test_each_attempt_has_its_own_temporary_name(tmp_path: Path) -> None:
    """Would catch two writers of one shard that mix their bytes in one temporary file."""
    with atomic.replacing(tmp_path / "a") as one, atomic.replacing(tmp_path / "a") as other:
        assert one != other
        one.touch()
        other.touch()
