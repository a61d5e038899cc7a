"""Trained values kept beside the checkpoint: the best so far, and the last few for their mean."""

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from bioner_core.errors import ModelError

_F1 = "development_f1"
_ORIGIN = "origin"


class BestValues:
    """The trained values with the highest development F1 of a run, in one file; the earlier of equals."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def f1(self) -> float:
        """Their F1; below zero when there are none."""
        return float(_about(self._path)[_F1]) if self._path.is_file() else -1.0

    def forget(self) -> None:
        """Start anew: values of an earlier run in this folder do not count."""
        self._path.unlink(missing_ok=True)

    def offer(self, values: Mapping[str, Tensor], *, f1: float, origin: str) -> bool:
        """Keep these values if they are better; `origin` says for people where they came from."""
        if f1 <= self.f1:
            return False
        _write(self._path, values, {_F1: repr(f1), _ORIGIN: origin})
        return True

    def load(self, values: Mapping[str, Tensor]) -> str:
        """Put the best values into the parameters; where they came from.

        Raises:
            ModelError: there are none, or the file is damaged or of a run with other settings.
        """
        _copy(_read(self._path, values), values)
        return _about(self._path)[_ORIGIN]


class LastValues:
    """The trained values of the last few checkpoints, a file each."""

    def __init__(self, folder: Path, *, count: int) -> None:
        self._folder = folder
        self._count = count

    def forget(self) -> None:
        """Start anew: values of an earlier run in this folder do not count."""
        for file in self._folder.glob("step-*.safetensors"):
            file.unlink()

    def keep(self, values: Mapping[str, Tensor], *, step: int) -> None:
        """Keep the values of a step and forget those that are too old."""
        if self._count > 1:
            _write(self._file(step), values, {_ORIGIN: f"step {step}"})
            for old in self._kept(up_to=step)[: -self._count]:
                old.unlink()

    def load_mean(self, values: Mapping[str, Tensor], *, step: int) -> int:
        """Put the mean of the last values up to a step into the parameters; of how many checkpoints it is.

        Raises:
            ModelError: a file is damaged or of a run with other settings.
        """
        files = self._kept(up_to=step)[-self._count :]
        sums = {name: torch.zeros_like(value, dtype=torch.float64, device="cpu") for name, value in values.items()}
        for file in files:
            for name, tensor in _read(file, values).items():
                sums[name] += tensor
        _copy({name: one / len(files) for name, one in sums.items()}, values)
        return len(files)

    def _file(self, step: int) -> Path:
        return self._folder / f"step-{step:09d}.safetensors"

    def _kept(self, *, up_to: int) -> list[Path]:
        """The files in order of their steps; later ones are of a run that was killed after its last checkpoint."""
        return [file for file in sorted(self._folder.glob("step-*.safetensors")) if file <= self._file(up_to)]


def _write(path: Path, values: Mapping[str, Tensor], about: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    save_file({name: value.detach().clone().contiguous() for name, value in values.items()}, fresh, dict(about))
    os.replace(fresh, path)


def _read(path: Path, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is missing or damaged ({error}): remove the folder to start anew") from error
    if {name: one.shape for name, one in found.items()} != {name: one.shape for name, one in wanted.items()}:
        raise ModelError(f"{path} is of a run with other settings: remove it or name another output")
    return found


def _about(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, framework="pt") as file:
            about: dict[str, str] = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is missing or damaged ({error}): remove it to start anew") from error
    return about


def _copy(found: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in values.items():
            value.copy_(found[name])
