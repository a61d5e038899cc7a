"""How far a training run is: checkpoints to go on from, and its log lines.

A checkpoint is tensors in safetensors and counters in JSON; a killed run always leaves a whole one.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from bioner_core.errors import ModelError
from bioner_core.spoken import spoken_duration
from bioner_core.training.loss import LossParts

TENSORS_FILE, PROGRESS_FILE = "state.safetensors", "progress.json"
"""The files of a checkpoint."""

VALUE_PREFIX = "value/"
"""What the names of the trained values begin with; the others are the optimizer's state, without which a run begins one
anew."""


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far a run is: optimizer steps, tokens of the rows, and seconds of training, all runs together.

    `plan` is a digest of the settings that decide the order of the batches; a run with another plan cannot resume.
    `made_from` has digests of what the run reads (`training/run_inputs.py`); a checkpoint from before they were kept
    has none.
    """

    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    plan: str = ""
    made_from: Mapping[str, str] = field(default_factory=dict)


def save_checkpoint(
    folder: Path, progress: TrainingProgress, *, values: Mapping[str, Tensor], optimizer: torch.optim.Optimizer
) -> None:
    """Write a checkpoint beside the old one, then put it in its place.

    Whenever the process is killed, a whole one is left: the old one until the new one is whole, then the new one.
    """
    _recover(folder)
    fresh = _fresh(folder)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    tensors = {VALUE_PREFIX + name: value.detach().clone().contiguous() for name, value in values.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors.update({f"optimizer/{index}/{name}": torch.as_tensor(value).clone() for name, value in state.items()})
    save_file(tensors, fresh / TENSORS_FILE)
    # Invariant: a checkpoint that has its progress file is whole, since that file gets its name last.
    written = fresh / f"{PROGRESS_FILE}.new"
    written.write_text(json.dumps(asdict(progress)), encoding="utf-8")
    os.replace(written, fresh / PROGRESS_FILE)
    _recover(folder)


def load_checkpoint(
    folder: Path, *, values: Mapping[str, Tensor], optimizer: torch.optim.Optimizer
) -> TrainingProgress:
    """Load a checkpoint into the parameters and the optimizer; without one, progress is zero.

    Raises:
        ModelError: the checkpoint is damaged, or its tensors are not those of this run.
    """
    _recover(folder)
    if not (folder / PROGRESS_FILE).is_file():
        return TrainingProgress()
    try:
        tensors = load_file(folder / TENSORS_FILE)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"checkpoint {folder} is damaged ({error}): remove it to start anew") from error
    shapes = {
        name.removeprefix(VALUE_PREFIX): one.shape for name, one in tensors.items() if name.startswith(VALUE_PREFIX)
    }
    if shapes != {name: value.shape for name, value in values.items()}:
        raise ModelError(f"checkpoint {folder} is of a run with other settings: remove it or name another output")
    with torch.no_grad():
        for name, value in values.items():
            value.copy_(tensors[VALUE_PREFIX + name])
    saved = optimizer.state_dict()
    saved["state"] = _optimizer_state(tensors)
    optimizer.load_state_dict(saved)
    return TrainingProgress(**json.loads((folder / PROGRESS_FILE).read_text(encoding="utf-8")))


def _fresh(folder: Path) -> Path:
    return folder.with_name(folder.name + ".new")


def _is_whole(folder: Path) -> bool:
    return (folder / PROGRESS_FILE).is_file()


def _recover(folder: Path) -> None:
    """Put the newest whole checkpoint in its place: the end of each save, and of one that a kill cut short.

    The old one makes room by its name: its files are removed one by one, and half of a checkpoint would stand in the
    place of a whole one for so long.
    """
    fresh, old = _fresh(folder), folder.with_name(folder.name + ".old")
    if _is_whole(fresh):
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            os.replace(folder, old)
        os.replace(fresh, folder)
    elif not _is_whole(folder) and _is_whole(old):
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(old, folder)
    shutil.rmtree(old, ignore_errors=True)


def _optimizer_state(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        if key.startswith("optimizer/"):
            _, index, name = key.split("/")
            state.setdefault(int(index), {})[name] = tensor
    return state


class LogWindow:
    """Sums since the last log line."""

    def __init__(self, start: TrainingProgress) -> None:
        self._start = start
        self._parts: list[LossParts] = []

    def add(self, parts: LossParts) -> None:
        """Count one batch; its numbers are fetched from the device when the line is written."""
        self._parts.append(replace(parts, loss=parts.loss.detach()))

    def seconds(self, now: TrainingProgress) -> float:
        """Seconds of training since the last log line."""
        return now.seconds - self._start.seconds

    def line(self, now: TrainingProgress, share_done: float) -> str:
        """One line: step, loss, recall and precision of tags given gold history, tokens per second, time left."""
        seconds = max(self.seconds(now), 1e-9)
        terms = sum(one.terms for one in self._parts)
        loss = sum(float(one.loss) * one.terms for one in self._parts) / max(terms, 1)
        gold, predicted, right = (
            sum(int(getattr(one.tags, name)) for one in self._parts) for name in ("gold", "predicted", "right")
        )
        left = now.seconds * (1 - share_done) / max(share_done, 1e-9)
        return (
            f"step {now.steps}  loss {loss:.4f}"
            f"  tag recall {right / max(gold, 1):.3f}"
            f"  precision {right / max(predicted, 1):.3f}"
            f"  {(now.tokens - self._start.tokens) / seconds:.0f} tokens/s"
            f"  {now.tokens} tokens  {share_done:.1%} done  {spoken_duration(left)} left"
        )
