"""The ablations in one command: `python -m devtools.ablations --output FOLDER`."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.options.common import Json
from jobs.terminal.console import only_results_on_stdout, print_result, quiet_transformers, say
from jobs.terminal.process import run_process

HELP = """
Train the recipes of a folder one after another and score each on the first sentences of its development sets. After
each, FOLDER/ablations.json and FOLDER/ablations.md are written anew from all that are finished. A finished one is not
run again; interrupted, the same command goes on from the last checkpoint.

\b
Example:
  python -m devtools.ablations --output runs/ablations --only joint --only lines
"""

RECIPES = Path(__file__).parent.parent / "bioner_core" / "training" / "recipes" / "ablations"

Output = Annotated[Path, typer.Option("--output", help="Folder of all runs and of the table.", show_default=False)]
Recipes = Annotated[Path, typer.Option("--recipes", help="Folder of recipes.", file_okay=False)]
Only = Annotated[list[str] | None, typer.Option(help="Run this recipe; repeatable. Default: all.")]
Sentences = Annotated[int, typer.Option(min=1, help="Development sentences per label set.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="Train each on so many tokens, whatever its recipe says.")]

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(help=HELP)
def ablations(
    output: Output,
    recipes: Recipes = RECIPES,
    only: Only = None,
    sentences: Sentences = 300,
    max_tokens: MaxTokens = None,
    as_json: Json = False,
) -> int:
    """Run the ablations; returns the exit code."""
    with only_results_on_stdout():
        quiet_transformers()
        from bioner_core.training.ablations import finished_results, read_ablations, results_table, run_ablation

        overrides = {"evaluate_sentences": sentences, "max_tokens": max_tokens}
        every = [one.name for one in read_ablations(recipes)]
        for one in read_ablations(recipes, only=only or (), overrides=overrides):
            run_ablation(one, output / one.name, log=say)
            results = finished_results(output, every)
            _write(output, results, results_table(results))
    print_result({"ablations": results}, as_json=as_json, show=lambda: print(results_table(results), end=""))
    return 0


def _write(output: Path, results: Sequence[Mapping[str, Any]], table: str) -> None:
    content = json.dumps(list(results), indent=1, ensure_ascii=False) + "\n"
    (output / "ablations.json").write_text(content, encoding="utf-8")
    (output / "ablations.md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    run_process(app, sys.argv[1:], name="python -m devtools.ablations")
