"""`bioner train sft|selector`: fine-tune a model, and train its entity selector, from files of settings."""

import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bioner_core.spoken import spoken_count
from bioner_core.training.selector_settings import read_selector_settings
from bioner_core.training.settings import (
    SettingOrigin,
    SftSettings,
    continued_origins,
    continued_settings,
    read_settings,
)
from jobs.options.common import Json
from jobs.terminal.console import only_results_on_stdout, print_result, quiet_transformers, say

if TYPE_CHECKING:
    from bioner_core.training.selector_training import SelectorReport

app = typer.Typer(help="Fine-tune models.", rich_markup_mode=None)

SFT_HELP = """
Fine-tune a base model on gold corpora. Writes a model directory. Interrupted, the same command goes on from its last
checkpoint. Every hyper-parameter is printed with where it came from: default, file, command line, or the model to go
on from.

\b
Example:
  bioner train sft --settings mine.toml --output runs/mine --max-minutes 60
"""

SELECTOR_HELP = """
Train and calibrate the entity selector of a fine-tuned model, on sentences that the model was not trained on, and store
it with its thresholds in the model's directory.

\b
Example:
  bioner train selector --settings mine-selector.toml --model runs/mine
"""

Settings = Annotated[Path, typer.Option("--settings", help="TOML file of hyper-parameters and corpora.")]
Output = Annotated[Path, typer.Option("--output", help="Folder of the new model.")]
MaxTokens = Annotated[
    int | None, typer.Option(help="Stop after so many tokens. Default: the settings file's, else 2,000,000.")
]
MaxMinutes = Annotated[
    float | None, typer.Option(help="Stop after so many minutes. Default: the settings file's, else 90.")
]
LearningRate = Annotated[
    float | None, typer.Option(help="Peak learning rate. Default: the settings file's, else 1e-3.")
]
Seed = Annotated[
    int | None, typer.Option(help="Seed of order and initial weights. Default: the settings file's, else 13.")
]
Model = Annotated[Path, typer.Option("--model", help="Folder of the model; the selector is written into it.")]
Candidates = Annotated[
    Path | None, typer.Option(help="Folder that keeps what the model tagged, so that a second run need not decode.")
]
Processes = Annotated[
    int, typer.Option("--processes", help="How many processes tag sentences; each holds the model.", min=1)
]
Threads = Annotated[
    int | None, typer.Option(help="Processor threads; 0 leaves it to torch. Default: the settings file's, else 0.")
]


@app.command(help=SFT_HELP)
def sft(
    settings: Settings,
    output: Output,
    max_tokens: MaxTokens = None,
    max_minutes: MaxMinutes = None,
    learning_rate: LearningRate = None,
    seed: Seed = None,
    threads: Threads = None,
    as_json: Json = False,
) -> int:
    """Fine-tune; returns the exit code."""
    started = time.monotonic()
    with only_results_on_stdout():
        overrides: dict[str, object] = {
            "max_tokens": max_tokens,
            "max_minutes": max_minutes,
            "learning_rate": learning_rate,
            "seed": seed,
            "threads": threads,
        }
        chosen, origins = read_settings(settings, overrides)
        if is_main_process():
            _say_settings(continued_settings(chosen), continued_origins(chosen, origins))
        quiet_transformers()
        from bioner_core.training.sft import SftRun

        run = SftRun(chosen, output, log=say)
        run.train()
    seconds = round(time.monotonic() - started, 1)
    if not is_main_process():
        return 0
    result = {"output": str(output), "steps": run.progress.steps, "tokens": run.progress.tokens, "seconds": seconds}
    print_result(
        result,
        as_json=as_json,
        show=lambda: print(
            f"{output}: {spoken_count(run.progress.steps, 'step')}, {run.progress.tokens} tokens in {seconds:.0f} s"
        ),
    )
    return 0


@app.command(help=SELECTOR_HELP)
def selector(
    settings: Settings, model: Model, candidates: Candidates = None, processes: Processes = 1, as_json: Json = False
) -> int:
    """Train the selector; returns the exit code."""
    with only_results_on_stdout():
        chosen = read_selector_settings(settings)
        quiet_transformers()
        from bioner_core.training.selector_training import train_selector

        report = train_selector(model, chosen, log=say, candidates=candidates, processes=processes)
    print_result(asdict(report), as_json=as_json, show=lambda: _show_report(report))
    return 0


def is_main_process() -> bool:
    """Whether this is the process that speaks, where a launcher (`torchrun`) started several."""
    return os.environ.get("RANK", "0") == "0"


def _show_report(report: "SelectorReport") -> None:
    for name, before in report.f1_without.items():
        print(f"{name:<32} development F1 {before:.4f} without, {report.f1_with[name]:.4f} with the selector")
    print(f"threshold {report.common_threshold:.3f}, drawn there as by {report.rule.strength:g} gold spans:")
    print(f"each the lowest that costs at most {report.rule.spare:.2%} of F1 where it was fitted")
    for tag, threshold in report.thresholds.items():
        print(f"  {tag:<20} {threshold:.3f}")
    for one in report.left_out:
        f1 = f"{one.without.f1:.4f} without, {one.with_selector.f1:.4f} with, {one.by_tag_score.f1:.4f} by tag score"
        error = f"calibration error {one.calibration_error:.3f}"
        print(f"left out: {one.corpus} ({one.label_set}): F1 {f1}; {error}")
    print(f"expected calibration error {report.calibration_error:.4f}")


def _say_settings(settings: SftSettings, origins: Sequence[SettingOrigin]) -> None:
    for one in origins:
        say(f"{one.name:<22} {one.value!s:<26} ({one.origin})")
    for corpus in settings.corpora:
        held_out = f", the last {corpus.held_out} held out" if corpus.held_out else ""
        weight = "by temperature" if corpus.weight is None else corpus.weight
        say(f"{'corpus':<22} {corpus.file}: label set {corpus.label_set}, weight {weight}{held_out}")
