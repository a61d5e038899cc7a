"""What is no store is not called sound, and nothing is written where no store can be."""

import json
import os
from pathlib import Path

import pytest
from job_commands import call
from job_stores import word_store

from jobs.main import COMMANDS


@pytest.mark.parametrize("verb", ["verify", "status", "report", "compact", "mentions", "query SELECT", "show x"])
def test_a_folder_that_is_no_store_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], verb: str) -> None:
    """Catches a typed folder that exists, such as /etc, reported as sound for ever."""
    (tmp_path / "passwd").touch()
    before = sorted(tmp_path.rglob("*"))
    assert call(*verb.split(), "--store", str(tmp_path)) == 2
    assert "is no store" in capfd.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("store", ["s3://bucket/store", "gs://bucket", "file:///tmp/x", "hdfs://host/x"])
def test_a_url_is_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], store: str
) -> None:
    """Catches `--store s3://bucket/x` that writes into a local folder `s3:` and says that all is committed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text('{"text": "CD28 binds"}\n')
    for words in (["annotate", "a.jsonl", "--annotator", "null"], ["verify"], ["compact"]):
        assert call(*words, "--store", store) == 2
        assert "is a URL" in capfd.readouterr().err
    assert os.listdir(tmp_path) == ["a.jsonl"]


@pytest.mark.parametrize("name", ["a[1]", "a*", "what?"])
def test_a_path_that_a_query_takes_for_a_pattern_is_refused_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    """Catches hours of annotation in a store that `compact` and `query` refuse afterwards."""
    (tmp_path / "a.jsonl").write_text('{"text": "CD28 binds"}\n')
    store = tmp_path / name / "store"
    assert call("annotate", str(tmp_path / "a.jsonl"), "--annotator", "null", "--store", str(store)) == 2
    assert "pattern" in capfd.readouterr().err
    assert not store.parent.exists()


def test_a_lost_manifest_and_damaged_notes_are_found(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Catches a shard that was committed, whose manifest is gone, in a store called sound; and `status` that one
    damaged report stops."""
    store = word_store(tmp_path)
    assert call("verify", "--store", str(store)) == 0
    [gone, kept] = sorted((store / "manifests").glob("*.json"))
    gone.unlink()
    kept_text = kept.read_text()
    kept.write_text("{")
    [plan, _] = sorted((store / "plans").glob("*.json"))
    capfd.readouterr()
    assert call("verify", "--store", str(store), "--json") == 1
    faults = "\n".join(json.loads(capfd.readouterr().out)["faults"])
    assert f"{gone.stem}: a run has committed it, and its manifest is gone" in faults
    assert kept.name in faults
    [report] = (store / "jobs").glob("*.json")
    report.write_text("[]")
    plan.write_text("")
    assert call("status", "--store", str(store), "--json") == 0
    said = json.loads(capfd.readouterr().out)
    assert said["shards_committed"] == 0
    assert [any(path.name in one for one in said["damaged"]) for path in (kept, report)] == [True, True]
    assert call("verify", "--store", str(store), "--json") == 1
    faults = "\n".join(json.loads(capfd.readouterr().out)["faults"])
    assert plan.name in faults
    assert report.name in faults
    kept.write_text(kept_text)
    assert "verify" in COMMANDS
