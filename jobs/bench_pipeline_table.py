"""A bench of the pipeline as a table for people."""

from rich.console import Console
from rich.table import Table

from bioner_core.benchmark.pipeline_report import PipelineBench

_COLUMNS = (
    "actors",
    "sentences a document",
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
    console = Console()
    if bench.seconds_per_batch is not None:
        console.print(f"a simulated batch takes {bench.seconds_per_batch:g} s", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("annotator")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for point in bench.points:
        table.add_row(
            point.annotator,
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
