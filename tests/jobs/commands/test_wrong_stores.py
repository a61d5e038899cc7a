"""What is no store is not called sound, and nothing is written where no store can be."""

import json
import os
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import word_store


@pytest.mark.parametrize("verb", ["verify", "status", "report", "compact", "mentions", "query SELECT", "show x"])
def test_a_folder_that_is_no_store_is_refused(bioner: Command, tmp_path: Path, verb: str) -> None:
    """Catches a typed folder that exists, such as /etc, reported as sound for ever."""
    (tmp_path / "passwd").touch()
    before = sorted(tmp_path.rglob("*"))
    done = bioner(*verb.split(), "--store", tmp_path)
    assert done.code == 2
    assert "is no store" in done.err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("store", ["http://host/store", "s3a://b/x", "file:///tmp/x", "hdfs://host/x"])
def test_a_url_of_another_kind_is_refused(
    bioner: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    """Catches `--store hdfs://host/x` that writes into a local folder `hdfs:` and says that all is committed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text('{"text": "CD28 binds"}\n')
    for words in (["annotate", "a.jsonl", "--annotator", "null"], ["verify"], ["compact"]):
        done = bioner(*words, "--store", store)
        assert done.code == 2
        assert "is on no object storage" in done.err
    assert os.listdir(tmp_path) == ["a.jsonl"]


@pytest.mark.parametrize("name", ["a[1]", "a*", "what?"])
def test_a_path_that_a_query_takes_for_a_pattern_is_refused_at_once(bioner: Command, tmp_path: Path, name: str) -> None:
    """Catches hours of annotation in a store that `compact` and `query` refuse afterwards."""
    (tmp_path / "a.jsonl").write_text('{"text": "CD28 binds"}\n')
    store = tmp_path / name / "store"
    done = bioner("annotate", tmp_path / "a.jsonl", "--annotator", "null", "--store", store)
    assert done.code == 2
    assert "pattern" in done.err
    assert not store.parent.exists()


def test_a_lost_manifest_and_damaged_notes_are_found(bioner: Command, tmp_path: Path) -> None:
    """Catches a committed shard whose manifest is gone in a store called sound; and `status` that one damaged report
    stops."""
    store = word_store(tmp_path)
    [gone, kept] = sorted((store / "manifests").glob("*.json"))
    gone.unlink()
    kept.write_text("{")
    done = bioner("verify", "--store", store, "--json")
    faults = "\n".join(json.loads(done.out)["faults"])
    assert done.code == 1
    assert f"{gone.stem}: a run has committed it, and its manifest is gone" in faults
    assert kept.name in faults
    [report] = (store / "jobs").glob("*.json")
    report.write_text("[]")
    [plan, _] = sorted((store / "plans").glob("*.json"))
    plan.write_text("")
    done = bioner("status", "--store", store, "--json")
    said = json.loads(done.out)
    assert (done.code, said["shards_committed"]) == (0, 0)
    assert [any(path.name in one for one in said["damaged"]) for path in (kept, report)] == [True, True]
    faults = "\n".join(json.loads(bioner("verify", "--store", store, "--json").out)["faults"])
    assert plan.name in faults
    assert report.name in faults
