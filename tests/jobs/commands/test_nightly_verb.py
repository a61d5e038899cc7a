"""`bioner nightly` and `bioner backfill` as a user types them; the slow tests start real processes, Ray and actors."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from job_commands import Command

from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.ledger import applied_files
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from pipelines.nightly.pubmed import NLM_PLACES

REPOSITORY = Path(__file__).resolve().parents[3]
NIGHTLY = (sys.executable, "-m", "jobs.main", "nightly", "pubmed")
EXPORT = "RT Journal Article\nSR 1\nA1 某人\nT1 肺炎\nJF 示例\nYR 2025\n\n"


def publish(folder: Path, *pmids: int, number: int = 1) -> Path:
    """Put a release file of these citations, and its companion, into a folder."""
    folder.mkdir(exist_ok=True)
    articles = "".join(
        f'<PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article><ArticleTitle>Title {pmid}'
        "</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
        for pmid in pmids
    )
    name = f"pubmed26n{number:04d}.xml.gz"
    content = gzip.compress(f"<PubmedArticleSet>{articles}</PubmedArticleSet>".encode())
    (folder / name).write_bytes(content)
    (folder / f"{name}.md5").write_text(f"MD5({name})= {hashlib.md5(content, usedforsecurity=False).hexdigest()}\n")
    return folder


def test_a_dry_run_shows_the_plan_and_changes_nothing(bioner: Command, tmp_path: Path) -> None:
    """Catches a dry run that makes a store, takes a lock, or hides that its estimate is a guess."""
    place = publish(publish(tmp_path / "in", 1), 2, number=2)
    arguments = ("--from", place, "--store", tmp_path / "s", "--annotator", "null", "--dry-run")
    for verb in ("nightly", "backfill"):
        done = bioner(verb, "pubmed", *arguments, "--json")
        said = json.loads(done.out)
        assert (done.code, said["files"]) == (0, ["pubmed26n0001.xml.gz", "pubmed26n0002.xml.gz"])
        assert said["estimate"]["measured"] is False
        assert said["estimate"]["seconds"] > 0
        assert "a guess" in bioner(verb, "pubmed", *arguments).out
    assert not (tmp_path / "s").exists()


def test_a_vocabulary_that_is_not_there_is_told_before_the_night_begins(bioner: Command, tmp_path: Path) -> None:
    """Catches a night of work that ends with a name that was mistyped."""
    place = publish(tmp_path / "in", 1)
    words = ("--from", place, "--store", tmp_path / "s", "--annotator", "null", "--link", "no-such")
    done = bioner("nightly", "pubmed", *words)
    assert done.code == 2
    assert "no-such" in done.err
    assert not (tmp_path / "s").exists()


def test_a_dry_run_tells_a_missing_number(bioner: Command, tmp_path: Path) -> None:
    """Catches a plan that promises what the run would refuse."""
    place = publish(publish(tmp_path / "in", 1), 3, number=3)
    done = bioner("nightly", "pubmed", "--from", place, "--store", tmp_path / "s", "--annotator", "null", "--dry-run")
    assert done.code == 1
    assert "number 2 of 2026 is missing" in done.err


def test_a_dry_run_at_a_gap_does_not_say_that_all_is_applied(bioner: Command, tmp_path: Path) -> None:
    """Catches "nothing to do: no file is new or changed" beside an error that says that files wait for one."""
    place = publish(tmp_path / "in", 3, number=3)
    done = bioner("nightly", "pubmed", "--from", place, "--store", tmp_path / "s", "--annotator", "null", "--dry-run")
    assert (done.code, done.out) == (1, "nothing can be applied, see the error\n")
    assert "number 1 of 2026 is missing" in done.err


@pytest.mark.parametrize("verb", ["nightly", "backfill"])
def test_a_dry_run_leaves_out_what_is_before_the_first_number(bioner: Command, tmp_path: Path, verb: str) -> None:
    """Catches a plan of all of PubMed for a store that is to begin with its newest files."""
    place = publish(publish(publish(tmp_path / "in", 1), 2, number=2), 3, number=3)
    words = (verb, "pubmed", "--from", place, "--store", tmp_path / "s", "--annotator", "null", "--dry-run", "--json")
    done = bioner(*words, "--first-number", "3")
    assert (done.code, json.loads(done.out)["files"]) == (0, ["pubmed26n0003.xml.gz"])
    assert ("2 files of 2026 left out" in done.err) == (verb == "nightly")
    assert bioner(*words, "--first-number", "0").code == 2


@pytest.mark.parametrize("verb", ["nightly", "backfill"])
def test_the_help_names_the_places_that_are_asked_unasked(bioner: Command, verb: str) -> None:
    """Catches a command that goes to NLM for all of PubMed without its help having said so."""
    told = " ".join(bioner(verb, "pubmed", "--help").out.split())
    assert "Default: NLM's baseline and updatefiles." in told
    assert [place.rstrip("/").rpartition("/")[2] for place in NLM_PLACES] == ["baseline", "updatefiles"]


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("nightly", "pubmed", "--annotator", "nil"), 2, "annotator"),
        (("nightly", "pubmed", "--label-set", "nil"), 2, "label set"),
        (("nightly", "pubmed", "--wait", "-1"), 2, "--wait"),
        (("nightly", "pubmed", "--shard-records", "0", "--annotator", "null"), 2, "shard_records"),
        (("backfill", "pubmed", "--shard", "0/3"), 2, "shard"),
        (("backfill", "pubmed", "--shard", "half"), 2, "K/N"),
        (("backfill", "pmc"), 2, "--from"),
        (("nightly", "cnki"), 2, "--from"),
    ],
)
def test_bad_options_are_named_before_anything_starts(
    bioner: Command, tmp_path: Path, words: tuple[str, ...], code: int, named: str
) -> None:
    """Catches an option that is checked only when the network was asked and Ray runs."""
    place = () if named == "--from" else ("--from", publish(tmp_path / "in", 1))
    done = bioner(*words, *place, "--store", tmp_path / "s")
    assert (done.code, done.out) == (code, "")
    assert named in done.err
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("verb", ["nightly pubmed", "nightly cnki", "backfill pubmed", "backfill pmc"])
def test_a_place_that_does_not_answer_is_one_line(bioner: Command, tmp_path: Path, verb: str) -> None:
    """Catches a traceback, a success, or a new store left behind, when the place cannot be listed."""
    done = bioner(*verb.split(), "--from", tmp_path / "nil", "--store", tmp_path / "s", "--annotator", "null")
    assert done.code == 1
    assert "cannot be listed" in done.err or "no folder" in done.err
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("verb", [("nightly", "pubmed"), ("nightly", "cnki"), ("backfill", "pubmed"), ("annotate",)])
def test_a_second_job_on_the_store_stops_with_a_clear_line(
    bioner: Command, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    """Catches two jobs at work on one store."""
    place = publish(tmp_path / "in", 1)
    (tmp_path / "s").mkdir()
    words = (*verb, place) if verb == ("annotate",) else (*verb, "--from", place)
    with StoreLock(Store(tmp_path / "s"), purpose="bioner nightly pubmed", run_id="r1"):
        done = bioner(*words, "--store", tmp_path / "s", "--annotator", "null", "--json")
    assert (done.code, done.out) == (1, "")
    assert "another job is at work on this store (bioner nightly pubmed, run r1" in done.err


@pytest.mark.slow
def test_nights_and_a_backfill_from_the_command_line(bioner_process: Command, tmp_path: Path) -> None:
    """Catches verbs that work in this process only, a second run that starts a model, JSON with something beside it."""
    place, drop = publish(publish(tmp_path / "in", 1, 2), 2, 3, number=2), tmp_path / "drop"
    drop.mkdir()
    (drop / "a.txt").write_text(EXPORT, encoding="utf-8")
    store = ("--store", tmp_path / "s", "--annotator", "null", "--json")
    first = bioner_process("nightly", "pubmed", "--from", place, *store)
    said = json.loads(first.out)
    assert (first.code, said["files_applied"], said["annotated"], said["unchanged"]) == (0, 2, 3, 1)
    again = bioner_process("nightly", "pubmed", "--from", place, *store)
    assert (again.code, json.loads(again.out)["files_applied"]) == (0, 0)
    assert "starting" not in again.err
    assert json.loads(bioner_process("backfill", "pubmed", "--from", place, *store).out)["files_applied"] == 0
    assert json.loads(bioner_process("nightly", "cnki", "--from", drop, *store).out)["annotated"] == 1
    publish(place, 4, number=3)
    planned = json.loads(bioner_process("nightly", "pubmed", "--from", place, *store, "--dry-run").out)
    assert (planned["files"], planned["estimate"]["measured"]) == (["pubmed26n0003.xml.gz"], True)
    assert verify_store(Store(tmp_path / "s")).sound


@pytest.mark.slow
def test_two_nights_at_once_do_the_work_once(tmp_path: Path) -> None:
    """Catches two cron jobs that overlap: the second one must wait, and then find nothing to do."""
    place = publish(tmp_path / "in", 1, 2)
    words = [*NIGHTLY, "--from", str(place), "--store", str(tmp_path / "s"), "--annotator", "null"]
    words += ["--json", "--quiet", "--wait", "200"]
    jobs = [
        subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [json.loads(job.communicate(timeout=300)[0]) for job in jobs]
    assert sorted(one["files_applied"] for one in said) == [0, 1]
    assert len(applied_files(Store(tmp_path / "s"), "pubmed")) == 1


@pytest.mark.slow
def test_a_night_after_a_killed_one_takes_its_lock(bioner_process: Command, tmp_path: Path) -> None:
    """Catches a killed job whose lock somebody must remove by hand."""
    place = publish(tmp_path / "in", 1, 2)
    words = [*NIGHTLY, "--from", str(place), "--store", str(tmp_path / "s"), "--annotator", "null"]
    job = subprocess.Popen([*words, "--quiet"], cwd=REPOSITORY, env=os.environ.copy())
    deadline = time.monotonic() + 60
    while not list((tmp_path / "s").glob("locks/*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    job.kill()
    job.wait()
    done = bioner_process(*words[3:], "--json")
    assert (done.code, json.loads(done.out)["files_applied"]) == (0, 1)
    assert "took over the lock of a job that has died" in done.err
