"""Running one part in a process of its own, so that whatever ends it leaves the others alone."""

import time
from collections.abc import Callable, Collection
from pathlib import Path

from bioner_core.device_bench.settings import FAST, RIGHT, STAND_IN, TRAINS, DeviceBenchSettings
from bioner_core.device_bench.steps import FAILED, Clock, Journal, Step, StepResult, run_steps

StepsOf = Callable[[DeviceBenchSettings, str], list[Step]]
"""The steps of a part; a function of a module, since it is called in another process."""


def core_steps(settings: DeviceBenchSettings, part: str) -> list[Step]:
    """The steps of the parts that need torch and transformers alone; heavy imports happen here."""
    import torch

    from bioner_core.device_bench.bench_models import BenchModels
    from bioner_core.device_bench.machine_step import machine_step

    models = BenchModels(settings)
    if models.model == STAND_IN and not models.on_gpu:
        torch.set_num_threads(1)  # matrices so small are slower on many
    steps = [machine_step(models)]
    if part == RIGHT:
        from bioner_core.device_bench.right import right_steps

        steps += right_steps(models)
    if part == FAST:
        from bioner_core.device_bench.fast import fast_steps

        steps += fast_steps(models)
    if part == TRAINS:
        from bioner_core.device_bench.trains import training_steps

        steps += training_steps(models)
    return steps


def run_part(
    settings: DeviceBenchSettings,
    part: str,
    journal_path: Path,
    deadline: float,
    known: Collection[str],
    steps_of: StepsOf,
) -> None:
    """Run a part's steps but for those that are known, and write them down; what a child process does."""
    journal, started = Journal(journal_path), time.perf_counter()
    try:
        steps = steps_of(settings, part)
    except Exception as error:  # noqa: BLE001 - the step boundary: a part that cannot begin is written down too
        said = f"{type(error).__name__}: {error}"
        journal.end(StepResult(part, "begin", FAILED, time.perf_counter() - started, said))
        return
    run_steps(part, steps, clock=Clock(deadline), journal=journal, known=known)
