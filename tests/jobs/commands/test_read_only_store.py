"""Readers of a store that they may not write, before a snapshot exists."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from job_stores import word_store

REPOSITORY = Path(__file__).resolve().parents[3]
NO_ROOT = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Root may write what nobody may; without these capabilities it may not."""


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A store of which every file and folder may only be read."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root ignores permissions, and there is no setpriv to give that up")
    store = word_store(tmp_path)
    folders = [store, *(path for path in store.rglob("*") if path.is_dir())]
    for path in (*store.rglob("*"), store):
        path.chmod(path.stat().st_mode & ~0o222)
    yield store
    for path in folders:
        path.chmod(0o755)


@pytest.mark.parametrize(
    "words",
    [
        ("query", "SELECT count(*) AS n FROM documents", "--format", "csv"),
        ("report", "--json"),
        ("export", "--format", "jsonl", "--output", "OUTPUT"),
        ("show", "DOC"),
    ],
)
def test_a_reader_needs_no_permission_to_write(read_only: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Catches an analyst who is told that the store cannot be written, when all that was asked is to read it."""
    before = sorted(read_only.rglob("*"))
    filled = [{"OUTPUT": str(tmp_path / "out.jsonl"), "DOC": "jsonl:e0"}.get(word, word) for word in words]
    limits = NO_ROOT if os.geteuid() == 0 else ()
    done = subprocess.run(
        [*limits, sys.executable, "-m", "jobs.main", *filled, "--store", str(read_only)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout != "") == (0, True), done.stderr
    assert sorted(read_only.rglob("*")) == before
