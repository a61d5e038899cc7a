"""`bioner train sft`: fine-tune a model from a file of settings."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.console import only_results_on_stdout, print_result, quiet_transformers, say
from jobs.options import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bioner_core.training.settings import SettingOrigin, SftSettings

app = typer.Typer(help="Fine-tune models.", rich_markup_mode=None)

SFT_HELP = """
Fine-tune a base model on gold corpora. Writes a model directory. Interrupted, the same command goes on from its last
checkpoint. Every hyper-parameter is printed with where it came from: default, file or command line.

\b
Example:
  bioner train sft --settings mine.toml --output runs/mine --max-minutes 60
"""

Settings = Annotated[Path, typer.Option("--settings", help="TOML file of hyper-parameters and corpora.")]
Output = Annotated[Path, typer.Option("--output", help="Folder of the new model.")]
MaxTokens = Annotated[int | None, typer.Option(help="Stop after so many tokens.")]
MaxMinutes = Annotated[float | None, typer.Option(help="Stop after so many minutes.")]
LearningRate = Annotated[float | None, typer.Option(help="Peak learning rate.")]
Seed = Annotated[int | None, typer.Option(help="Seed of order and initial weights.")]
Threads = Annotated[int | None, typer.Option(help="Processor threads; 0 leaves it to torch.")]


@app.callback()
def train() -> None:
    """Keep `sft` a verb of its own although it is the only one."""


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
        from bioner_core.training.settings import read_settings

        overrides: dict[str, object] = {
            "max_tokens": max_tokens,
            "max_minutes": max_minutes,
            "learning_rate": learning_rate,
            "seed": seed,
            "threads": threads,
        }
        chosen, origins = read_settings(settings, overrides)
        _say_settings(chosen, origins)
        quiet_transformers()
        from bioner_core.training.sft import SftRun

        run = SftRun(chosen, output, log=say)
        run.train()
    seconds = round(time.monotonic() - started, 1)
    result = {"output": str(output), "steps": run.progress.steps, "tokens": run.progress.tokens, "seconds": seconds}
    print_result(
        result,
        as_json=as_json,
        show=lambda: print(f"{output}: {run.progress.steps} steps, {run.progress.tokens} tokens in {seconds:.0f} s"),
    )
    return 0


def _say_settings(settings: "SftSettings", origins: "Sequence[SettingOrigin]") -> None:
    for one in origins:
        say(f"{one.name:<18} {one.value!s:<26} ({one.origin})")
    for corpus in settings.corpora:
        held_out = f", the last {corpus.held_out} held out" if corpus.held_out else ""
        say(f"{'corpus':<18} {corpus.file}: label set {corpus.label_set}, weight {corpus.weight}{held_out}")
