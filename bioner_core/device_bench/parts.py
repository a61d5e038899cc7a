"""The parts one after the other, in a process of their own: whatever ends it does not end the bench."""

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from bioner_core.device_bench.settings import FAST, RIGHT, SHARES, STAND_IN, TRAINS, DeviceBenchSettings
from bioner_core.device_bench.steps import FAILED, Clock, Journal, Step, StepResult, run_steps, traceback_lines

_BEGIN = "begin"

StepsOf = Callable[[DeviceBenchSettings, str], list[Step]]
"""The steps of a part; a function of a module, since it is called in another process."""


def core_steps(settings: DeviceBenchSettings, part: str) -> list[Step]:
    """The steps of the parts that need torch and transformers alone; heavy imports happen here."""
    import torch

    from bioner_core.device_bench.bench_models import BenchModels, machine_step

    models = BenchModels(settings)
    if models.model == STAND_IN and not models.on_gpu:
        torch.set_num_threads(1)  # matrices so small are slower on many
    steps = [machine_step(models)] if part == settings.parts[0] else []
    if part == RIGHT:
        from bioner_core.device_bench.right import right_steps

        steps += right_steps(models)
    if part == FAST:
        from bioner_core.device_bench.fast import fast_steps

        steps += fast_steps(models)
    if part == TRAINS:
        from bioner_core.device_bench.trains import training_steps

        steps += training_steps(models)
    return steps if models.on_gpu else [replace(one, needs=min(one.needs, 1.0)) for one in steps]


def run_parts(
    settings: DeviceBenchSettings,
    journal_path: Path,
    ends: float,
    known: Collection[tuple[str, str]],
    steps_of: StepsOf,
) -> None:
    """Run all parts until `time.time()` is `ends`, but for the steps that are known; what a child process does.

    Each part may take its share of the time that is left when it begins.
    """
    journal = Journal(journal_path)
    for place, part in enumerate(settings.parts):
        done = {name for at, name in known if at == part}
        if _BEGIN in done:
            continue
        try:
            steps = steps_of(settings, part)
        except Exception as error:  # noqa: BLE001 - the step boundary: a part that cannot begin is written down too
            says = f"{type(error).__name__}: {error}"
            journal.end(StepResult(part, _BEGIN, FAILED, 0.0, says, error=traceback_lines(error)))
            continue
        # Only now: loading the libraries is no step's time.
        share = SHARES[part] / sum(SHARES[one] for one in settings.parts[place:])
        clock = Clock(time.time() + max(0.0, ends - time.time()) * share)
        run_steps(part, steps, clock=clock, journal=journal, known=done)
