"""`bioner bench decode|pipeline`: how fast decoding is, and how fast everything else is."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.console import only_results_on_stdout, print_result, quiet_transformers, say
from jobs.options import Json, Precision, Quiet

if TYPE_CHECKING:
    from bioner_core.benchmark.decode_report import DecodeBench
    from bioner_core.benchmark.decode_settings import DecodeBenchSettings
    from pipelines.summary import JobSummary

app = typer.Typer(help="Measure speed.", rich_markup_mode=None)

DECODE_HELP = """
Time decoding on sentences of a gold corpus, in one run and in turn on each batch: the floor that nothing gets under,
the drafted and the reference decoder, Hugging Face generate as one would write it, and two encoders.

\b
Examples:
  bioner bench decode --data test.jsonl.gz --label-set genia --sentences 256 --batch 16
  bioner bench decode --data test.jsonl.gz --label-set genia --random-config 1b --skip generate --json

The figures of the largest batch stand at the top level of the JSON object, those of all under "batches".
"""

PIPELINE_HELP = """
Time the whole way from dumps to Parquet with an annotator that finds nothing, into a store that is thrown away.

\b
Example:
  bioner bench pipeline dumps/*.xml.gz --json
"""

Data = Annotated[Path, typer.Option(help="Gold corpus, JSON lines, plain or gzip.", show_default=False)]
Name = Annotated[str, typer.Option(help="Name or TOML file of the label set.", show_default=False)]
Sentences = Annotated[int, typer.Option(help="Sentences, drawn by a fixed seed from the whole corpus.")]
Batches = Annotated[
    list[int] | None, typer.Option("--batch", help="Sentences in a batch; may be given often. Else 1, 8, 32, GPU: 128.")
]
Model = Annotated[str, typer.Option(help="'default', or the folder of a model.")]
Threads = Annotated[int | None, typer.Option(help="Processor threads; else torch decides.")]
Repeats = Annotated[int, typer.Option(help="Rounds over all sentences; figures are medians over rounds.")]
Skip = Annotated[
    list[str] | None,
    typer.Option(help="Leave out floor_with_prompt, reference, generate or encoders; may be given often."),
]
GenerateSentences = Annotated[int, typer.Option(help="On about how many of the sentences generate is timed.")]
RandomConfig = Annotated[
    str | None,
    typer.Option(help="Random weights of another shape: small, 1b, 7b, or a config.json."),
]
Moves = Annotated[
    str | None, typer.Option(help="Whose tags are written: model or gold. Else model, with --random-config gold.")
]
Chart = Annotated[Path | None, typer.Option(help="Draw sentences a minute into this SVG file.", dir_okay=False)]
Inputs = Annotated[list[str], typer.Argument(help="Files, folders, globs or URLs.", show_default=False)]


@app.command(help=DECODE_HELP)
def decode(
    data: Data,
    label_set: Name,
    sentences: Sentences = 256,
    batch: Batches = None,
    model: Model = "default",
    precision: Precision = "bfloat16",
    threads: Threads = None,
    repeats: Repeats = 1,
    skip: Skip = None,
    generate_sentences: GenerateSentences = 32,
    random_config: RandomConfig = None,
    moves: Moves = None,
    chart: Chart = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Bench decoding; returns the exit code."""
    with only_results_on_stdout():
        from bioner_core.benchmark.decode_settings import GOLD_MOVES, MODEL_MOVES, DecodeBenchSettings

        settings = DecodeBenchSettings(
            data=data,
            label_set=label_set,
            sentences=sentences,
            batches=tuple(batch or ()),
            model=model,
            precision=precision,
            threads=threads,
            repeats=repeats,
            skip=tuple(skip or ()),
            generate_sentences=generate_sentences,
            random_config=random_config,
            moves=moves or (GOLD_MOVES if random_config else MODEL_MOVES),
        )
        _check_ready(settings)
        bench = _run_decode(settings, chart, quiet=quiet)
    print_result({"data": str(data)} | bench.to_json(), as_json=as_json, show=lambda: _show_decode(bench))
    return 0


def _check_ready(settings: "DecodeBenchSettings") -> None:
    from bioner_core.labels.label_set import load_label_set
    from jobs.annotator_choice import AnnotatorChoice

    chosen = load_label_set(settings.label_set)
    AnnotatorChoice(label_sets=(chosen,), model=settings.model, precision=settings.precision).check_ready()


def _run_decode(settings: "DecodeBenchSettings", chart: Path | None, *, quiet: bool) -> "DecodeBench":
    from jobs.progress_bar import ProgressBar

    quiet_transformers()
    from bioner_core.benchmark.decode_bench import bench_decode
    from bioner_core.benchmark.decode_chart import check_chart_name, decode_chart

    if chart is not None:
        check_chart_name(chart)
    say("loading, warming up ...")
    with ProgressBar("sentences", quiet=quiet) as progress:
        bench = bench_decode(settings, on_planned=progress.planned, on_sentences=progress.done)
    if chart is not None:
        chart.write_text(decode_chart(bench), encoding="utf-8")
    return bench


def _show_decode(bench: "DecodeBench") -> None:
    from jobs.bench_table import print_bench

    print_bench(bench)


@app.command(help=PIPELINE_HELP)
def pipeline(inputs: Inputs, as_json: Json = False, quiet: Quiet = False) -> int:
    """Bench the pipeline without a model; returns the exit code of the run."""
    with only_results_on_stdout():
        from jobs.annotation_run import AnnotationWishes, annotate_inputs
        from jobs.annotator_choice import NULL, AnnotatorChoice, chosen_label_sets

        choice = AnnotatorChoice(label_sets=chosen_label_sets(()), kind=NULL)
        with tempfile.TemporaryDirectory(prefix="bioner-bench-") as store:
            wishes = AnnotationWishes(inputs=tuple(inputs), store=Path(store), annotator=choice, quiet=quiet)
            summary = annotate_inputs(wishes)
    found = _pipeline_figures(summary)
    print_result(found, as_json=as_json, show=lambda: _show_pipeline(found))
    return summary.exit_code()


def _pipeline_figures(summary: "JobSummary") -> dict[str, Any]:
    counts, seconds = summary.counts, max(summary.seconds, 1e-9)
    rates = {
        "documents_per_second": round(counts.annotated / seconds, 2),
        "sentences_per_second": round(counts.sentences / seconds, 2),
    }
    return summary.as_json() | rates


def _show_pipeline(found: dict[str, Any]) -> None:
    print(
        f"{found['annotated']} documents, {found['sentences']} sentences in {found['seconds']:.1f} s: "
        f"{found['documents_per_second']:.0f} documents/s, {found['sentences_per_second']:.0f} sentences/s"
    )
