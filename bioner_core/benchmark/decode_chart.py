"""The figures of a bench of decoding as an image."""

from bioner_core.benchmark.chart_file import chart_file
from bioner_core.benchmark.decode_report import DecodeBench
from bioner_core.evaluation.charts import bar_chart


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
