"""`bioner annotate` as a user types it; the slow tests start a real Ray and real actors."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import null_job

from bioner_core.inference.annotation import NullAnnotator
from bioner_core.models.directory import ROWS_FILE
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.layout import Store
from pipelines.annotate import run_annotation

REPOSITORY = Path(__file__).resolve().parents[3]
DOCUMENTS = 20_000


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--annotator", "nil"), "annotator"),
        (("--format", "nil"), "format"),
        (("--precision", "int4"), "precision"),
        (("--label-set", "nil"), "label set"),
        (("--max-reject-rate", "2"), "max_reject_rate"),
        (("--shard-records", "0"), "shard_records"),
        (("--actors", "0"), "actors"),
        (("--token-budget", "0"), "token_budget"),
        (("--memory-cap", "0"), "memory cap"),
        (("--ray", "ray://head:1"), "ray_address"),
    ],
)
def test_bad_options_are_named_before_anything_starts(
    bioner: Command, samples: list[Path], tmp_path: Path, words: tuple[str, str], named: str
) -> None:
    """Catches an option that is checked only when Ray runs, or an error that does not say which option."""
    done = bioner("annotate", samples[0], "--store", tmp_path / "s", "--annotator", "null", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert named in done.err
    assert "starting" not in done.err


def test_a_pattern_without_files_is_named(bioner: Command, tmp_path: Path) -> None:
    """Catches a typing error in a path that passes for a finished job."""
    done = bioner("annotate", tmp_path / "no-such-*.xml", "--store", tmp_path / "s", "--annotator", "null")
    assert done.code == 2
    assert "no-such-*.xml" in done.err


def test_a_store_that_cannot_be_made_is_named_before_anything_starts(
    bioner: Command, samples: list[Path], tmp_path: Path
) -> None:
    """Catches work that is thrown away at the end because nothing can be written."""
    (tmp_path / "file").touch()
    done = bioner("annotate", samples[0], "--store", tmp_path / "file" / "s", "--annotator", "null")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "--store" in done.err


def test_a_missing_base_model_says_what_to_run_before_ray_starts(
    bioner: Command, samples: list[Path], tmp_path: Path, model_card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a first-time user who waits for Ray only to read an actor's traceback."""
    monkeypatch.setenv("BIONER_CACHE", str(tmp_path / "empty"))
    done = bioner("annotate", samples[0], "--store", tmp_path / "s", "--model", model_card)
    assert done.code == 1
    assert "bioner models pull" in done.err
    assert "starting" not in done.err


@pytest.mark.usefixtures("pulled_base")
def test_a_model_without_rows_for_its_tags_is_named_before_ray_starts(
    bioner: Command, samples: list[Path], tmp_path: Path, model_card: Path
) -> None:
    """Catches a damaged model that each actor loads, three times over, before the user hears of it."""
    (model_card / ROWS_FILE).unlink()
    done = bioner("annotate", samples[0], "--store", tmp_path / "s", "--model", model_card)
    assert done.code == 1
    assert "no rows for its tags" in done.err
    assert "starting" not in done.err


def test_a_finished_job_is_a_success_without_ray(
    bioner: Command, samples: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a rerun that starts actors, or a fingerprint of the command line that is not that of the annotator."""
    store = tmp_path / "s"
    run_annotation(null_job(store, *samples), service_factory=NullAnnotator)
    monkeypatch.setitem(sys.modules, "pipelines.pool.pool", None)
    done = bioner("annotate", *samples, "--store", store, "--annotator", "null")
    assert done.code == 0
    assert done.out.startswith("nothing to do, no model call: 2 shards, all committed before\n")
    found = json.loads(bioner("annotate", *samples, "--store", store, "--annotator", "null", "--json").out)
    assert (found["rows_sent"], found["shards_skipped"], found["annotated"], found["deleted"]) == (0, 2, 22, 2)


def test_more_rejects_than_allowed_end_with_3(bioner: Command, tmp_path: Path) -> None:
    """Catches a job of rejects that ends like a good one, or whose allowance has no effect."""
    dump, store = tmp_path / "bad.jsonl", tmp_path / "s"
    dump.write_text('{"id": "1", "text": "CD28"}\n{"id": "2"}\n')
    run_annotation(null_job(store, dump), service_factory=NullAnnotator)
    words = ("annotate", dump, "--store", store, "--annotator", "null")
    done = bioner(*words)
    assert done.code == 3
    assert "50.0%" in done.err
    assert bioner(*words, "--max-reject-rate", "0.5").code == 0


@pytest.mark.slow
def test_samples_through_beam_and_ray_and_a_rerun(bioner_process: Command, samples: list[Path], tmp_path: Path) -> None:
    """Catches anything that breaks between the command line and Parquet, and words of Ray or Beam in the JSON."""
    store = tmp_path / "s"
    words = ("annotate", *samples, "--store", store, "--annotator", "null", "--json")
    first, second = bioner_process(*words), bioner_process(*words)
    assert (first.code, second.code) == (0, 0)
    found, again = json.loads(first.out), json.loads(second.out)
    assert first.out.count("\n") == 1
    assert (found["records_in"], found["annotated"], found["deleted"], found["rejected"]) == (24, 22, 2, 0)
    assert (found["shards_committed"], found["rows_sent"]) == (2, found["rows"])
    assert (again["shards_committed"], again["rows_sent"]) == (0, 0)
    assert "starting" in first.err
    assert "starting" not in second.err
    assert verify_store(Store(store)).sound


@pytest.mark.slow
def test_options_after_a_lone_dash_go_to_beam(bioner_process: Command, samples: list[Path], tmp_path: Path) -> None:
    """Catches Beam options that are taken for inputs, or lost."""
    done = bioner_process(
        "annotate", samples[1], "--store", tmp_path, "--annotator", "null", "--", "--direct_num_workers=nonsense"
    )
    assert done.code != 0
    assert "direct_num_workers" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["while Ray starts", "while documents are annotated"])
def test_an_interrupt_ends_in_order_and_leaves_no_process(tmp_path: Path, number: signal.Signals, moment: str) -> None:
    """Catches a stack trace, a wrong exit code, half a shard, or Ray processes that outlive Ctrl-C or SIGTERM."""
    assert "Traceback" not in _interrupt(tmp_path, number, moment)


@pytest.mark.slow
def test_an_interrupt_ends_beam_workers_in_other_processes(tmp_path: Path) -> None:
    """Catches Beam workers that outlive Ctrl-C, and go on to commit to a store that is no longer locked."""
    options = ("--", "--direct_running_mode=multi_processing", "--direct_num_workers=2")
    said = _interrupt(tmp_path, signal.SIGINT, "while documents are annotated", *options)
    assert "defect of bioner" not in said, "Beam's workers log what they like, but the command ends in order"


def _interrupt(tmp_path: Path, number: signal.Signals, moment: str, *options: str) -> str:
    """Interrupt a job and check that nothing is left of it; what it said on standard error."""
    psutil = pytest.importorskip("psutil")
    dump, store = tmp_path / "many.jsonl", tmp_path / "s"
    dump.write_text("".join(f'{{"id": "{n}", "text": "CD28 and IL-2 in case {n}."}}\n' for n in range(DOCUMENTS)))
    words = [sys.executable, "-m", "jobs.main", "annotate", str(dump), "--store", str(store), "--annotator", "null"]
    with (tmp_path / "err").open("w+") as err:
        process = subprocess.Popen([*words, *options], cwd=REPOSITORY, env=os.environ, stderr=err, stdout=err)
        try:
            if moment == "while Ray starts":
                _wait(lambda: "starting" in (tmp_path / "err").read_text(), process)
            else:
                _wait(lambda: any(store.glob("manifests/*.json")), process)
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(number)
            assert process.wait(timeout=180) == 128 + number
        finally:
            process.kill()
    words_said = (tmp_path / "err").read_text()
    assert "interrupted" in words_said
    _, alive = psutil.wait_procs(children, timeout=90)
    assert not alive
    assert verify_store(Store(store)).sound
    return words_said


def _wait(condition: Callable[[], bool], process: "subprocess.Popen[bytes]", seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "ended before its time"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_files_of_a_folder_that_no_reader_knows_are_named_and_no_rejects(
    bioner: Command, samples: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a README beside the dumps that is a reject of every run, or that nobody hears of."""
    folder, store = tmp_path / "in", tmp_path / "s"
    folder.mkdir()
    for sample in samples:
        (folder / sample.name).write_bytes(sample.read_bytes())
    (folder / "README.md").write_text("Dumps of today.")
    dumps = [folder / sample.name for sample in samples]
    run_annotation(null_job(store, *dumps), service_factory=NullAnnotator)
    monkeypatch.setitem(sys.modules, "pipelines.pool.pool", None)
    done = bioner("annotate", folder, "--store", store, "--annotator", "null", "--json")
    found = json.loads(done.out)
    assert (done.code, found["rejected"], found["unread"]) == (0, 0, [str(folder / "README.md")])
    assert f"note: 1 file not read, since no reader knows such: {folder / 'README.md'}" in done.err
