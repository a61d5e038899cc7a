"""A job's page of metrics and its file, as Prometheus and node_exporter read them."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import null_job
from prometheus_client.parser import text_string_to_metric_families

from bioner_core.errors import ConfigurationError, ModelError, PoolError, StoreError
from bioner_core.inference.annotation import NullAnnotator
from bioner_core.store.layout import Store
from bioner_core.store.manifest import total
from bioner_core.store.reading import read_manifests
from jobs.options.metrics import MetricsOutlet, metrics_shown
from pipelines.annotate import run_annotation
from pipelines.watch.metrics_page import JobPage

REPOSITORY = Path(__file__).resolve().parents[3]
DOCUMENTS = 4_000


def numbers(text: str) -> dict[tuple[str, str], float]:
    """The number of each (series, value of its label)."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(one.name, ",".join(one.labels.values())): one.value for one in samples}


def read(address: str) -> str:
    """What is at an address on this machine."""
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310
        return str(answer.read().decode())


def test_the_page_is_there_for_the_block_on_this_machine_only(capsys: pytest.CaptureFixture[str]) -> None:
    """Catches a page on the network, or a port that is kept after the job."""
    page = JobPage()
    with metrics_shown(MetricsOutlet(metrics_port=0), page, job="annotate"):
        address = capsys.readouterr().err.split()[-1]
        assert address.startswith("http://127.0.0.1:")
        assert numbers(read(address))["bioner_job_running", "annotate"] == 1
        page.end(0)
    with pytest.raises(urllib.error.URLError):
        read(address)


def test_a_port_that_is_taken_is_named() -> None:
    """Catches a stack trace, or a job that runs without the page that was asked for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigurationError, match=f"--metrics-port: 127.0.0.1:{port}"),
            metrics_shown(MetricsOutlet(metrics_port=port), JobPage(), job="annotate"),
        ):
            pytest.fail("the block was begun")


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (ValueError("no"), 1), (ConfigurationError("model: no"), 2)]
)
def test_the_file_tells_of_a_job_that_was_stopped(tmp_path: Path, error: BaseException, code: int) -> None:
    """Catches a night that failed and leaves the last night's good file."""
    file = tmp_path / "bioner.prom"
    with (
        pytest.raises(type(error)),
        metrics_shown(MetricsOutlet(metrics_file=file), JobPage(), job="nightly pubmed"),
    ):
        raise error
    found = numbers(file.read_text())
    assert found["bioner_job_exit_code", "nightly pubmed"] == code
    assert found["bioner_job_running", "nightly pubmed"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["bioner.prom"]


def test_a_job_that_systemd_cuts_short_tells_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a night of 20 hours that passes for one that somebody ended with Ctrl-C."""
    file = tmp_path / "bioner.prom"
    monkeypatch.setattr("jobs.options.metrics.interrupted_exit_code", lambda: 143)
    with (
        pytest.raises(PoolError),
        metrics_shown(MetricsOutlet(metrics_file=file), JobPage(), job="nightly pubmed"),
    ):
        raise PoolError("the actors are gone")
    assert numbers(file.read_text())["bioner_job_exit_code", "nightly pubmed"] == 143


def test_a_folder_that_is_not_there_is_told_before_the_job_begins(tmp_path: Path) -> None:
    """Catches a night of work that ends with a file that could never have been written."""
    outlet = MetricsOutlet(metrics_file=tmp_path / "mistyped" / "bioner.prom")
    with (
        pytest.raises(ConfigurationError, match=r"--metrics-file: .*mistyped"),
        metrics_shown(outlet, JobPage(), job="annotate"),
    ):
        pytest.fail("the block was begun")


def test_a_file_that_cannot_be_written_hides_no_error_of_the_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Catches a full disk under the metrics for which a person looks, while the model is what was missing."""
    file = tmp_path / "bioner.prom"
    file.mkdir()
    outlet = MetricsOutlet(metrics_file=file)
    with pytest.raises(ModelError, match="no such model"), metrics_shown(outlet, JobPage(), job="annotate"):
        raise ModelError("no such model")
    assert "error: --metrics-file: " in capsys.readouterr().err
    with pytest.raises(StoreError, match=r"bioner\.prom"), metrics_shown(outlet, JobPage(), job="annotate"):
        pass


@pytest.mark.parametrize(
    ("verb", "words", "code"),
    [
        (("annotate",), ("--annotator", "nil"), 2),
        (("nightly", "cnki", "--from"), ("--annotator", "nil"), 2),
        (("nightly", "cnki", "--from"), ("--annotator", "null"), 1),
        (("backfill", "pmc", "--from"), ("--annotator", "null"), 1),
    ],
)
def test_a_job_that_fails_early_leaves_its_file_too(
    bioner: Command, tmp_path: Path, verb: tuple[str, ...], words: tuple[str, ...], code: int
) -> None:
    """Catches a night that ends in its first second, at a model or a place that is not there, and sets off no alert."""
    file, place = tmp_path / "bioner.prom", tmp_path / "none"
    done = bioner(*verb, place, "--store", tmp_path / "s", "--metrics-file", file, *words)
    assert done.code == code
    found = numbers(file.read_text())
    assert found["bioner_job_exit_code", " ".join(verb).removesuffix(" --from")] == code


def test_a_port_that_is_none_is_a_usage_error(bioner: Command, samples: list[Path], tmp_path: Path) -> None:
    """Catches an option that is looked at only when the job is under way."""
    words = ("--store", tmp_path / "s", "--annotator", "null", "--metrics-port", "70000")
    done = bioner("annotate", samples[0], *words)
    assert (done.code, "--metrics-port: is 70000" in done.err) == (2, True)


@pytest.mark.parametrize("verb", [("annotate",), ("nightly", "cnki", "--from")])
def test_a_job_without_work_leaves_its_file_too(bioner: Command, tmp_path: Path, verb: tuple[str, ...]) -> None:
    """Catches an alert on a missed night because nothing was new that night."""
    file, store, (dump, drop) = tmp_path / "bioner.prom", tmp_path / "s", (tmp_path / "in.jsonl", tmp_path / "drop")
    drop.mkdir()
    dump.write_text('{"id": "1", "text": "CD28."}\n')
    run_annotation(null_job(store, dump), service_factory=NullAnnotator)
    place = dump if verb == ("annotate",) else drop
    done = bioner(*verb, place, "--store", store, "--annotator", "null", "--metrics-file", file)
    assert done.code == 0
    found = numbers(file.read_text())
    command = " ".join(verb).removesuffix(" --from")
    assert (found["bioner_job_exit_code", command], found["bioner_job_running", command]) == (0, 0)


@pytest.mark.slow
def test_the_page_while_a_job_runs_and_the_file_at_its_end(tmp_path: Path) -> None:
    """Catches a page that stands still, that counts more than is committed, or a file that says something else than
    the store."""
    dump, store, file = tmp_path / "many.jsonl", tmp_path / "s", tmp_path / "bioner.prom"
    dump.write_text("".join(f'{{"id": "{n}", "text": "CD28 and IL-2 in case {n}."}}\n' for n in range(DOCUMENTS)))
    words = [sys.executable, "-m", "jobs.main", "annotate", str(dump), "--store", str(store), "--annotator", "null"]
    with (tmp_path / "err").open("w+") as err:
        options = ["--metrics-port", "0", "--metrics-file", str(file), "--shard-records", "100"]
        process = subprocess.Popen([*words, *options], cwd=REPOSITORY, env=os.environ, stderr=err, stdout=err)
        seen = list[float]()
        while process.poll() is None:
            if address := re.search(r"http://127\.0\.0\.1:\d+/metrics", (tmp_path / "err").read_text()):
                try:
                    found = numbers(read(address.group()))
                except OSError:
                    break  # the job has just ended
                done = total(manifest.counts for manifest in read_manifests(Store(store))).annotated
                seen.append(found["bioner_documents_total", ""])
                assert seen[-1] <= done
            time.sleep(0.1)
        assert process.wait(timeout=60) == 0, (tmp_path / "err").read_text()
    assert seen == sorted(seen)
    assert any(0 < one < DOCUMENTS for one in seen), "the page moved while the job ran"
    found, counts = numbers(file.read_text()), total(manifest.counts for manifest in read_manifests(Store(store)))
    assert found["bioner_documents_total", ""] == counts.annotated == DOCUMENTS
    assert found["bioner_mentions_total", ""] == counts.mentions == 0
    assert found["bioner_rows_total", ""] == counts.rows
    assert found["bioner_job_exit_code", "annotate"] == 0
    assert found["bioner_tokens_total", ""] > counts.rows
    assert found["bioner_batch_seconds_count", ""] == found["bioner_batch_fill_count", ""] > 0
    assert sum(value for (name, _), value in found.items() if name == "bioner_actor_busy_seconds_total") > 0
