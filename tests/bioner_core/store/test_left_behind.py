"""What killed processes leave in a store and in the system's temporary folder, and who removes it."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bioner_core.process_identity import has_left, process_mark
from bioner_core.store.atomic import replacing
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.layout import Store
from bioner_core.store.left_behind import left_behind, scratch_in, sweep_left_behind, temporary_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from bioner_core.store.atomic import replacing
from bioner_core.store.layout import Store
from bioner_core.store.left_behind import scratch_in, temporary_folder
store = Store(Path(sys.argv[1]))
with (
    scratch_in(store.root, prefix=".current-", elsewhere="index") as scratch,
    temporary_folder("query") as folder,
    replacing(store.document_index("a")) as index,
    replacing(store.ledger / "cnki" / "b.json") as entry,
):
    for path in (scratch / "spilt", folder / "spilt", index, entry):
        path.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(store: Path) -> None:
    """A process that is killed while it has all kinds of temporary files."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(store)], check=False)
    assert done.returncode == -signal.SIGKILL


def hidden(folder: Path) -> list[Path]:
    """All hidden files and folders."""
    return [path for path in folder.rglob(".*") if path.name not in (".", "..")]


def test_what_a_killed_process_left_in_a_store_is_named_and_removed(tmp_path: Path) -> None:
    """Would catch halves of files, and what a sort has spilt to disk, that stay for ever and that nobody tells of."""
    killed(tmp_path)
    assert len(hidden(tmp_path)) == 3
    report = verify_store(Store(tmp_path))
    assert report.sound
    assert sorted(report.left_behind) == sorted(str(path.relative_to(tmp_path)) for path in hidden(tmp_path))
    sweep_left_behind(Store(tmp_path))
    assert hidden(tmp_path) == []
    assert verify_store(Store(tmp_path)).left_behind == ()


def test_what_a_living_process_needs_stays(tmp_path: Path) -> None:
    """Would catch a job that takes its files from a reader that is at work."""
    store = Store(tmp_path)
    store.folder.joinpath("register").mkdir()
    with (
        scratch_in(store.folder, prefix=".current-", elsewhere="index") as scratch,
        replacing(store.document_index("a")) as index,
    ):
        assert scratch.parent == tmp_path
        index.write_bytes(b"half")
        sweep_left_behind(store)
        assert left_behind(store) == []
        assert scratch.is_dir()
        assert index.is_file()
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("name", [".current-unmarked", ".current-p1-1-0123456789ab-x"])
def test_what_nobody_can_be_asked_about_stays_for_a_week(tmp_path: Path, name: str) -> None:
    """Would catch a reader on another host whose files go while it works, and what one left a year ago that stays."""
    left = tmp_path / name
    left.mkdir()
    assert left_behind(Store(tmp_path)) == []
    os.utime(left, (time.time() - 8 * 24 * 3600,) * 2)
    assert left_behind(Store(tmp_path)) == [left]


def test_temporary_folders_of_killed_processes_go_with_the_next_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch a temporary folder that fills with what queries have spilt that were killed."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    store = tmp_path / "s"
    killed(store)
    (tmp_path / "bioner-ray-x").mkdir()
    [left] = tmp_path.glob("bioner-query-*")
    assert has_left(left.name)
    code = (
        "import sys; from bioner_core.store.left_behind import temporary_folder\nwith temporary_folder('query'): pass"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert [path.name for path in tmp_path.glob("bioner-*")] == ["bioner-ray-x"]


def test_a_folder_that_cannot_be_written_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a store that can only be read by whoever may write it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch_in(tmp_path / "none", prefix=".current-", elsewhere="index") as found:
        assert found.parent == tmp_path
        assert has_left(found.name) is False
    with temporary_folder("query") as found:
        assert process_mark() in found.name
