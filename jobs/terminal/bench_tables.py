"""Benches as tables for people."""

from rich.console import Console
from rich.table import Table

from bioner_core.benchmark.decode_report import BatchFigures, DecodeBench
from bioner_core.benchmark.pipeline_report import PipelineBench
from bioner_core.device_bench.report import DeviceBench, line_of
from bioner_core.device_bench.steps import StepResult
from bioner_core.spoken import spoken_count
from jobs.terminal.console import say
from jobs.terminal.result_console import result_console

_NAMES = {
    "floor": "floor",
    "floor_with_prompt": "floor + prompt",
    "drafted": "drafted",
    "selector": "selector",
    "reference": "reference",
    "generate": "HF generate",
    "gliner_encoder": "GLiNER encoder",
    "gliner_encoder_int8": "GLiNER encoder, int8",
    "bert_tagger": "BERT tagger",
}


_WIDE = 200
"""Of a table of sentences, where it is not printed to a terminal."""


def print_bench(bench: DecodeBench) -> None:
    """Print what was benched on what, and a table for each batch size."""
    console = result_console()
    machine = bench.machine
    console.print(
        f"{bench.model}: {bench.parameters / 1e6:.0f} M parameters, {bench.precision.in_words}, scheme {bench.scheme}, "
        f"label set {bench.label_set}; {machine['processor']}, {machine['threads']} threads, "
        f"{machine['matrix_products_per_second'] / 1e9:.0f} GFLOP/s in matrix products"
    )
    console.print(
        f"median of {spoken_count(bench.repeats, 'round')}; the tags are those of the {bench.moves_from}",
        highlight=False,
    )
    for figures in bench.batches:
        console.print()
        _print_batch(console, figures)


def _print_batch(console: Console, figures: BatchFigures) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(f"batch {figures.batch}")
    for name in ("sentences", "seconds", "sentences/s", "tokens/s", "÷ floor", "FLOP/s used"):
        table.add_column(name, justify="right")
    for name, one in figures.contenders.items():
        table.add_row(
            _NAMES[name],
            str(one.sentences),
            f"{one.seconds:.2f}",
            f"{one.sentences_per_second:.2f}",
            "" if one.tokens_per_second is None else f"{one.tokens_per_second:.0f}",
            f"{one.to_floor:.2f}",
            "" if one.of_matrix_rate is None else f"{one.of_matrix_rate:.1%}",
        )
    console.print(table)
    for line in _remarks(figures):
        console.print(line, highlight=False)


def _remarks(figures: BatchFigures) -> list[str]:
    found = [
        f"drafted: {figures.passes_per_sentence:.2f} passes per sentence, reads {figures.tokens_read_to_floor:.2f} "
        f"times the floor's tokens; {figures.spans_per_sentence:.2f} spans per sentence; padding in attention "
        f"{figures.padding['drafted']:.1%} (floor {figures.padding['floor']:.1%})"
    ]
    if figures.reference_to_drafted is not None:
        found.append(f"reference ÷ drafted {figures.reference_to_drafted:.2f}")
    if figures.selector_to_drafted is not None:
        found.append(f"selector ÷ drafted {figures.selector_to_drafted:.3f}")
    if figures.encoder_parity is not None:
        ratio, encoder = figures.encoder_parity["ratio"], _NAMES[figures.encoder_parity["encoder"]]
        found.append(f"drafted: {ratio:.2f} times the sentences per second of the faster encoder ({encoder})")
    if figures.identical is not None:
        found.append(f"drafted = reference on {figures.identical:.2%} of the sentences")
    if figures.generate_to_drafted is not None:
        found.append(
            f"generate ÷ drafted {figures.generate_to_drafted:.2f} on the same sentences, "
            f"the same moves on {figures.generate_identical:.2%} of them"
        )
    if "difference" in figures.f1:
        found.append(f"F1 {figures.f1['drafted']:.4f}, drafted less reference {figures.f1['difference']:+.4f}")
    return found


_COLUMNS = (
    "feeders",
    "actors",
    "sentences per document",
    "documents",
    "seconds",
    "documents/s",
    "of linear",
    "actors at work",
    "first document",
    "feeder CPU",
    "feeder MB",
    "actor MB",
)


def print_pipeline_bench(bench: PipelineBench) -> None:
    """Print what was run on what, and a row for each run."""
    console = result_console()
    if bench.seconds_per_batch is not None:
        console.print(f"a simulated batch takes {bench.seconds_per_batch:g} s", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("annotator")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for point in bench.points:
        table.add_row(
            point.annotator,
            str(point.feeders),
            str(point.actors),
            "" if point.document_sentences is None else str(point.document_sentences),
            str(point.documents),
            f"{point.seconds:.1f}",
            f"{point.documents_per_second:.1f}",
            _percent(bench.linear_share(point)),
            _percent(point.actor_busy_share),
            "" if point.first_document_seconds is None else f"{point.first_document_seconds:.1f} s",
            _percent(point.feeder_cpu_share),
            _megabytes(point.feeder_peak_memory),
            _megabytes(point.actor_peak_memory),
        )
    console.print(table)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:.0f}"


def print_device_step(step: StepResult) -> None:
    """Say what became of a step, on standard error, with the end of its traceback if it failed."""
    for line in (line_of(step), *step.error):
        say(line)


def print_device_bench(bench: DeviceBench) -> None:
    """Print a row for each step of a bench of a device."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("part", "step", "outcome"):
        table.add_column(name, no_wrap=True)
    table.add_column("seconds", justify="right")
    table.add_column("what it found")
    for step in bench.steps:
        table.add_row(step.part, step.name, step.outcome, f"{step.seconds:.1f}", step.says)
    result_console(pipe_width=_WIDE).print(table, highlight=False)
