"""`bioner evaluate`: a model against a gold corpus."""

import json
import shlex
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import bioner_core
from bioner_core.errors import ConfigurationError
from bioner_core.file_digest import sha256_of_file
from jobs.console import only_results_on_stdout, print_result, quiet_transformers, say
from jobs.options import Json, NoSelector, Precision, Quiet

if TYPE_CHECKING:
    from bioner_core.evaluation.run import EvaluationRun
    from bioner_core.labels.label_set import LabelSet

HELP = """
Score a model on a gold corpus. Prints strict micro-F1 on offsets and type with a 95 % interval, per type, and for
nested entities alone. With a selector, the scores of the same pass without it are given too. --output and --html write
reports with more: scores by length, kinds of mistakes with example sentences, and how reliable the scores are.

\b
Examples:
  bioner evaluate --data test.jsonl.gz --label-set genia
  bioner evaluate --data test.jsonl.gz --label-set genia --output report.json --html report.html
  bioner evaluate --data ncbi.jsonl --label-set bc5cdr --types Disease --json
  bioner evaluate --data notes.jsonl --label-set my_types.toml

The corpus is JSON lines: {"id", "lang", "text", "entities": [{"start", "end", "type"}]}, offsets in code points.
"""

Data = Annotated[Path, typer.Option(help="Gold corpus, JSON lines, plain or gzip.", show_default=False)]
Name = Annotated[str, typer.Option(help="Name or TOML file of the label set.", show_default=False)]
Model = Annotated[str, typer.Option(help="'default', or the folder of a model.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first so many records.")]
Types = Annotated[str | None, typer.Option(help="Types that count, with commas; the model still looks for all.")]
Decoder = Annotated[str, typer.Option(help="drafted (fast), or reference (plain, the same answers).")]
Output = Annotated[Path | None, typer.Option(help="Write the whole report to this file, as JSON.", dir_okay=False)]
Html = Annotated[Path | None, typer.Option(help="Write the whole report to this file, as a page.", dir_okay=False)]
Examples = Annotated[int, typer.Option(min=0, help="Examples of each kind of mistake in the reports, at most.")]


def evaluate(
    data: Data,
    label_set: Name,
    model: Model = "default",
    limit: Limit = None,
    types: Types = None,
    no_selector: NoSelector = False,
    precision: Precision = "bfloat16",
    decoder: Decoder = "drafted",
    output: Output = None,
    html: Html = None,
    examples: Examples = 5,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Evaluate; returns the exit code."""
    with only_results_on_stdout():
        from bioner_core.evaluation.corpora import read_corpus
        from bioner_core.evaluation.run import evaluate_annotator, scored_types
        from bioner_core.labels.label_set import load_label_set
        from bioner_core.models.directory import model_folder
        from bioner_core.models.model_card import read_card
        from jobs.progress_bar import ProgressBar

        _check_folders(output, html)
        chosen = load_label_set(label_set)
        records = list(islice(read_corpus(data), limit))
        names = scored_types(records, chosen, _names(types))
        _check_ready(chosen, model, precision)
        say(f"loading model {model} ...")
        quiet_transformers()
        from bioner_core.annotator import load_annotator

        annotator = load_annotator(
            [chosen], model=model, precision=precision, use_selector=not no_selector, decoder=decoder
        )
        with ProgressBar("sentences", quiet=quiet) as progress:
            run = evaluate_annotator(
                annotator,
                records,
                label_set=chosen.name,
                types=names,
                has_selector=annotator.has_selector,
                tag_threshold=read_card(model_folder(model)).tag_thresholds.get(chosen.name),
                examples=examples,
                on_planned=progress.planned,
                on_sentences=progress.done,
            )
    about = {
        "data": str(data),
        "label_set": chosen.name,
        "model": model,
        "decoder": decoder,
        "number_format": precision,
    }
    if output or html:
        asked = {"limit": limit, "types": types, "no_selector": no_selector, "precision": precision, "decoder": decoder}
        origin = {
            "command": _command(data, label_set, model, asked),
            "version": bioner_core.__version__,
            "data_sha256": sha256_of_file(data),
            "fingerprint": annotator.fingerprint,
        }
        _write_reports(about | origin | run.to_json() | {"examples": run.examples_json()}, output=output, html=html)
    print_result(about | run.to_json(), as_json=as_json, show=lambda: _show(run))
    return 0


def _check_folders(*files: Path | None) -> None:
    for file in files:
        if file is not None and not file.parent.is_dir():
            raise ConfigurationError(f"{file}: there is no folder {str(file.parent)!r}; make it first")


def _command(data: Path, label_set: str, model: str, asked: dict[str, Any]) -> str:
    """The command that makes these scores again, with every option that was set."""
    words = ["bioner", "evaluate", "--data", str(data), "--label-set", label_set, "--model", model]
    for name, value in asked.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value not in (None, False):
            words += [option, str(value)]
    return shlex.join(words)


def _write_reports(report: dict[str, Any], *, output: Path | None, html: Path | None) -> None:
    from bioner_core.evaluation.html_report import render_report

    if output is not None:
        output.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        say(f"report: {output}")
    if html is not None:
        html.write_text(render_report(report), encoding="utf-8")
        say(f"report: {html}")


def _names(types: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in types.split(",")) if types else ()


def _check_ready(label_set: "LabelSet", model: str, precision: str) -> None:
    from jobs.annotator_choice import AnnotatorChoice

    AnnotatorChoice(label_sets=(label_set,), model=model, precision=precision).check_ready()


def _show(run: "EvaluationRun") -> None:
    from jobs.score_table import print_scores

    print_scores(run)
