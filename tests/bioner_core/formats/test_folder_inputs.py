"""Which files of a folder are dumps."""

import errno
import gzip
import os
from pathlib import Path

import pytest

from bioner_core.errors import InputError
from bioner_core.formats.folder_inputs import FoundInputs, expand_inputs, find_inputs
from bioner_core.store.layout import Store

DUMP = b'{"id": "1", "text": "CD28"}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one dump and two files that are none."""
    monkeypatch.chdir(tmp_path)
    for name, content in {"a.jsonl": DUMP, "README.md": b"Dumps.", "sub/list.csv": b"File,Size\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_what_no_reader_knows_is_named_and_not_read() -> None:
    """Catches a README that is a reject of every run, and a file that is left out without a word."""
    assert find_inputs(["."]) == FoundInputs(("./a.jsonl",), ("./README.md", "./sub/list.csv"))


@pytest.mark.usefixtures("folder")
def test_what_is_named_is_an_input_whatever_it_holds() -> None:
    """Catches a mistyped name or a damaged dump that passes for a success because no reader knows it."""
    assert find_inputs(["README.md"]) == FoundInputs(("README.md",))
    assert find_inputs(["*.md", "a.jsonl"]) == FoundInputs(("README.md", "a.jsonl"))
    assert find_inputs([".", "./README.md"]) == FoundInputs(("./README.md", "./a.jsonl"), ("./sub/list.csv",))
    assert find_inputs(["https://host/README.md"]).files == ("https://host/README.md",)
    assert find_inputs(["."], format_name="jsonl").unread == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.jsonl", b"<html>404</html>"),
        ("B.JSONL", b"\x00\x01\x02"),
        ("empty.csv", b""),
        ("blank.csv", b" \n"),
        ("cut.gz", gzip.compress(b"some text" * 99, mtime=0)[:15]),
    ],
)
def test_a_dump_that_broke_stays_an_input(folder: Path, name: str, content: bytes) -> None:
    """Catches a download that failed, saved in the place of a dump, which is lost with a note."""
    (folder / name).write_bytes(content)
    assert f"./{name}" in find_inputs(["."]).files


def test_a_folder_without_dumps_is_an_error(folder: Path) -> None:
    """Catches a mistyped folder that passes for a finished job."""
    (folder / "a.jsonl").unlink()
    with pytest.raises(InputError, match="holds 2 files, but none that a reader knows"):
        find_inputs(["."])
    with pytest.raises(InputError, match="names no file"):
        find_inputs(["nil"])


@pytest.mark.parametrize("lock", ["store-00000001", "store", "part-2-of-4-00000003"])
def test_a_store_of_a_job_that_was_interrupted_early_is_no_input(folder: Path, lock: str) -> None:
    """Catches `bioner annotate .` that reads what a job left behind that ended before its first shard, as documents."""
    for name in (f"out/locks/{lock}.json", "out/precision.json", "locks/restored.jsonl"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(DUMP)
    assert find_inputs(["."]).files == ("./a.jsonl", "./locks/restored.jsonl")


def test_a_store_that_lies_among_the_dumps_is_no_input(folder: Path) -> None:
    """Catches a second `bioner annotate .` that reads manifests as documents, and a folder named like a store's."""
    store = Store(folder / "out")
    for name in (str(store.manifest("a")), str(store.plan("b")), "out/downloads/c.jsonl", "plans/d.jsonl"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(DUMP)
    assert find_inputs(["."]).files == ("./a.jsonl", "./plans/d.jsonl")
    assert find_inputs(["out/downloads", "out/plans/*"]).files == ("out/downloads/c.jsonl", "out/plans/b.json")
    with pytest.raises(InputError, match="names no file"):
        find_inputs(["out"])


def test_folders_behind_links_are_read_once(tmp_path: Path) -> None:
    """Would catch a year of dumps on another disk that is passed over without a word, a file that is read under two
    names, and a link that leads round in a circle."""
    (tmp_path / "disk" / "deep").mkdir(parents=True)
    (tmp_path / "drop" / "own").mkdir(parents=True)
    for name in ("disk/b.txt", "disk/deep/c.txt", "drop/own/a.txt"):
        (tmp_path / name).write_text("text")
    links = {"2024": "../disk", "again": "../disk/deep", "alias": "own", "round": ".", "up": "..", "own/back": ".."}
    for name, target in links.items():
        (tmp_path / "drop" / name).symlink_to(target)
    found = [os.path.relpath(name, tmp_path / "drop") for name in expand_inputs([str(tmp_path / "drop")])]
    assert sorted(found) == ["2024/b.txt", "2024/deep/c.txt", "own/a.txt"]


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch dumps that are missing without a word, since their folder may not be entered."""
    (tmp_path / "closed").mkdir()
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "a.txt").write_text("text")
    real = os.scandir

    def refusing(path: str) -> object:
        if not str(path).endswith(tmp_path.name):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(InputError, match=r"closed: cannot be listed \(Permission denied\)"):
        expand_inputs([str(tmp_path)])
    (tmp_path / "closed").rmdir()
    assert expand_inputs([str(tmp_path)]) == [str(tmp_path / "a.txt")]
