"""Charts as SVG: no script, no network, every value readable as text.

They bear light colours of their own; a page that they stand in may restyle them by their classes, for dark screens say.
Marks carry their value in a `<title>`, and the page shows the same numbers in a table beside each chart. All charts are
340 units wide, so that text keeps its size on a phone.
"""

from collections.abc import Iterable, Sequence
from html import escape

from bioner_core.evaluation.reliability import ReliabilityBin

WIDTH = 340
_LABEL_WIDTH = 150
_LONGEST_LABEL = 24
_VALUE_WIDTH = 44
_BAR = 11
_ROW_GAP = 9
_PLOT = 250
_LEFT, _TOP = 44, 12
_SMALLEST_DOT, _DOT_GROWTH = 3.0, 6.0

_STYLES = {
    "series0": 'fill="#1f5fbf"',
    "series1": 'fill="#b4560c"',
    "label": 'fill="#1b1f24" font-size="11"',
    "value": 'fill="#57606a" font-size="10"',
    "grid": 'fill="none" stroke="#d0d7de" stroke-width="0.6"',
    "line": 'fill="none" stroke="#1f5fbf" stroke-width="1.5"',
    "exact": 'fill="none" stroke="#57606a" stroke-dasharray="4 4"',
}


def bar_chart(title: str, rows: Sequence[tuple[str, Sequence[float | None]]], *, as_counts: bool = False) -> str:
    """Horizontal bars, one group per row, one bar per series, of which there are at most two; None draws no bar.

    Ratios run from 0 to 1; `as_counts` scales to the largest value instead and prints whole numbers.
    """
    values = [value for _, group in rows for value in group if value is not None]
    top = max([*values, 1.0]) if as_counts else 1.0
    room = WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    parts, y = [], 0
    for name, group in rows:
        height = _BAR * len(group)
        parts.append(_text(_LABEL_WIDTH - 6, y + height / 2 + 4, _shortened(name), anchor="end"))
        for index, value in enumerate(group):
            if value is not None:
                shown = f"{value:.0f}" if as_counts else f"{100 * value:.1f}"
                bar_y, width = y + index * _BAR, max(1.0, room * value / top)
                parts.append(
                    f'<rect {_style(f"series{index}")} x="{_LABEL_WIDTH}" y="{bar_y}" width="{width:.1f}" '
                    f'height="{_BAR - 2}" rx="2"><title>{escape(name)}: {shown}</title></rect>'
                )
                parts.append(_text(_LABEL_WIDTH + width + 4, bar_y + 8.5, shown, small=True))
        y += height + _ROW_GAP
    return _svg(title, parts, height=max(y, 1))


def reliability_chart(title: str, bins: Sequence[ReliabilityBin], *, x_name: str, is_probability: bool) -> str:
    """Mean score of each bin against its precision, dots larger for more candidates.

    For a probability the x axis runs from 0 to 1 and a dashed diagonal shows where it would be exact; for any other
    score the axis runs over the bins.
    """
    low, high = (0.0, 1.0) if is_probability else _range(bins)
    points = [(_x(one.mean_score, low, high), _y(one.precision), one) for one in bins]
    most = max((one.count for one in bins), default=1)
    parts = list(_axes(low, high, x_name=x_name, as_percent=is_probability))
    if is_probability:
        parts.append(f'<path {_style("exact")} d="M{_x(0, 0, 1):.1f} {_y(0):.1f}L{_x(1, 0, 1):.1f} {_y(1):.1f}"/>')
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)
    parts.append(f'<path {_style("line")} d="M{line}"/>' if points else "")
    for x, y, one in points:
        words = f"score {one.mean_score:.2f}: {100 * one.precision:.1f} % of {one.count} candidates are right"
        radius = _SMALLEST_DOT + _DOT_GROWTH * (one.count / most) ** 0.5
        parts.append(
            f'<circle {_style("series0")} cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{words}</title></circle>'
        )
    return _svg(title, parts, height=_TOP + _PLOT + 42)


def _axes(low: float, high: float, *, x_name: str, as_percent: bool) -> Iterable[str]:
    for step in range(6):
        share = step / 5
        value = low + share * (high - low)
        x, y = _x(value, low, high), _y(share)
        yield f'<path {_style("grid")} d="M{_LEFT} {y:.1f}H{_LEFT + _PLOT}M{x:.1f} {_TOP}V{_TOP + _PLOT}"/>'
        yield _text(_LEFT - 6, y + 4, f"{100 * share:.0f}", anchor="end", small=True)
        yield _text(
            x, _TOP + _PLOT + 15, f"{100 * value:.0f}" if as_percent else f"{value:.1f}", anchor="middle", small=True
        )
    yield _text(_LEFT + _PLOT / 2, _TOP + _PLOT + 34, x_name, anchor="middle")
    middle = _TOP + _PLOT / 2
    turned = f'transform="translate(12 {middle}) rotate(-90)"'
    yield f'<text {_style("label")} text-anchor="middle" {turned}>right, %</text>'


def _range(bins: Sequence[ReliabilityBin]) -> tuple[float, float]:
    """From 0, or from the lowest score, to the highest mean; never empty."""
    scores = [one.mean_score for one in bins]
    low, high = min([0.0, *scores]), max([0.0, *scores])
    return low, high if high > low else low + 1.0


def _x(value: float, low: float, high: float) -> float:
    return _LEFT + _PLOT * (value - low) / (high - low)


def _y(share: float) -> float:
    return _TOP + _PLOT * (1 - share)


def _text(x: float, y: float, words: str, *, anchor: str = "start", small: bool = False) -> str:
    kind = "value" if small else "label"
    return f'<text {_style(kind)} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _style(name: str) -> str:
    return f'class="{name}" {_STYLES[name]}'


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"


def _svg(title: str, parts: Iterable[str], *, height: float) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="system-ui, sans-serif">{"".join(parts)}</svg>'
    )
