"""The figures of a bench of the pipeline as an image."""

from bioner_core.benchmark.chart_file import charts_file
from bioner_core.benchmark.pipeline_report import PipelineBench, PipelineFigures
from bioner_core.evaluation.charts import bar_chart

_Rows = list[tuple[str, tuple[float | None, ...]]]


def pipeline_chart(bench: PipelineBench) -> str:
    """Documents per minute of each run; its actors' busy share above that of linear growth; its feeder's memory."""
    points = bench.points
    rates: _Rows = [(_name(one), (60 * one.documents_per_second,)) for one in points]
    shares: _Rows = [(_name(one), (one.actor_busy_share, bench.linear_share(one))) for one in points]
    memory: _Rows = [
        (_name(one), (_megabytes(one.feeder_peak_memory), _megabytes(one.actor_peak_memory))) for one in points
    ]
    charts = [
        ("documents per minute", bar_chart("documents per minute", rates, as_counts=True)),
        ("actors at work, %; of linear growth, %", bar_chart("shares", shares)),
        ("peak memory of feeder; of an actor, MB", bar_chart("memory", memory, as_counts=True)),
    ]
    return charts_file("bench of the pipeline", charts)


def _name(point: PipelineFigures) -> str:
    length = "" if point.document_sentences is None else f", {point.document_sentences} sent."
    return f"{point.annotator} x {point.actors}{length}"


def _megabytes(size: int | None) -> float | None:
    return None if size is None else size / 1e6
