"""The digest of an input is taken once for as long as the input stays what it was."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from bioner_core.formats import input_digests
from bioner_core.formats.input_digests import SETTLED_SECONDS, file_digest, input_identity
from bioner_core.formats.reader import summarise_input
from bioner_core.formats.stream import opened
from tests.conftest import S3Bucket


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The inputs that were read for a digest alone, in order."""
    found: list[str] = []

    def listening(input_file: str, *, digested: bool = False) -> object:
        found.append(input_file)
        return opened(input_file, digested=digested)

    monkeypatch.setattr(input_digests, "opened", listening)
    return found


def _settled(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return _await_settled(path)


def _await_settled(path: Path) -> str:
    while input_identity(str(path)) is None:
        time.sleep(SETTLED_SECONDS / 10)
    return str(path)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, reads: list[str]) -> None:
    """Catches a digest of what a file no longer holds, its size and time of change put back as they were."""
    name = _settled(tmp_path / "one.txt", b"first")
    assert [file_digest(name), file_digest(name)] == [_digest(b"first")] * 2
    assert reads == [name]
    before = os.stat(name)
    Path(name).write_bytes(b"other")
    os.utime(name, ns=(before.st_atime_ns, before.st_mtime_ns))
    _await_settled(Path(name))
    assert file_digest(name) == _digest(b"other")


def test_a_file_that_has_just_changed_is_read_each_time(tmp_path: Path, reads: list[str]) -> None:
    """Catches a change within one tick of the clock that is not seen."""
    path = tmp_path / "one.txt"
    for content in (b"first", b"other", b"third"):
        path.write_bytes(content)
        assert input_identity(str(path)) is None
        assert file_digest(str(path)) == _digest(content)
    assert len(reads) == 3


def test_what_was_counted_has_its_digest(tmp_path: Path, reads: list[str]) -> None:
    """Catches an input that is read a third time for its digest after it was counted."""
    name = _settled(tmp_path / "one.jsonl", b'{"id": "a", "text": "CD28 binds."}\n')
    assert summarise_input(name).digest == file_digest(name)
    assert reads == []


def test_an_object_is_read_once_until_it_is_replaced(s3_bucket: S3Bucket, reads: list[str]) -> None:
    """Catches an object that is fetched whole for each question, and one that was replaced and is taken for the old."""
    url = f"{s3_bucket.url}/one.txt"
    s3_bucket.put("one.txt", b"first")
    assert [file_digest(url), file_digest(url)] == [_digest(b"first")] * 2
    assert reads == [url]
    s3_bucket.put("one.txt", b"other")
    assert file_digest(url) == _digest(b"other")


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    """Catches a run that waits for ever for somebody to write into a pipe."""
    os.mkfifo(tmp_path / "pipe")
    assert input_identity(str(tmp_path / "pipe")) is None
    assert input_identity(str(tmp_path / "none")) is None
