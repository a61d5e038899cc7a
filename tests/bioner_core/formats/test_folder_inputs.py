"""Which files of a folder are dumps."""

import gzip
from pathlib import Path

import pytest

from bioner_core.errors import InputError
from bioner_core.formats.folder_inputs import FoundInputs, find_inputs
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
