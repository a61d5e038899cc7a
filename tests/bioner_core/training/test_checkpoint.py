"""Checkpoints: what is loaded is what was saved, and a killed run always finds a whole one."""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from bioner_core.errors import ModelError
from bioner_core.training import checkpoint
from bioner_core.training.batches import plan_digest
from bioner_core.training.checkpoint import TrainingProgress, load_checkpoint, save_checkpoint
from bioner_core.training.settings import CorpusMix, SftSettings
from bioner_core.training.sft import SftRun
from tests.bioner_core.training.training_samples import tiny_settings


def fresh(shape: tuple[int, ...] = (2, 3)) -> tuple[dict[str, nn.Parameter], torch.optim.Optimizer]:
    """Parameters and an optimizer that has not stepped."""
    torch.manual_seed(0)
    values = {"rows": nn.Parameter(torch.randn(shape)), "bias": nn.Parameter(torch.randn(4))}
    groups = [{"params": [values["rows"]], "peak": 0.1}, {"params": [values["bias"]], "peak": 0.2}]
    return values, torch.optim.AdamW(groups, lr=0.1)


def step(values: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer, seed: int) -> None:
    """One step with gradients of this seed."""
    generator = torch.Generator().manual_seed(seed)
    for value in values.values():
        value.grad = torch.randn(value.shape, generator=generator)
    optimizer.step()


def saved(folder: Path, steps: int = 2) -> dict[str, nn.Parameter]:
    """Save a run after some steps; its parameters."""
    values, optimizer = fresh()
    for seed in range(steps):
        step(values, optimizer, seed)
    save_checkpoint(folder, TrainingProgress(steps, 99, 1.5), values=values, optimizer=optimizer)
    return values


def load(folder: Path) -> tuple[TrainingProgress, dict[str, nn.Parameter]]:
    """Load into a fresh run."""
    values, optimizer = fresh()
    return load_checkpoint(folder, values=values, optimizer=optimizer), values


def test_a_resumed_optimizer_makes_the_same_steps(tmp_path: Path) -> None:
    """Would catch moments or step counts that are lost: the first steps after a resume would be too long."""
    values, optimizer = fresh()
    for seed in range(4):
        step(values, optimizer, seed)
    saved(tmp_path / "checkpoint")
    others, other = fresh()
    with torch.no_grad():
        others["rows"].zero_()
    assert load_checkpoint(tmp_path / "checkpoint", values=others, optimizer=other) == TrainingProgress(2, 99, 1.5)
    for seed in (2, 3):
        step(others, other, seed)
    for name, value in values.items():
        assert torch.equal(value, others[name])
    assert [group["peak"] for group in other.param_groups] == [0.1, 0.2]


def test_without_a_checkpoint_progress_is_zero(tmp_path: Path) -> None:
    """Would catch a first run that fails for want of a checkpoint, or parameters that are changed."""
    progress, values = load(tmp_path / "checkpoint")
    assert progress == TrainingProgress()
    assert torch.equal(values["rows"], fresh()[0]["rows"])


def test_a_newer_checkpoint_replaces_the_older(tmp_path: Path) -> None:
    """Would catch a second save that fails, or that leaves the first in place."""
    saved(tmp_path / "checkpoint", steps=1)
    values = saved(tmp_path / "checkpoint", steps=3)
    progress, loaded = load(tmp_path / "checkpoint")
    assert progress.steps == 3
    assert torch.equal(loaded["rows"], values["rows"])
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_a_kill_while_the_new_one_is_written_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch an old checkpoint removed before the new one is whole."""
    saved(tmp_path / "checkpoint", steps=1)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save_file", killed)
    with pytest.raises(KeyboardInterrupt):
        saved(tmp_path / "checkpoint", steps=2)
    assert load(tmp_path / "checkpoint")[0].steps == 1


class Killed(BaseException):
    """Stands for a SIGKILL."""


def kill_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so many removals and renamings be done, whole, and the next be cut short: one file of a folder removed."""
    left = [count]

    def counted(done: Callable[..., None], half: Callable[..., None]) -> Callable[..., None]:
        def call(*given: Any, **named: Any) -> None:
            if left[0] == 0:
                half(*given)
                raise Killed
            left[0] -= 1
            done(*given, **named)

        return call

    def half_removed(folder: Path, *_: object) -> None:
        for file in sorted(folder.glob("*.json"))[:1]:
            file.unlink()

    monkeypatch.setattr("os.replace", counted(os.replace, lambda *_: None))
    monkeypatch.setattr("shutil.rmtree", counted(shutil.rmtree, half_removed))


def test_a_kill_at_any_step_of_an_exchange_leaves_a_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch hours of training lost to a kill while the old checkpoint is removed: the run would start anew."""
    found = []
    for count in range(20):
        folder = tmp_path / str(count) / "checkpoint"
        saved(folder, steps=1)
        with monkeypatch.context() as patch:
            kill_after(count, patch)
            try:
                values = saved(folder, steps=2)
            except Killed:
                values = None
        # A second kill, while a run recovers from the first, costs nothing either.
        with monkeypatch.context() as patch:
            kill_after(count % 3, patch)
            with suppress(Killed):
                load(folder)
        progress, loaded = load(folder)
        found.append(progress.steps)
        assert [one.name for one in folder.parent.iterdir() if "new" not in one.name] == ["checkpoint"]
        if values is not None:
            assert torch.equal(loaded["rows"], values["rows"])
            break
    assert found == sorted(found)
    assert found.count(1) < 4 < len(found)
    assert found[-1] == 2


def test_a_half_removed_checkpoint_gives_way_to_the_new_one(tmp_path: Path) -> None:
    """Would catch a run that an earlier version was killed in, and that starts anew beside a whole checkpoint."""
    saved(tmp_path / "checkpoint", steps=1)
    saved(tmp_path / "other", steps=2)
    (tmp_path / "other").rename(tmp_path / "checkpoint.new")
    (tmp_path / "checkpoint" / "progress.json").unlink()
    assert load(tmp_path / "checkpoint")[0].steps == 2


def test_a_kill_during_the_first_save_starts_anew(tmp_path: Path) -> None:
    """Would catch a half-written first checkpoint that is taken for a whole one."""
    half = tmp_path / "checkpoint.new"
    half.mkdir()
    (half / "state.safetensors").write_bytes(b"half")
    assert load(tmp_path / "checkpoint")[0] == TrainingProgress()


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    """Would catch parameters of another shape (another rank, another tag set) that are loaded or crash."""
    saved(tmp_path / "checkpoint")
    values, optimizer = fresh(shape=(1, 3))
    with pytest.raises(ModelError, match="other settings"):
        load_checkpoint(tmp_path / "checkpoint", values=values, optimizer=optimizer)
    values, optimizer = fresh()
    with pytest.raises(ModelError, match="other settings"):
        load_checkpoint(tmp_path / "checkpoint", values={"rows": values["rows"]}, optimizer=optimizer)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    """Would catch a traceback from the depths of safetensors."""
    saved(tmp_path / "checkpoint")
    (tmp_path / "checkpoint" / "state.safetensors").write_bytes(b"short")
    with pytest.raises(ModelError, match="is damaged"):
        load(tmp_path / "checkpoint")


def test_a_checkpoint_of_today_s_form_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a later refactoring after which a run of many hours cannot go on: other names, order or counters."""
    settings = tiny_settings(tmp_path, monkeypatch, max_tokens=600)
    run = SftRun(settings, tmp_path / "run", log=lambda _: None)
    values = [f"adapter/{index}" for index in range(len(run.trainable.adapter_parameters))]
    values += ["added_rows", "move_rows", "move_bias", "definition_keys", "definition_queries"]
    run.train()
    tensors = load_file(tmp_path / "run" / "checkpoint" / "state.safetensors")
    moments = {
        f"optimizer/{index}/{name}" for index in range(len(values)) for name in ("exp_avg", "exp_avg_sq", "step")
    }
    assert tensors.keys() == {f"value/{name}" for name in values} | moments
    written = json.loads((tmp_path / "run" / "checkpoint" / "progress.json").read_text(encoding="utf-8"))
    assert written.keys() == {"steps", "tokens", "seconds", "plan", "made_from"}
    # The same by hand, with another number in it: it must be what a new run starts from.
    folder = tmp_path / "other" / "checkpoint"
    folder.mkdir(parents=True)
    save_file(tensors | {"value/move_bias": tensors["value/move_bias"] + 1}, folder / "state.safetensors")
    (folder / "progress.json").write_text(json.dumps(written | {"steps": 7, "tokens": 10}), encoding="utf-8")
    resumed = SftRun(settings, tmp_path / "other", log=lambda _: None)
    assert (resumed.progress.steps, resumed.progress.tokens) == (7, 10)
    assert torch.equal(resumed.trainable.model.move_bias.detach(), tensors["value/move_bias"] + 1)


def test_the_digest_of_a_plan_is_what_it_was() -> None:
    """Would catch a digest that changes though the batches do not: a run of many hours would refuse to go on."""
    corpora = (CorpusMix("a.jsonl", "genia", 0.7, held_out=3), CorpusMix("b.jsonl", "pubtator", 0.3, types=("Gene",)))
    assert plan_digest(SftSettings(corpora=corpora), 1)[:16] == "50c0163d0cbb5714"
