"""What a trainer sees, and keeps, of the first minutes of a run."""

from pathlib import Path

import pytest

from bioner_core.training import sft
from bioner_core.training.sft import SftRun
from tests.bioner_core.training.training_samples import tiny_settings


def test_the_first_step_is_told_with_the_time_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches minutes without a word, in which nobody knows whether the run will take an hour or a week."""
    log: list[str] = []
    SftRun(tiny_settings(tmp_path, monkeypatch), tmp_path / "run", log=log.append).train()
    assert log[0].startswith("loading tiny")
    steps = [line for line in log if line.startswith("step ")]
    assert steps[0].startswith("step 1 ")
    assert steps[0].endswith(" left")


def test_a_checkpoint_comes_by_the_clock_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a kill before step 100 that loses all, and such checkpoints taken into the mean of the last ones."""
    monkeypatch.setattr(sft, "FIRST_CHECKPOINT_SECONDS", 0.0)
    settings = tiny_settings(tmp_path, monkeypatch, checkpoint_steps=1000, average_checkpoints=2, max_tokens=3_000)
    output = tmp_path / "run"
    seen: dict[str, bool] = {}

    def log(line: str) -> None:
        seen[" ".join(line.split()[:2])] = (output / "checkpoint").exists()

    SftRun(settings, output, log=log).train()
    assert seen["step 1"] is False
    assert seen["step 10"] is True
    assert len(list((output / "last_checkpoints").glob("*.safetensors"))) == 1
