"""`bioner retry` as a user types it, with a service that fails once in the place of the pool."""

import json
from pathlib import Path

import pytest
from job_commands import Command
from job_stores import Ailing, Well, null_job

from bioner_core.inference.annotation import NullAnnotator
from bioner_core.store.history.lock import StoreLock
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests
from jobs.runs.session import AnnotationSession
from pipelines.annotate import run_annotation

WORDS = ("--annotator", "null")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one rejected document and one rejected sentence; whoever asks for the pool gets `Well`."""
    dump = tmp_path / "in.jsonl"
    texts = ["A is ill.", "B is ill. B is well.", "C is well."]
    dump.write_text("".join(json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(texts)))
    run_annotation(null_job(tmp_path / "s", dump), service_factory=Ailing)
    monkeypatch.setattr(AnnotationSession, "service", lambda _: Well())
    return tmp_path / "s"


def test_counts_before_and_after_are_said(bioner: Command, store: Path) -> None:
    """Catches a retry of which nobody can tell whether it did anything, or an exit code that does not follow."""
    found = json.loads(bioner("retry", "--store", store, *WORDS, "--json").out)
    rows = found["before"]["rows"]
    assert rows >= 2
    assert found["before"] == {"documents": 1, "rows": rows, "by_reason": {"deadline": rows + 1}}
    assert found["after"] == {"documents": 0, "rows": 0, "by_reason": {}}
    assert (found["rows_sent"], found["shards"], found["shards_committed"], found["exit_code"]) == (rows, 1, 1, 0)
    assert (found["records_in"], found["annotated"], found["rejected"], found["row_rejects"]) == (3, 3, 0, 0)
    assert found["mentions"] == rows
    done = bioner("retry", "--store", store, *WORDS)
    assert (done.code, done.out.split(":")[0]) == (0, "nothing to retry")


def test_a_dry_run_changes_nothing(bioner: Command, store: Path) -> None:
    """Catches a look that starts actors or makes a shard anew."""
    before = list(read_manifests(Store(store)))
    done = bioner("retry", "--store", store, *WORDS, "--dry-run")
    assert done.code == 0
    assert "before  1 document and" in done.out
    assert "nothing was changed" in done.out
    found = json.loads(bioner("retry", "--store", store, *WORDS, "--dry-run", "--json").out)
    assert (found["dry_run"], found["before"] == found["after"], found["rows_sent"]) == (True, True, 0)
    assert list(read_manifests(Store(store))) == before


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("--reason", "malformed"), 2, "--reason: 'malformed' is not one that may pass: actor_died, deadline"),
        (("--label-set", "genia"), 2, "--label-set"),
        (("gone.jsonl",), 1, "gone.jsonl"),
    ],
)
def test_what_cannot_work_is_named_and_changes_nothing(
    bioner: Command, store: Path, words: tuple[str, ...], code: int, named: str
) -> None:
    """Catches a retry with another model that mixes its answers with those of the first, or passes for a success."""
    before = list(read_manifests(Store(store)))
    done = bioner("retry", *words, "--store", store, *WORDS)
    assert (done.code, done.out) == (code, "")
    assert named in done.err
    assert list(read_manifests(Store(store))) == before


def test_an_input_that_is_gone_fails_and_says_what_to_do(bioner: Command, store: Path) -> None:
    """Catches a retry that ends like a good one though nothing could be read again."""
    (store.parent / "in.jsonl").unlink()
    done = bioner("retry", "--store", store, *WORDS)
    assert done.code == 1
    assert "in.jsonl" in done.err
    assert "bioner retry INPUT" in done.err


def test_rejects_that_stay_end_with_3(bioner: Command, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a night whose rejects all stay, reported as a success."""
    monkeypatch.setattr(AnnotationSession, "service", lambda _: Ailing())
    done = bioner("retry", "--store", store, *WORDS)
    assert done.code == 3
    assert "more than the 5.0% allowed" in done.err
    assert bioner("retry", "--store", store, *WORDS, "--max-reject-rate", "1").code == 0


def test_a_retry_waits_for_no_other_job_unasked(bioner: Command, store: Path) -> None:
    """Catches two jobs at work on one shard."""
    with StoreLock(Store(store), purpose="another job"):
        done = bioner("retry", "--store", store, *WORDS)
        assert (done.code, "another job" in done.err) == (1, True)
        assert bioner("retry", "--store", store, *WORDS, "--dry-run").code == 0


def test_a_store_without_rejects_needs_no_pool(bioner: Command, tmp_path: Path, samples: list[Path]) -> None:
    """Catches actors started for nothing."""
    run_annotation(null_job(tmp_path / "s", *samples), service_factory=NullAnnotator)
    done = bioner("retry", "--store", tmp_path / "s", *WORDS)
    assert (done.code, done.out) == (
        0,
        "nothing to retry: no reject for actor_died, deadline, out_of_memory, annotation_failed\n",
    )
