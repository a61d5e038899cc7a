"""`bioner review export|import`: what a curator should look at, and the corrections back."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from bioner_core.gold.forms import FORMS
from bioner_core.review.choice import Choice, ReviewSettings
from bioner_core.review.item import ReviewUnit
from bioner_core.review.review import export_review, exported_file, import_review
from bioner_core.spoken import spoken_count
from jobs.options.common import Json, Quiet, StoreOption
from jobs.terminal.console import only_results_on_stdout, print_result
from jobs.terminal.damage import require_store_to_show
from jobs.terminal.progress import ProgressBar
from jobs.terminal.result_console import result_console

app = typer.Typer(help="Export the items that help training most, and import the corrections.", rich_markup_mode=None)

EXPORT_HELP = """
Write the sentences or documents of a store that teach most, with what the model found in them: near a threshold, where
label sets disagree, and with rare types, spread over sources and languages. Equal seeds choose equally.

\b
Examples:
  bioner review export --store my-store --label-set genia --output tasks.json
  bioner review export --store my-store --format brat --by documents --count 20 --output to_review

For Label Studio, OUTPUT.config.xml is the labelling configuration of the project. Keep OUTPUT.exported.jsonl:
`bioner review import` compares with it.
"""

IMPORT_HELP = """
Read corrected items, say how far curator and model agree (strict F1 and Cohen's kappa by token, for each type), and
write a corpus that `train` and `evaluate` read. Tasks that nobody has annotated are left out.

\b
Example:
  bioner review import done.json --exported tasks.json.exported.jsonl --output corrected.jsonl
"""

Output = Annotated[Path, typer.Option("--output", help="File of tasks; for brat a new folder.", show_default=False)]
Format = Annotated[str, typer.Option("--format", help="label-studio or brat.")]
Count = Annotated[int, typer.Option("--count", help="At most this many items.")]
By = Annotated[ReviewUnit, typer.Option("--by", help="Kind of item: a sentence or a document.")]
Choose = Annotated[Choice, typer.Option("--choose", help="The items that teach most, or any.")]
LabelSet = Annotated[str | None, typer.Option("--label-set", help="Only mentions of this label set.")]
Seed = Annotated[int, typer.Option("--seed", help="Random seed. It decides between items of equal value.")]
Corrected = Annotated[
    Path, typer.Argument(help="Label Studio's JSON export, a brat folder, or another form.", show_default=False)
]
Exported = Annotated[
    Path, typer.Option("--exported", help="OUTPUT.exported.jsonl of the export.", dir_okay=False, show_default=False)
]
Corpus = Annotated[Path, typer.Option("--output", help="Corpus to write, JSON lines.", show_default=False)]
From = Annotated[str | None, typer.Option("--from", help=f"Form of what came back: {', '.join(FORMS)}.")]


@app.command("export", help=EXPORT_HELP)
def export(
    store: StoreOption,
    output: Output,
    form: Format = "label-studio",
    count: Count = 200,
    by: By = ReviewUnit.SENTENCES,
    choose: Choose = Choice.TEACHING,
    label_set: LabelSet = None,
    seed: Seed = 13,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Write items for a curator; returns the exit code."""
    with only_results_on_stdout():
        require_store_to_show(store)
        settings = ReviewSettings(count=count, unit=by, choice=choose, label_set=label_set, seed=seed)
        with ProgressBar("documents", quiet=quiet) as progress:
            found = export_review(
                store, output, form_name=form, settings=settings, on_document=lambda: progress.done(1)
            )
    result = {"output": str(output), "exported": str(exported_file(output)), **found}
    print_result(result, as_json=as_json, show=lambda: _show_export(result))
    return 0


@app.command("import", help=IMPORT_HELP)
def import_(corrected: Corrected, exported: Exported, output: Corpus, form: From = None, as_json: Json = False) -> int:
    """Take corrections in; returns the exit code."""
    with only_results_on_stdout():
        report = import_review(corrected, exported=exported, output=output, form_name=form).to_json()
    result = {"output": str(output), **report}
    print_result(result, as_json=as_json, show=lambda: _show_import(result))
    return 0


def _show_export(result: dict[str, Any]) -> None:
    reasons = ", ".join(f"{name} {count}" for name, count in result["reasons"].items())
    print(
        f"{result['output']}: {spoken_count(result['items'], 'item')}, "
        f"{spoken_count(result['mentions'], 'mention')} ({reasons})"
    )
    print(f"keep {result['exported']}: `bioner review import` compares with it")
    if result["replaced_characters"]:
        print(
            f"blank in brat's lines: {spoken_count(result['replaced_characters'], 'character')}; offsets are the same"
        )


def _show_import(result: dict[str, Any]) -> None:
    print(f"{result['output']}: {spoken_count(result['records'], 'item')}, {result['changed']} of them changed")
    for name, said in (
        ("missing", "items did not come back, or nobody has annotated them"),
        ("foreign", "items are not of this export and are left out"),
        ("lost_entities", "entities do not fit their text and are left out; `bioner import` says which"),
    ):
        if result[name]:
            print(f"{result[name]} {said}")
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("model against curator")
    for name in ("P", "R", "F1", "kappa", "curator", "model"):
        table.add_column(name, justify="right")
    for name, one in {"all": result, **result["by_type"]}.items():
        kappa = "-" if one["kappa"] is None else f"{one['kappa']:.3f}"
        ratios = (f"{one[ratio]:.4f}" for ratio in ("precision", "recall", "f1"))
        table.add_row(name, *ratios, kappa, str(one["support"]), str(one["predicted"]))
    result_console().print(table)
