"""What is looked at again and again."""

import os
import threading
from pathlib import Path

from pipelines.watch.polling import FolderWatch, repeating


def test_it_is_done_at_once_again_and_no_more_when_the_block_is_left() -> None:
    """Catches a thread that outlives its block, or a first time that comes late."""
    times, third = list[int](), threading.Event()

    def act() -> None:
        times.append(len(times))
        if len(times) == 3:
            third.set()

    with repeating(act, every_seconds=0.001, name="test-repeating"):
        assert third.wait(30)
    assert not any(thread.name == "test-repeating" for thread in threading.enumerate())
    with repeating(times.clear, every_seconds=3600, name="test-repeating"):
        pass
    assert times == []


def test_a_folder_tells_what_is_new_and_what_was_written_anew(tmp_path: Path) -> None:
    """Catches a file that is told twice or never, or a half-written one that is read."""
    folder = FolderWatch(tmp_path / "none")
    assert (folder.changed(), folder.present) == ([], frozenset())
    (tmp_path / "none").mkdir()
    for name in ("b.json", "a.json", ".c.json.x.tmp", ".d.json", "e.txt"):
        (tmp_path / "none" / name).touch()
    assert folder.changed() == ["a", "b"]
    assert folder.changed() == []
    os.utime(tmp_path / "none" / "a.json", ns=(1, 1))
    (tmp_path / "none" / "b.json").unlink()
    assert (folder.changed(), folder.present) == (["a"], frozenset({"a"}))
