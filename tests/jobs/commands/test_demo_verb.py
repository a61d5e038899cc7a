"""`bioner demo`: what it writes and runs, without a checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from job_commands import Command


def test_the_commands_are_shown_and_the_documents_written(bioner: Command, tmp_path: Path) -> None:
    """Catches a demo that looks for the samples in a checkout, and one that writes into a folder of the user's."""
    output = tmp_path / "demo"
    done = bioner("demo", "--output", output, "--dry-run")
    assert done.code == 0, done.err
    verbs = [line.split()[2] for line in done.out.splitlines() if line.startswith("$ bioner ")]
    assert verbs == ["annotate", "compact", "mentions", "show", "query", "review"]
    assert len(list((output / "inputs").iterdir())) == 3
    again = bioner("demo", "--output", output, "--dry-run")
    assert (again.code, "is there already" in again.err) == (2, True)


@pytest.mark.slow
def test_the_demo_runs_outside_a_checkout(tmp_path: Path) -> None:
    """Catches a step whose command or document is not there."""
    repository = Path(__file__).resolve().parents[3]
    words = [sys.executable, "-m", "jobs.main", "demo", "--output", "demo", "--annotator", "null"]
    environment = os.environ | {"PYTHONPATH": str(repository)}
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500, check=False
    )
    assert (done.returncode, (tmp_path / "demo" / "article.html").is_file()) == (0, True), done.stderr
