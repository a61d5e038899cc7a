"""A feeder that sleeps in the middle of a commit, and wakes when another one has done its work."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from annotate_fakes import all_mentions, make_job, run, write_jsonl

from bioner_core.store.checks.verify import verify_store
from bioner_core.store.layout import Store
from bioner_core.store.reading import read_manifests

pytestmark = pytest.mark.slow

_SCRIPT = Path(__file__).with_name("paused_feeder.py")


@pytest.mark.usefixtures("importable_fakes")
def test_one_that_wakes_after_another_has_done_its_shard_doubles_no_row(tmp_path: Path) -> None:
    """Catches rows that stand twice, or a manifest over another one's files, when both commit one shard.

    It is the worst moment: the feeder has made sure that the shard is its own, has written the files, and sleeps before
    the manifest.
    """
    name = write_jsonl(tmp_path / "in.jsonl", [f"Protein {number} binds DNA." for number in range(23)])
    paused = subprocess.Popen([sys.executable, str(_SCRIPT), str(tmp_path / "store"), name])
    _, status = os.waitpid(paused.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert list(read_manifests(Store(tmp_path / "store"))) == []
    assert run(make_job(tmp_path / "store", name)).shards_committed == 3
    paused.send_signal(signal.SIGCONT)
    assert paused.wait(timeout=60) == 0
    run(make_job(tmp_path / "calm", name))
    assert all_mentions(tmp_path / "store") == all_mentions(tmp_path / "calm")
    assert len(list(read_manifests(Store(tmp_path / "store")))) == 3
    assert verify_store(Store(tmp_path / "store")).sound
