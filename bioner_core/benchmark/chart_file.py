"""Charts as image files of their own: whole SVG, white behind."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.charts import WIDTH

_BACKGROUND = '<rect width="100%" height="100%" fill="#ffffff"/>'
_TITLE_HEIGHT = 22


def check_chart_name(path: Path) -> None:
    """Find out before the bench what would otherwise come up after it.

    Raises:
        ConfigurationError: the name does not end in .svg, or its folder is not there.
    """
    if path.suffix.lower() != ".svg":
        raise ConfigurationError(f"chart: {str(path)!r}; charts are SVG images, name a file that ends in .svg")
    if not path.parent.is_dir():
        raise ConfigurationError(f"chart: the folder of {str(path)!r} is not there; make it first")


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
