"""Values kept beside the checkpoint: the best is the best, the mean is the mean, and old runs do not count."""

from pathlib import Path

import pytest
import torch

from bioner_core.errors import ModelError
from bioner_core.training.kept_values import BestValues, LastValues


def values_of(*numbers: float) -> dict[str, torch.Tensor]:
    """Trained values."""
    return {"rows": torch.tensor(numbers)}


def test_the_best_values_are_those_of_the_highest_f1(tmp_path: Path) -> None:
    """Would catch the last values taken for the best, or an equal score that replaces the earlier."""
    best = BestValues(tmp_path / "best.safetensors")
    assert best.f1 == -1.0
    told = [
        best.offer(values_of(float(step)), f1=f1, origin=f"step {step}") for step, f1 in enumerate([0, 0.5, 0.5, 0.4])
    ]
    assert told == [True, True, False, False]
    found = values_of(9.0)
    assert BestValues(tmp_path / "best.safetensors").load(found) == "step 1"
    assert found["rows"].tolist() == [1.0]
    best.forget()
    assert best.f1 == -1.0


def test_the_mean_is_of_the_last_few_up_to_the_step(tmp_path: Path) -> None:
    """Would catch a mean over too many, or over steps that a resumed run has not made again yet."""
    last = LastValues(tmp_path, count=2)
    for step in (9, 10, 100, 200):
        last.keep(values_of(float(step), 1.0), step=step)
    assert [file.name for file in sorted(tmp_path.iterdir())] == [
        "step-000000100.safetensors",
        "step-000000200.safetensors",
    ]
    found = values_of(0.0, 0.0)
    assert last.load_mean(found, step=200) == 2
    assert found["rows"].tolist() == [150.0, 1.0]
    assert last.load_mean(found, step=150) == 1
    assert found["rows"].tolist() == [100.0, 1.0]
    last.forget()
    assert list(tmp_path.iterdir()) == []


def test_without_averaging_nothing_is_kept(tmp_path: Path) -> None:
    """Would catch a copy of all weights at each checkpoint that nobody asked for."""
    LastValues(tmp_path / "none", count=1).keep(values_of(1.0), step=1)
    assert list(tmp_path.iterdir()) == []


def test_damaged_or_foreign_values_are_named(tmp_path: Path) -> None:
    """Would catch a model that is written from half of its weights."""
    path = tmp_path / "best.safetensors"
    best = BestValues(path)
    with pytest.raises(ModelError, match="missing or damaged"):
        best.load(values_of(1.0))
    best.offer(values_of(1.0, 2.0), f1=0.5, origin="step 1")
    with pytest.raises(ModelError, match="other settings"):
        best.load(values_of(1.0))
    path.write_bytes(b"short")
    with pytest.raises(ModelError, match="missing or damaged"):
        best.load(values_of(1.0))
