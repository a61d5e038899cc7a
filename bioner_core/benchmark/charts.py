"""The figures of benches as image files of their own: whole SVG, white behind."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from bioner_core.benchmark.decode_report import DecodeBench
from bioner_core.benchmark.pipeline_report import PipelineBench, PipelineFigures
from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.charts import WIDTH, bar_chart

_BACKGROUND = '<rect width="100%" height="100%" fill="#ffffff"/>'
_TITLE_HEIGHT = 22


def check_chart_name(path: Path) -> None:
    """Find out before the bench what would otherwise come up after it.

    Raises:
        ConfigurationError: the name does not end in .svg, or its folder is not there.
    """
    if path.suffix.lower() != ".svg":
        raise ConfigurationError(f"--chart: {str(path)!r}; charts are SVG images, name a file that ends in .svg")
    if not path.parent.is_dir():
        raise ConfigurationError(f"--chart: the folder of {str(path)!r} is not there; make it first")


def chart_file(title: str, chart: str) -> str:
    """One chart, as `bioner_core.evaluation.charts` draws it, as a whole SVG file."""
    start, _, rest = chart.partition(">")
    return f"{start}><title>{escape(title)}</title>{_BACKGROUND}{rest}\n"


def charts_file(title: str, charts: Sequence[tuple[str, str]]) -> str:
    """Several charts below each other, each a title and what `bioner_core.evaluation.charts` drew, as one SVG file."""
    parts, y = [], 0
    for name, chart in charts:
        parts.append(f'<text x="4" y="{y + 15}" font-size="12" font-weight="bold" fill="#1b1f24">{escape(name)}</text>')
        height = int(chart.split('viewBox="0 0 ')[1].split('"')[0].split()[1])
        parts.append(
            chart.replace("<svg ", f'<svg x="0" y="{y + _TITLE_HEIGHT}" width="{WIDTH}" height="{height}" ', 1)
        )
        y += _TITLE_HEIGHT + height
    opening = (
        f'<svg viewBox="0 0 {WIDTH} {y}" role="img" aria-label="{escape(title)}" xmlns="http://www.w3.org/2000/svg" '
        'font-family="system-ui, sans-serif">'
    )
    return f"{opening}<title>{escape(title)}</title>{_BACKGROUND}{''.join(parts)}</svg>\n"


def decode_chart(bench: DecodeBench) -> str:
    """Sentences per minute of each contender at each batch size, as a whole SVG file."""
    rows: list[tuple[str, tuple[float | None, ...]]] = []
    for figures in bench.batches:
        rows.append((f"batch {figures.batch}", (None,)))
        rows.extend(
            (name.replace("_", " "), (60 * one.sentences_per_second,)) for name, one in figures.contenders.items()
        )
    title = f"sentences per minute, {bench.model}, {bench.number_format}"
    return chart_file(title, bar_chart(title, rows, as_counts=True))


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
    feeders = "" if point.feeders == 1 else f", {point.feeders} feeders"
    return f"{point.annotator} x {point.actors}{feeders}{length}"


def _megabytes(size: int | None) -> float | None:
    return None if size is None else size / 1e6
