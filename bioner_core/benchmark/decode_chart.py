"""The figures of a bench of decoding as an image."""

from html import escape
from pathlib import Path

from bioner_core.benchmark.decode_report import DecodeBench
from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.charts import bar_chart

_BACKGROUND = '<rect width="100%" height="100%" fill="#ffffff"/>'


def check_chart_name(path: Path) -> None:
    """Find out before the bench what would otherwise come up after it.

    Raises:
        ConfigurationError: the name does not end in .svg, or its folder is not there.
    """
    if path.suffix.lower() != ".svg":
        raise ConfigurationError(f"chart: {str(path)!r}; charts are SVG images, name a file that ends in .svg")
    if not path.parent.is_dir():
        raise ConfigurationError(f"chart: the folder of {str(path)!r} is not there; make it first")


def decode_chart(bench: DecodeBench) -> str:
    """Sentences a minute of each contender at each batch size, as a whole SVG file."""
    rows: list[tuple[str, tuple[float | None, ...]]] = []
    for figures in bench.batches:
        rows.append((f"batch {figures.batch}", (None,)))
        rows.extend(
            (name.replace("_", " "), (60 * one.sentences_per_second,)) for name, one in figures.contenders.items()
        )
    title = f"sentences a minute, {bench.model}, {bench.number_format}"
    start, _, rest = bar_chart(title, rows, as_counts=True).partition(">")
    return f"{start}><title>{escape(title)}</title>{_BACKGROUND}{rest}\n"
