"""A training process that the system kills: started again, it ends where one that was never killed ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bioner_core.models.directory import ADAPTER_FOLDER, ROWS_FILE
from tests.bioner_core.training.training_samples import tiny_settings, write_settings

REPOSITORY = Path(__file__).resolve().parents[3]


def start(settings: Path, output: Path) -> "subprocess.Popen[str]":
    """Start `bioner train sft`."""
    return subprocess.Popen(
        [sys.executable, "-m", "jobs.main", "train", "sft", "--settings", str(settings), "--output", str(output)],
        cwd=REPOSITORY,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def finish(settings: Path, output: Path) -> str:
    """Run to the end; the log."""
    process = start(settings, output)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said[-3000:]
    return said


@pytest.mark.slow
def test_sigkill_in_the_middle_costs_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a checkpoint that only an orderly end makes whole, or an order of batches that starts anew."""
    chosen = {"max_tokens": 60_000, "checkpoint_steps": 5, "average_checkpoints": 2}
    settings = write_settings(tmp_path / "settings.toml", tiny_settings(tmp_path, monkeypatch, **chosen))
    finish(settings, tmp_path / "whole")
    process = start(settings, tmp_path / "killed")
    checkpoint = tmp_path / "killed" / "checkpoint" / "progress.json"
    deadline = time.monotonic() + 120
    while not checkpoint.is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed" / ROWS_FILE).exists()
    finish(settings, tmp_path / "killed")
    for file in (ROWS_FILE, f"{ADAPTER_FOLDER}/adapter_model.safetensors"):
        whole, killed = load_file(tmp_path / "whole" / file), load_file(tmp_path / "killed" / file)
        assert all(torch.equal(whole[name], killed[name]) for name in whole), file
