"""The stories that matter most, once more with the default model: real dumps, Beam, Ray, and the real decoder.

Each run is compared row by row, scores included, with one undisturbed run of the same command. Six shards of a document
each are enough: most of a run is its start.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import psutil
import pytest
from undisturbed import assert_sound, assert_undisturbed

from bioner_core.models.base_model import is_pulled
from bioner_core.models.bases import SMOLLM2
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from tests.stored_rows import document_rows

HERE = Path(__file__).resolve().parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_pulled(SMOLLM2), reason="needs the base model: run `bioner models pull`"),
    pytest.mark.timeout(1800),
]


_ARTICLES, _RECORDS = 4, 2


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The first documents of the bundled samples, as two files."""
    folder = tmp_path_factory.mktemp("input")
    samples = resources.files("bioner_core.samples")
    articles = (samples / "pubmed26n0001.xml").read_text(encoding="utf-8").split("</PubmedArticle>")[:_ARTICLES]
    records = (samples / "cnki_sample.txt").read_text(encoding="utf-8").split("{Reference Type}")[: 1 + _RECORDS]
    contents = {
        "pubmed26n0001.xml": "</PubmedArticle>".join([*articles, "</PubmedArticleSet>"]),
        "cnki_sample.txt": "{Reference Type}".join(records),
    }
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [str(folder / name) for name in contents]


def _words(store: Path, inputs: list[str]) -> list[str]:
    options = ["--store", str(store), "--shard-records", "1", "--label-set", "bc5cdr", "--label-set", "cmeee"]
    return ["annotate", *inputs, *options, "--json", "--quiet"]


def _finish(store: Path, inputs: list[str]) -> dict[str, int]:
    """Run the command to its end and return what it says."""
    words = [sys.executable, "-m", "jobs.main", *_words(store, inputs)]
    done = subprocess.run(words, cwd=HERE.parents[1], capture_output=True, text=True, check=True)
    said: dict[str, int] = json.loads(done.stdout)
    return said


@contextmanager
def _running(store: Path, inputs: list[str], *program: str) -> Iterator[psutil.Popen]:
    """The command as a process, which does not outlive the block."""
    words = [sys.executable, *(program or ("-m", "jobs.main")), *_words(store, inputs)]
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
    said = store.with_name(f"{store.name}.said")
    with said.open("wb") as target:
        process = psutil.Popen(words, cwd=HERE.parents[1], env=environment, stdout=target, stderr=target)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        # Shown with a test that fails: why a command ended before its time cannot be told otherwise.
        print(said.read_text(encoding="utf-8", errors="replace"))


def _await(condition: Callable[[], object], process: psutil.Popen) -> None:
    while not condition():
        assert process.poll() is None, "the command ended before its time"
        time.sleep(0.05)


def _committed(store: Path) -> int:
    return len(list(read_manifests(Store(store))))


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, inputs: list[str]) -> Path:
    """The store of an undisturbed run, with mentions in it."""
    store = tmp_path_factory.mktemp("calm") / "store"
    said = _finish(store, inputs)
    assert said["mentions"] > 0
    assert said["shards_committed"] == _ARTICLES + _RECORDS
    return store


def test_an_actor_killed_in_the_middle_of_a_batch_changes_no_row(calm: Path, inputs: list[str], tmp_path: Path) -> None:
    """Rows lost or doubled when the process with the model dies, or a command that fails with it.

    The command itself must go on to exit code 0: nobody starts it again.
    """
    store = tmp_path / "store"
    with _running(store, inputs) as process:
        _await(lambda: _committed(store), process)
        _await(lambda: _busy_actors(process), process)
        victim = _busy_actors(process)[0]
        victim.kill()
        assert process.wait() == 0
        assert not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE
    assert_undisturbed(calm, store)


def test_a_driver_killed_between_data_and_manifest_changes_no_row(
    calm: Path, inputs: list[str], tmp_path: Path
) -> None:
    """Data files without a manifest that count, or are in the way: the shard must be as if it was never tried."""
    store = tmp_path / "store"
    with _running(store, inputs, str(HERE / "killed_command.py"), "2") as process:
        assert process.wait() == -signal.SIGKILL
    assert _committed(store) == 2
    assert len(list(store.glob("documents/*/*/*.parquet"))) == 3, "the third shard's data are there, and do not count"
    assert_sound(store)
    documents = len(list(document_rows(Store(store))))
    again = _finish(store, inputs)
    assert again["shards_skipped"] == 2
    assert again["annotated"] > documents
    assert_undisturbed(calm, store)


def test_a_driver_killed_at_each_commit_changes_no_row(calm: Path, inputs: list[str], tmp_path: Path) -> None:
    """Rows lost or doubled when a command is killed again and again, or a rerun that annotates what was committed."""
    store = tmp_path / "store"
    kills = 0
    while (done := _committed(store)) < _ARTICLES + _RECORDS - 1:
        with _running(store, inputs) as process:
            _await(lambda done=done: _committed(store) > done, process)
            process.kill()
            assert process.wait() == -signal.SIGKILL
        kills += 1
        assert_sound(store)
    assert kills > 1
    assert _finish(store, inputs)["shards_skipped"] == done > 0
    assert_undisturbed(calm, store)


def test_ctrl_c_and_the_same_command_again_change_no_row(calm: Path, inputs: list[str], tmp_path: Path) -> None:
    """An interrupt that loses what is committed, leaves half a shard, or ends with a code that no shell expects."""
    store = tmp_path / "store"
    with _running(store, inputs) as process:
        _await(lambda: _committed(store), process)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 128 + signal.SIGINT
    done = _committed(store)
    assert 0 < done < _committed(calm)
    assert_sound(store)
    assert _finish(store, inputs)["shards_skipped"] == done
    assert_undisturbed(calm, store)
    assert _finish(store, inputs)["rows_sent"] == 0


def _busy_actors(process: psutil.Popen) -> list[psutil.Process]:
    """The actors below a command that run a batch at this moment: Ray gives a process the name of what it runs."""
    found = []
    for child in process.children(recursive=True):
        try:
            if child.cmdline()[:1] == ["ray::AnnotatorActor.annotate"]:
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found
