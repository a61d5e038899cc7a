"""A short soak, as a person runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_faults_of_every_kind_change_no_row_and_leave_no_process(tmp_path: Path) -> None:
    """Would catch a fault, or two at once, that loses or doubles a row, hangs a job or leaves a process behind.

    Two pools side by side, each with two feeders, over stores on this machine and on object storage.
    """
    words = [sys.executable, "-m", "devtools.soak", "--faults", "8", "--seed", "3", "--output", str(tmp_path / "soak")]
    words += ["--pools", "2", "--feeders", "2", "--stores", "local", "s3", "--deadline", "8"]
    done = subprocess.run(
        [*words, "--json"], cwd=REPOSITORY, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert (found["failures"], found["orphans"], done.returncode) == ([], [], 0)
    assert found["faults"] == 8
    assert set(found["faults_by_kind"].values()) == {1}
    lines = (tmp_path / "soak" / "faults.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(1, 9))
    assert json.loads((tmp_path / "soak" / "summary.json").read_text()) == found
    assert not any((tmp_path / "soak" / "stores").iterdir())
