"""Steps that are prepared ahead: the same ones in the same order, whoever prepares them."""

from pathlib import Path

import pytest

from bioner_core.training.step_loader import PreparedStep, prepared_steps
from tests.bioner_core.training.test_sft import tiny_settings, train


def marked_step(batches: list[int], number: int) -> PreparedStep:
    """A step that says what it was made from."""
    return PreparedStep(batches=(), terms=number, tokens=batches[0])


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_steps_come_in_order_whoever_prepares_them(workers: int) -> None:
    """Would catch workers that prepare a step twice, leave one out, or number from their own share."""
    plan = [[index * 10] for index in range(11)]
    found = list(prepared_steps(iter(plan), marked_step, first=7, workers=workers))
    assert [(one.terms, one.tokens) for one in found] == [(7 + index, index * 10) for index in range(11)]


def test_workers_change_no_weight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch batches that reach the model in another order, or under other prompts, when workers prepare them."""
    states = []
    for workers in (0, 2):
        settings = tiny_settings(tmp_path, monkeypatch, max_tokens=2_000, varied_prompts=0.5, loader_workers=workers)
        train(settings, tmp_path / f"run{workers}")
        states.append(weights(tmp_path / f"run{workers}"))
    assert states[0] == states[1]


def weights(folder: Path) -> list[bytes]:
    """The files of weights that a run wrote, its checkpoints left out."""
    return [(folder / name).read_bytes() for name in ("adapter/adapter_model.safetensors", "rows.safetensors")]
