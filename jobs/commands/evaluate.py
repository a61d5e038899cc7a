"""`bioner evaluate`: a model against a gold corpus."""

import json
import shlex
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import bioner_core
from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.comparison import Comparison, compare, read_report
from bioner_core.evaluation.corpora import read_corpus, with_types
from bioner_core.evaluation.definition_probe import DefinitionProbe, probe_definition, probe_label_sets
from bioner_core.evaluation.html_report import render_report
from bioner_core.evaluation.run import EvaluationRun, evaluate_annotator, scored_types
from bioner_core.file_digest import sha256_of
from bioner_core.labels.label_set import LabelSet, load_label_set
from bioner_core.models.directory import model_folder
from bioner_core.models.model_card import read_card
from bioner_core.models.tag_choice import is_namesake
from bioner_core.spoken import spoken_count
from jobs.options.common import Json, NoSelector, Precision, Quiet, new_type_names, takes_option_groups
from jobs.runs.annotator import AnnotatorChoice
from jobs.runs.link_evaluation import evaluate_end_to_end, evaluate_gold_links, print_links
from jobs.terminal.console import only_results_on_stdout, print_result, quiet_transformers, say
from jobs.terminal.progress import ProgressBar

if TYPE_CHECKING:
    from bioner_core.inference.annotator import ModelAnnotator
from rich.table import Table

from bioner_core.evaluation.report import Evaluation
from bioner_core.evaluation.scoring import Score
from jobs.terminal.result_console import result_console

HELP = """
Score a model on a gold corpus. Prints strict micro-F1 on offsets and type with a 95 % interval, per type, and for
nested entities alone. With a selector, the scores of the same pass without it are given too. Records of several
sentences are finished as documents are (abbreviations, repeated names), and what the sentences alone gave is scored
too. --output and --html write reports with more: scores by length, kinds of mistakes with example sentences, and how
reliable the scores are.

\b
Examples:
  bioner evaluate --data test.jsonl.gz --label-set genia
  bioner evaluate --data test.jsonl.gz --label-set genia --output report.json --html report.html
  bioner evaluate --data test.jsonl.gz --label-set genia --model runs/mine --before report.json --html change.html
  bioner evaluate --data ncbi.jsonl --label-set bc5cdr --map SpecificDisease=Disease --types Disease --json
  bioner evaluate --data notes.jsonl --label-set my_types.toml
  bioner evaluate --data test.jsonl.gz --label-set bc5cdr --probe Disease --limit 50
  bioner evaluate --data test.jsonl.gz --links --vocabulary aliases --vocabulary mesh --json

--probe shows whether the model reads what a type is. F1 should fall when the definition speaks of towns and rivers. It
should not change when only the name is another.

The corpus is JSON lines: {"id", "lang", "text", "entities": [{"start", "end", "type"}]}, offsets in code points; or
brat, BioC, PubTator, CoNLL, Label Studio, doccano, told by the content, if all of it fits (`bioner import` says). With
--links its entities have a `concept` too: links of the gold mentions are scored, and with --label-set also those of the
mentions that the model finds.
"""

Data = Annotated[
    Path, typer.Option(help="Gold corpus: JSON lines, or a form that `bioner import` reads.", show_default=False)
]
Name = Annotated[str, typer.Option(help="Name or TOML file of the label set; needed without --links.")]
Links = Annotated[bool, typer.Option("--links", help="Score links to concepts, not spans.")]
Vocabularies = Annotated[
    list[str] | None, typer.Option("--vocabulary", help="Vocabulary to link to; repeatable, in order.")
]
Model = Annotated[str, typer.Option(help="Name of a model that ships (`bioner models list`), or the folder of one.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Use only the first N records.")]
Types = Annotated[str | None, typer.Option(help="Types that count, with commas; the model still looks for all.")]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", help="OLD=NEW: the data's type OLD counts as the label set's type NEW. Repeatable."),
]
Decoder = Annotated[str, typer.Option(help="drafted (fast), or reference (plain, the same answers).")]
Output = Annotated[Path | None, typer.Option(help="Write the whole report to this file, as JSON.", dir_okay=False)]
Html = Annotated[Path | None, typer.Option(help="Write the whole report to this file, as a page.", dir_okay=False)]
Before = Annotated[
    Path | None,
    typer.Option(help="A report that --output wrote of an earlier model on the same data, to compare.", dir_okay=False),
]
Probe = Annotated[
    str | None, typer.Option(help="A type of the label set: score it again defined wrongly, and under another name.")
]
DocumentPass = Annotated[
    bool | None,
    typer.Option(
        "--document-pass/--no-document-pass",
        help="Finish records as documents are. Default: if some record has several sentences.",
        show_default=False,
    ),
]
Examples = Annotated[int, typer.Option(min=0, help="Examples of each kind of mistake in the reports, at most.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOptions:
    """What is scored against what; the fields are options."""

    data: Data
    label_set: Name = ""
    links: Links = False
    vocabularies: Vocabularies = None
    model: Model = "default"
    limit: Limit = None
    types: Types = None
    new_names: Map = None
    no_selector: NoSelector = False
    precision: Precision = "auto"
    decoder: Decoder = "drafted"
    examples: Examples = 5
    document_pass: DocumentPass = None
    probe: Probe = None
    before: Before = None
    quiet: Quiet = False


@takes_option_groups
def evaluate(options: EvaluationOptions, output: Output = None, html: Html = None, as_json: Json = False) -> int:
    """Evaluate; returns the exit code."""
    if options.links:
        with only_results_on_stdout():
            report = _links(options)
        print_result(report, as_json=as_json, show=lambda: print_links(report))
        return 0
    with only_results_on_stdout():
        _check_folders(output, html)
        if not options.label_set:
            raise ConfigurationError("--label-set: is missing; name one, or give --links to score links")
        label_set = load_label_set(options.label_set)
        before = read_report(options.before) if options.before else None
        run, annotator, probe = _run(options, label_set)
    about: dict[str, Any] = {
        "data": str(options.data),
        "label_set": label_set.name,
        "model": options.model,
        "decoder": options.decoder,
        "number_format": annotator.number_format,
    }
    if probe is not None:
        about["probe"] = asdict(probe)
    comparison = None
    if output or html or before is not None:
        whole = about | _origin(options, annotator) | run.to_json() | {"examples": run.examples_json()}
        if before is not None:
            comparison = compare(before, whole)
            about["before"] = whole["before"] = comparison.to_json()
        _write_reports(whole, comparison, output=output, html=html)
    print_result(about | run.to_json(), as_json=as_json, show=lambda: _show(run, probe, comparison))
    return 0


def _links(options: EvaluationOptions) -> dict[str, Any]:
    """The scores of links, on gold mentions and, with a label set, on those that the model finds."""
    if not options.vocabularies:
        raise ConfigurationError("--links: needs --vocabulary; `bioner vocabulary list` shows which there are")
    records = with_types(islice(read_corpus(options.data), options.limit), new_type_names(options.new_names or ()))
    types = _names(options.types)
    report = {"data": str(options.data)} | evaluate_gold_links(records, options.vocabularies, types=types)
    if options.label_set:
        label_set = load_label_set(options.label_set)
        annotator = _annotator(options, label_set)
        document_pass = options.document_pass is not False
        report["end_to_end"] = {"document_pass": document_pass} | evaluate_end_to_end(
            records,
            options.vocabularies,
            annotator=annotator,
            label_set=label_set,
            types=types,
            document_pass=document_pass,
        )
    return report


def _run(
    options: EvaluationOptions, label_set: LabelSet
) -> tuple[EvaluationRun, "ModelAnnotator", DefinitionProbe | None]:
    """The scores, the annotator that they are of, and what the probe found if one was asked for."""

    records = with_types(islice(read_corpus(options.data), options.limit), new_type_names(options.new_names or ()))
    names = scored_types(records, label_set, types=_names(options.types))
    annotator = _annotator(options, label_set)
    with ProgressBar("sentences", quiet=options.quiet) as progress:
        run = evaluate_annotator(
            annotator,
            records,
            label_set=label_set.name,
            types=names,
            has_selector=annotator.has_selector,
            tag_threshold=_tag_threshold(options.model, label_set),
            document_pass=options.document_pass,
            examples=options.examples,
            on_planned=progress.planned,
            on_sentences=progress.done,
        )
    if options.probe is None:
        return run, annotator, None
    say(f"{options.probe}: defined wrongly, and under another name ...")
    return run, annotator, probe_definition(annotator, records, label_set=label_set, type_name=options.probe)


def _annotator(options: EvaluationOptions, label_set: LabelSet) -> "ModelAnnotator":

    AnnotatorChoice(label_sets=(label_set,), model=options.model, precision=options.precision).check_ready()
    say(f"loading model {options.model} ...")
    quiet_transformers()
    from bioner_core.inference.annotator import load_annotator

    probes = probe_label_sets(label_set, options.probe) if options.probe else ()
    return load_annotator(
        [label_set, *probes],
        model=options.model,
        precision=options.precision,
        use_selector=not options.no_selector,
        decoder=options.decoder,
    )


def _tag_threshold(model: str, label_set: LabelSet) -> float | None:

    card = read_card(model_folder(model))
    return None if is_namesake(label_set, card) else card.tag_thresholds.get(label_set.name)


def _origin(options: EvaluationOptions, annotator: "ModelAnnotator") -> dict[str, Any]:
    """How to make these scores again."""
    return {
        "command": _command(options, precision=annotator.number_format),
        "version": bioner_core.__version__,
        "data_sha256": sha256_of(options.data),
        "fingerprint": annotator.fingerprint,
    }


def _check_folders(*files: Path | None) -> None:
    for file in files:
        if file is not None and not file.parent.is_dir():
            raise ConfigurationError(f"{file}: there is no folder {str(file.parent)!r}; make it first")


def _command(options: EvaluationOptions, *, precision: str) -> str:
    """The command that makes these scores again, on any machine: `auto` is written out as what it was here."""
    words = ["bioner", "evaluate", "--data", str(options.data), "--label-set", options.label_set]
    for name in ("model", "limit", "types", "no_selector", "precision", "decoder"):
        value = precision if name == "precision" else getattr(options, name)
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value not in (None, False):
            words += [option, str(value)]
    if options.document_pass is not None:
        words.append("--document-pass" if options.document_pass else "--no-document-pass")
    words += [word for pair in options.new_names or () for word in ("--map", pair)]
    return shlex.join(words)


def _write_reports(
    report: dict[str, Any], comparison: Comparison | None, *, output: Path | None, html: Path | None
) -> None:
    if output is not None:
        output.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        say(f"report: {output}")
    if html is not None:
        html.write_text(render_report(report, comparison), encoding="utf-8")
        say(f"report: {html}")


def _names(types: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in types.split(",")) if types else ()


def _show(run: EvaluationRun, probe: DefinitionProbe | None, comparison: Comparison | None) -> None:
    print_scores(run)
    if comparison is not None:
        print(f"before ({comparison.before_model}) and after, F1:")
        for one in comparison.scores:
            before, after = (f"{side['f1']:.4f}" if side else "-" for side in (one.before, one.after))
            print(f"  {one.name:<24} {before} -> {after}" + ("" if one.f1 is None else f"  {one.f1:+.4f}"))
    if probe is not None:
        print(
            f"{probe.type}, every candidate counted: F1 {probe.f1:.4f}; "
            f"defined wrongly {probe.f1_wrong_definition:.4f}; under another name {probe.f1_new_name:.4f}"
        )


def print_scores(run: EvaluationRun) -> None:
    """Print overall scores, those of each type, and of the nested entities alone."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("strict, on offsets and type")
    for name in ("P", "R", "F1", "gold", "found"):
        table.add_column(name, justify="right")
    _add_evaluation(table, run.evaluation)
    if run.without_selector is not None:
        _add_score(table, "all, without the selector", run.without_selector.strict)
    if run.without_document_pass is not None:
        _add_score(table, "all, without the document pass", run.without_document_pass)
    if run.by_tag_score is not None:
        _add_score(table, "all, by tag score alone", run.by_tag_score)
    console = result_console()
    console.print(table)
    low, high = run.evaluation.ci95
    records = spoken_count(run.evaluation.records, "record")
    console.print(f"95 % interval of F1: {low:.4f} to {high:.4f} (bootstrap over {records})")
    console.print(f"{spoken_count(run.sentences, 'sentence')}, {run.sentences / max(run.seconds, 1e-9):.1f} per second")
    subsets = {"flat": run.evaluation.flat, "nested": run.evaluation.nested, "inside another": run.evaluation.inner}
    console.print("recall: " + ", ".join(f"{name} {one.recall:.4f} of {one.support}" for name, one in subsets.items()))
    counts = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in run.evaluation.mistakes.items())
    console.print(f"mistakes: {counts}")
    if run.reliability.calibration_error is not None:
        console.print(f"selector: expected calibration error {run.reliability.calibration_error:.4f}")
    if run.failed_sentences:
        console.print(f"{spoken_count(run.failed_sentences, 'sentence')} failed, taken for empty")


def _add_evaluation(table: Table, found: Evaluation) -> None:
    _add_score(table, "all", found.strict)
    for name, score in found.by_type.items():
        _add_score(table, f"  {name}", score)
    _add_score(table, "nested only", found.nested.only)
    _add_score(table, "flat only", found.flat.only)
    _add_score(table, "inside another only", found.inner.only)
    _add_score(table, "boundaries, any type", found.boundary_only)
    _add_score(table, "type, any overlap", found.relaxed)
    for name, score in found.by_length.items():
        _add_score(table, f"  {name} unit{'s' * (name != '1')}", score)


def _add_score(table: Table, name: str, score: Score) -> None:
    ratios = (f"{value:.4f}" for value in (score.precision, score.recall, score.f1))
    table.add_row(name, *ratios, str(score.support), str(score.predicted))
