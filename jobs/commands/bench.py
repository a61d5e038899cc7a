"""`bioner bench decode|pipeline|device`: how fast decoding is, how fast everything else is, and what a GPU is worth."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bioner_core.benchmark.charts import check_chart_name, decode_chart, pipeline_chart
from bioner_core.benchmark.decode_report import DecodeBench
from bioner_core.benchmark.decode_settings import GOLD_MOVES, MODEL_MOVES, DecodeBenchSettings
from bioner_core.benchmark.pipeline_report import PipelineBench
from bioner_core.benchmark.simulated_annotator import SimulatedAnnotator
from bioner_core.device_bench.report import CHART_FILE, JSON_FILE, TABLE_FILE
from bioner_core.device_bench.settings import PARTS, DeviceBenchSettings
from bioner_core.device_bench.supervisor import bench_device
from bioner_core.errors import EXIT_FAILED
from bioner_core.labels.label_set import load_label_set
from bioner_core.spoken import spoken_count
from jobs.options.annotation import LabelSets, ThreadsPerActor, TokenBudget
from jobs.options.common import Json, Precision, Quiet
from jobs.runs.annotator import AnnotatorChoice, chosen_label_sets
from jobs.runs.bench_annotate import all_steps
from jobs.terminal.bench_tables import print_bench, print_device_bench, print_device_step, print_pipeline_bench
from jobs.terminal.console import only_results_on_stdout, print_result, quiet_transformers, say
from jobs.terminal.progress import ProgressBar

if TYPE_CHECKING:
    from jobs.runs.bench_pipeline import PipelineBenchSettings, Point

app = typer.Typer(help="Measure speed.", rich_markup_mode=None)

DECODE_HELP = """
Time decoding on sentences of a gold corpus, in one run and in turn on each batch: the floor (one pass, the least
possible), the drafted and the reference decoder, Hugging Face generate in its usual form, and two encoders.

\b
Examples:
  bioner bench decode --data test.jsonl.gz --label-set genia --sentences 256 --batch 16
  bioner bench decode --data test.jsonl.gz --label-set genia --random-config 1b --skip generate --json

The figures of the largest batch stand at the top level of the JSON object, those of all under "batches".
"""

PIPELINE_HELP = """
Time the whole way from dumps to Parquet, into stores that are thrown away: with an annotator that finds nothing, with
simulated actors that take a fixed time for each batch, or with the model.

\b
Examples:
  bioner bench pipeline dumps/*.xml.gz --json
  bioner bench pipeline dumps/ --annotator simulated --actors 1 --actors 8 --actors 32 --documents 120 --chart load.svg
  bioner bench pipeline dumps/ --annotator null --documents 2000 --document-sentences 5 --document-sentences 200
  bioner bench pipeline dumps/ --annotator simulated --actors 2 --feeders 1 --feeders 4 --documents 120
  bioner bench pipeline dumps/ --annotator simulated --actors 2 --documents 1500 --files 50

Each annotator is run with each number of feeders, and of actors for each feeder, on documents of each length. The
figures of the last run stand at the
top level of the JSON object, those of all under "points".
"""

DEVICE_HELP = """
Check and measure everything that a GPU changes, in one go: is it right, how fast is it, how does it train, is it kept
busy. Each step is written down when it ends, so that a run that is cut off still tells; a step that fails or does not
fit into the time is noted, and the next one begins. Without a GPU all of it runs on the CPU, at tiny sizes.

\b
Examples:
  bioner bench device --minutes 10 --output bench_device
  bioner bench device --minutes 3 --part right --part fast --json
  bioner bench device --minutes 2 --model stand-in

docs/gpu.md says what each step tells, and what PubMed costs by these figures.
"""

Data = Annotated[Path, typer.Option(help="Gold corpus, JSON lines, plain or gzip.", show_default=False)]
Name = Annotated[str, typer.Option(help="Name or TOML file of the label set.", show_default=False)]
Sentences = Annotated[int, typer.Option(help="Sentences, drawn by a fixed seed from the whole corpus.")]
Batches = Annotated[
    list[int] | None,
    typer.Option("--batch", help="Sentences in a batch; repeatable. Default: 1, 8, 32; on a GPU also 128."),
]
Model = Annotated[str, typer.Option(help="Name of a model that ships (`bioner models list`), or the folder of one.")]
Threads = Annotated[int | None, typer.Option(help="Processor threads. Default: torch decides.")]
Repeats = Annotated[int, typer.Option(help="Rounds over all sentences; figures are medians over rounds.")]
Skip = Annotated[
    list[str] | None,
    typer.Option(help="Leave out floor_with_prompt, reference, generate or encoders; repeatable."),
]
GenerateSentences = Annotated[int, typer.Option(help="Time `generate` on about this many sentences.")]
RandomConfig = Annotated[
    str | None,
    typer.Option(help="Random weights of another shape: small, 1b, 7b, or a config.json."),
]
Moves = Annotated[
    str | None, typer.Option(help="Who decides the tags: model or gold. Default: model, but gold with --random-config.")
]
Chart = Annotated[Path | None, typer.Option(help="Draw sentences per minute into this SVG file.", dir_okay=False)]
Inputs = Annotated[list[str], typer.Argument(help="Files, folders, globs or URLs.", show_default=False)]
Annotators = Annotated[
    list[str] | None, typer.Option("--annotator", help="null, simulated or model; repeatable. Default: null.")
]
ActorCounts = Annotated[
    list[int] | None, typer.Option("--actors", help="Actors for each feeder; repeatable. Default: 1.")
]
FeederCounts = Annotated[
    list[int] | None, typer.Option("--feeders", help="Feeders, processes if there are several; repeatable. Default: 1.")
]
Files = Annotated[
    int | None, typer.Option("--files", help="Spread the --documents over this many files, applied as by a backfill.")
]
Documents = Annotated[
    int | None,
    typer.Option(help="Documents for each actor, made of the inputs', over and over. Default: the inputs as they are."),
]
Lengths = Annotated[
    list[int] | None,
    typer.Option("--document-sentences", help="Sentences of each of the --documents; repeatable."),
]
BatchSeconds = Annotated[float, typer.Option(help="Seconds that a simulated actor takes for a batch.")]
TokenSeconds = Annotated[float, typer.Option(help="Seconds that a simulated actor takes for each estimated token.")]
Minutes = Annotated[float, typer.Option(help="Minutes for all parts together.")]
DeviceModel = Annotated[
    str | None,
    typer.Option(
        help="Name of a model that ships, the folder of one, or stand-in: random weights, no files needed. "
        "Default: the default model on a GPU, the stand-in on a CPU."
    ),
]
Parts = Annotated[
    list[str] | None, typer.Option("--part", help="right, fast, trains or annotate; repeatable. Default: all.")
]
DeviceData = Annotated[
    Path | None, typer.Option(help="Gold corpus, JSON lines. Default: sentences that come with the bench.")
]
BenchShardRecords = Annotated[int, typer.Option("--shard-records", help="Records in a shard.")]
DeviceLabelSet = Annotated[str, typer.Option(help="Name or TOML file of the label set.")]
DeviceOutput = Annotated[Path, typer.Option(help="Folder for the figures, a table and a chart.", file_okay=False)]
PipelineChart = Annotated[Path | None, typer.Option(help="Draw the figures into this SVG file.", dir_okay=False)]


@app.command(help=DECODE_HELP)
def decode(
    data: Data,
    label_set: Name,
    sentences: Sentences = 256,
    batch: Batches = None,
    model: Model = "default",
    precision: Precision = "auto",
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


def _check_ready(settings: DecodeBenchSettings) -> None:

    chosen = load_label_set(settings.label_set)
    AnnotatorChoice(label_sets=(chosen,), model=settings.model, precision=settings.precision).check_ready()


def _run_decode(settings: DecodeBenchSettings, chart: Path | None, *, quiet: bool) -> DecodeBench:

    quiet_transformers()
    from bioner_core.benchmark.decode_bench import bench_decode

    if chart is not None:
        check_chart_name(chart)
    say("loading, warming up ...")
    with ProgressBar("sentences", quiet=quiet) as progress:
        bench = bench_decode(settings, on_planned=progress.planned, on_sentences=progress.done)
    if chart is not None:
        chart.write_text(decode_chart(bench), encoding="utf-8")
    return bench


def _show_decode(bench: DecodeBench) -> None:

    print_bench(bench)


@app.command(help=PIPELINE_HELP)
def pipeline(
    inputs: Inputs,
    annotator: Annotators = None,
    actors: ActorCounts = None,
    feeders: FeederCounts = None,
    documents: Documents = None,
    files: Files = None,
    document_sentences: Lengths = None,
    seconds_per_batch: BatchSeconds = 2.0,
    seconds_per_token: TokenSeconds = 0.0,
    label_set: LabelSets = None,
    model: Model = "default",
    token_budget: TokenBudget = None,
    shard_records: BenchShardRecords = 200,
    threads_per_actor: ThreadsPerActor = None,
    chart: PipelineChart = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Bench the pipeline; returns the worst exit code of its runs."""
    with only_results_on_stdout():
        from jobs.runs.bench_pipeline import PipelineBenchSettings  # what imports pyarrow is not for --help

        settings = PipelineBenchSettings(
            inputs=tuple(inputs),
            label_sets=chosen_label_sets(label_set or (), model=model),
            annotators=tuple(annotator or ("null",)),
            actors=tuple(actors or (1,)),
            feeders=tuple(feeders or (1,)),
            documents=documents,
            files=files,
            document_sentences=tuple(document_sentences or ()),
            simulated=SimulatedAnnotator(seconds_per_batch, seconds_per_token),
            model=model,
            token_budget=token_budget,
            shard_records=shard_records,
            threads_per_actor=threads_per_actor,
            quiet=quiet,
        )
        bench, code = _run_pipeline(settings, chart)
    print_result(bench.to_json(), as_json=as_json, show=lambda: _show_pipeline(bench))
    return code


def _run_pipeline(settings: "PipelineBenchSettings", chart: Path | None) -> tuple[PipelineBench, int]:
    from jobs.runs.bench_pipeline import bench_pipeline

    def announce(point: "Point") -> None:
        if not settings.quiet:
            say(
                f"{point.annotator}, {spoken_count(point.feeders, 'feeder')}, {spoken_count(point.actors, 'actor')} ..."
            )

    if chart is not None:
        check_chart_name(chart)
    bench, code = bench_pipeline(settings, on_point=announce)
    if chart is not None:
        chart.write_text(pipeline_chart(bench), encoding="utf-8")
    return bench, code


def _show_pipeline(bench: PipelineBench) -> None:

    print_pipeline_bench(bench)


@app.command(help=DEVICE_HELP)
def device(
    minutes: Minutes = 10.0,
    model: DeviceModel = None,
    part: Parts = None,
    data: DeviceData = None,
    label_set: DeviceLabelSet = "genia",
    output: DeviceOutput = Path("bench_device"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Bench a device; returns 0 where all steps that ran came through, else 1."""
    with only_results_on_stdout():
        quiet_transformers()
        settings = DeviceBenchSettings(
            minutes=minutes,
            output=output,
            parts=tuple(one for one in PARTS if one in part) if part else PARTS,
            model=model,
            data=data,
            label_set=label_set,
        )
        load_label_set(label_set)
        bench = bench_device(settings, steps_of=all_steps, on_step=_ignore if quiet else print_device_step)
        say(f"{output / JSON_FILE}, {output / TABLE_FILE} and {output / CHART_FILE} are written")
    print_result(bench.to_json(), as_json=as_json, show=lambda: print_device_bench(bench))
    return 0 if bench.is_sound else EXIT_FAILED


def _ignore(_: object) -> None:
    """What a quiet bench does with each step."""
