"""The commands on a store on object storage: they say and do what they do in a folder."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from job_commands import Command
from job_stores import Ailing, Well, WordService, null_job

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.labels.label_set import default_label_sets
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from devtools.object_service import environment_of
from jobs.runs.session import AnnotationSession
from pipelines.annotate import run_annotation

_CHANGES = re.compile(r"\d{8}T\d{6}_\d{6}Z-[0-9a-f]+|20\d\d-\d\d-\d\dT[\d:.+]+|\"[a-z_]*second[a-z_]*\": [\d.]+")
HIDDEN = environment_of("")["AWS_SECRET_ACCESS_KEY"]


def annotated(store: Store, source: Path, service: type = WordService) -> Store:
    """A store with the words of one input."""
    finish = FinishSettings.of({one.name: 0.5 for one in default_label_sets()}, document_pass=False)
    job = replace(null_job(Path("unused"), source, fingerprint="words", finish=finish), store=store)
    with StoreLock(store, purpose="test"):
        run_annotation(job, service_factory=service)
    return store


def source_of(folder: Path, *texts: str) -> Path:
    """An input of these texts, with ids from 0."""
    path = folder / "in.jsonl"
    path.write_text("".join(json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(texts)))
    return path


def said(out: str, store: Store) -> str:
    """What a command printed, without times and without the place of its store."""
    return _CHANGES.sub("", out.replace(str(store), "STORE"))


@pytest.mark.slow
def test_commands_say_of_objects_what_they_say_of_a_folder(
    bioner: Command, tmp_path: Path, object_store: Store
) -> None:
    """Catches a command that sees no store, or another one, where the store is on object storage."""
    source = source_of(tmp_path, "CD28 binds.", "p53 acts. It binds CD28.", "a b")
    stores = (annotated(object_store, source), annotated(Store(tmp_path / "store"), source))
    reading = (
        ("status", "--json"),
        ("verify", "--json"),
        ("query", "SELECT doc_id, text, type FROM mentions ORDER BY ALL", "--format", "csv"),
        ("show", "jsonl:1"),
        ("mentions", "--json"),
        ("report", "--json"),
        ("export", "--format", "jsonl", "--output", tmp_path / "out.jsonl"),
    )
    for step in range(2):
        for words in reading:
            done = [bioner(*words, "--store", store) for store in stores]
            assert [one.code for one in done] == [0, 0], (words, done[0].err)
            assert said(done[0].out, stores[0]) == said(done[1].out, stores[1])
        if step == 0:
            made = [json.loads(bioner("compact", "--store", store, "--json").out) for store in stores]
            assert made[0]["documents"] == made[1]["documents"] == 3
    assert bioner("query", "SELECT 1", "--store", f"{object_store}x").code == 2


def test_rejects_are_tried_again_on_objects(
    bioner: Command, tmp_path: Path, object_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a retry that commits beside the shard it repairs, or leaves the files of the old one."""
    source = source_of(tmp_path, "A is ill.", "B is ill. B is well.", "C is well.")
    with StoreLock(object_store, purpose="test"):
        run_annotation(replace(null_job(Path("unused"), source), store=object_store), service_factory=Ailing)
    monkeypatch.setattr(AnnotationSession, "service", lambda _: Well())
    found = json.loads(bioner("retry", "--store", object_store, "--annotator", "null", "--json").out)
    assert (found["after"]["documents"], found["after"]["rows"], found["exit_code"]) == (0, 0, 0)
    assert verify_store(object_store).sound
    named = sum(len(one.files) for one in read_manifests(object_store))
    tables = ("documents", "mentions", "rejects")
    assert sum(1 for table in tables for _ in object_store.file(table).rglob("*")) == named


def test_two_jobs_on_one_store_are_told_of_each_other(bioner: Command, tmp_path: Path, object_store: Store) -> None:
    """Catches two jobs that write into one store on object storage at once."""
    annotated(object_store, source_of(tmp_path, "CD28 binds."))
    with StoreLock(object_store, purpose="the other one", run_id="r7"):
        done = bioner("compact", "--store", object_store)
        assert done.code == 1
        assert "another job is at work on this store (the other one, run r7" in done.err
        assert "the other one" in bioner("status", "--store", object_store).out
    assert bioner("compact", "--store", object_store).code == 0


@pytest.mark.usefixtures("no_pauses")
def test_nothing_that_is_stored_or_said_holds_a_secret(
    bioner: Command, tmp_path: Path, object_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches credentials in a manifest, a report, a lease or the text of an error."""
    annotated(object_store, source_of(tmp_path, "CD28 binds."))
    said = [bioner(*words, "--store", object_store) for words in (("compact",), ("status", "--json"), ("verify",))]
    stored: list[Any] = [path.read_bytes() for path in object_store.root.rglob("*")]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    said.append(bioner("verify", "--store", object_store))
    assert said[-1].code == 1
    assert "does not answer" in said[-1].err
    assert not [one for one in said if HIDDEN in one.out + one.err]
    assert not [one for one in stored if HIDDEN.encode() in one]


@pytest.mark.slow
def test_real_jobs_work_on_objects(
    bioner_process: Command, samples: list[Path], tmp_path: Path, object_store: Store
) -> None:
    """Catches what only whole processes show: actors, Beam, downloads, a night, a backfill, on object storage."""
    null = ("--annotator", "null", "--quiet")
    first = bioner_process("annotate", samples[0], "--store", object_store, *null, "--json")
    assert first.code == 0, first.err
    again = json.loads(bioner_process("annotate", samples[0], "--store", object_store, *null, "--json").out)
    assert (again["shards_committed"], again["shards_skipped"] > 0) == (0, True)
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / samples[1].name).write_bytes(samples[1].read_bytes())
    night = bioner_process("nightly", "cnki", "--from", drop, "--store", object_store, *null, "--json")
    assert night.code == 0, night.err
    assert verify_store(object_store).sound
    assert verify_store(object_store).snapshots == 1
