"""The promise of resume, kept by the whole system: real dumps, Beam, a Ray actor, the real model, and SIGKILL."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import pytest

from bioner_core.mentions import Mention
from bioner_core.models.base_model import is_pulled
from bioner_core.models.bases import SMOLLM2
from bioner_core.store.checks.verify import verify_store
from bioner_core.store.layout import Store
from tests.stored_rows import mention_rows

KILLS = 5
SEED = 20_251_122

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_pulled(SMOLLM2), reason="needs the base model: run `bioner models pull`"),
    pytest.mark.timeout(1800),
]


def command(store: Path) -> list[str]:
    """`bioner annotate` of the bundled samples in small shards."""
    samples = resources.files("bioner_core.samples")
    inputs = [str(samples / name) for name in ("pubmed26n0001.xml", "cnki_sample.txt")]
    options = ["--store", str(store), "--shard-records", "3", "--label-set", "bc5cdr", "--label-set", "cmeee"]
    return [sys.executable, "-m", "jobs.main", "annotate", *inputs, *options, "--json", "--quiet"]


def run_to_the_end(store: Path) -> dict[str, int]:
    """Run the job undisturbed and return what it says."""
    finished = subprocess.run(command(store), capture_output=True, text=True, check=True)
    said: dict[str, int] = json.loads(finished.stdout)
    return said


def run_and_kill(store: Path, seconds: float) -> None:
    """Start the job and kill it with SIGKILL after a while, unless it is done before."""
    job = subprocess.Popen(command(store), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        job.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        job.send_signal(signal.SIGKILL)
        job.wait()


def rows_of(store: Path) -> Sequence[Mention]:
    """All mention rows of a store, sorted."""
    return sorted(mention_rows(Store(store)), key=lambda mention: mention.mention_id)


def test_five_kills_and_a_rerun_give_the_undisturbed_rows(tmp_path: Path) -> None:
    """Would catch rows lost or doubled by a kill at any point, and a rerun that annotates what was committed."""
    chooser = random.Random(SEED)
    started = time.monotonic()
    undisturbed = run_to_the_end(tmp_path / "undisturbed")
    length = time.monotonic() - started
    assert undisturbed["mentions"] > 0
    for _ in range(KILLS):
        run_and_kill(tmp_path / "killed", chooser.uniform(0.2, 0.95) * length)
    run_to_the_end(tmp_path / "killed")
    assert rows_of(tmp_path / "killed") == rows_of(tmp_path / "undisturbed")
    assert verify_store(Store(tmp_path / "killed")).sound
    again = run_to_the_end(tmp_path / "killed")
    assert again["rows_sent"] == 0, "a finished job must make no model call"
