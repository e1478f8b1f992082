"""Draw charts as SVG that fits any width: lengths in per cent, texts of constant size, colours of page.css."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crawler.reports.page.charts import Bars, Chart, Columns, Grid, Network, Node, round_top
from crawler.reports.page.html import safe
from crawler.text import counted

_COLUMNS_HEIGHT = 220
_AXIS_HEIGHT = 24
"""Pixels below a chart, for the labels."""
_AXIS_WIDTH = 13
"""Per cent of the width of columns that the labels of their values take."""
_LAST_LABEL_FROM = 70
"""Per cent of the width from which on there is room for the last label beside the first."""
_FEWEST_COLUMNS = 10
"""Columns that a chart has room for at least: a single one is no wall."""
_BAR_HEIGHT = 38
_GRID_ROW = 18
_STILL_ROWS = 40
"""Rows of a grid that are drawn; with scripts all of them can be reached."""
_NAMES_WIDTH = 30
"""Per cent of a grid's width that the names of its rows take."""
_NETWORK_HEIGHT = 620
_NETWORK_MARGIN = 4
"""Per cent of a network's width and height on each side, so that circles are whole."""
_NAMED_NODES = 20
_NAMES_ON_LEFT_FROM = 70
"""Per cent of the width from which on the name of a node stands on its left."""
_CHARACTER_WIDTH, _NAME_HEIGHT, _USUAL_WIDTH = 7, 16, 700


def draw(chart: Chart, summary: str) -> str:
    """Return a chart as an SVG element, which a screen reader reads as the summary."""
    match chart:
        case Columns():
            height, parts = _COLUMNS_HEIGHT + _AXIS_HEIGHT, _columns(chart)
        case Bars():
            height, parts = _BAR_HEIGHT * len(chart.labels), _bars(chart)
        case Grid():
            height, parts = _GRID_ROW * len(chart.rows[:_STILL_ROWS]) + _AXIS_HEIGHT, _grid(chart)
        case Network():
            height, parts = _NETWORK_HEIGHT, _network(chart)
    return (
        f'<svg class="still" role="img" aria-label="{safe(summary)}" height="{height}">{"".join(parts)}</svg>'
    )


def still_rows(chart: Chart) -> tuple[int, int] | None:
    """Return how many rows of a grid are drawn, and how many it has; None if all are drawn."""
    if isinstance(chart, Grid) and len(chart.rows) > _STILL_ROWS:
        return _STILL_ROWS, len(chart.rows)
    return None


def _columns(chart: Columns) -> Iterator[str]:
    totals = [sum(series.values[index] for series in chart.series) for index in range(len(chart.labels))]
    top = round_top(max(totals, default=0))
    slots = max(len(chart.labels), _FEWEST_COLUMNS)
    place = f'x="{_AXIS_WIDTH}%" width="{100 - _AXIS_WIDTH}%" height="{_COLUMNS_HEIGHT}"'
    yield f'<svg viewBox="0 0 {slots * 10} {top}" preserveAspectRatio="none" {place}>'
    for index, label in enumerate(chart.labels):
        below = 0
        for series in chart.series:
            if value := series.values[index]:
                below += value
                place = f'x="{index * 10 + 1}" y="{top - below}" width="8" height="{value}"'
                yield (
                    f'<rect class="{series.colour}" {place}>'
                    f"<title>{safe(label)}: {value:,} {safe(series.name)}</title></rect>"
                )
    yield "</svg>"
    for part in (0, 1, 2):
        y = _COLUMNS_HEIGHT * part / 2
        yield f'<line class="rule" x1="0" x2="100%" y1="{y:g}" y2="{y:g}"/>'
        if part < 2:
            yield f'<text class="tick" x="0" y="{y + 13:g}">{top * (2 - part) / 2:,g}</text>'
    yield from _ends(chart.ticks, _AXIS_WIDTH, (100 - _AXIS_WIDTH) / slots, _COLUMNS_HEIGHT + 17)


def _bars(chart: Bars) -> Iterator[str]:
    longest = max(chart.values, default=1) or 1
    for index, (label, colour, value) in enumerate(
        zip(chart.labels, chart.colours, chart.values, strict=True)
    ):
        y = index * _BAR_HEIGHT
        yield (
            f'<text x="0" y="{y + 15}">{safe(label)}</text>'
            f'<text class="value" x="100%" y="{y + 15}">{value:,}</text>'
            f'<rect class="track" width="100%" y="{y + 21}" height="8" rx="4"/>'
            f'<rect class="{colour}" width="{100 * value / longest:.4g}%" y="{y + 21}" height="8" rx="4"/>'
        )


def _grid(chart: Grid) -> Iterator[str]:
    names = chart.rows[:_STILL_ROWS]
    height = _GRID_ROW * len(names)
    yield f'<svg width="{_NAMES_WIDTH - 1}%" height="{height}">'
    for row, name in enumerate(names):
        yield f'<text x="0" y="{row * _GRID_ROW + 13}">{safe(name)}</text>'
    yield (
        f'</svg><svg x="{_NAMES_WIDTH}%" width="{100 - _NAMES_WIDTH}%" height="{height}" '
        f'viewBox="0 0 {len(chart.columns) * 10} {len(names) * 10}" preserveAspectRatio="none">'
        f'<path class="track" d="M0 0h{len(chart.columns) * 10}v{len(names) * 10}h-{len(chart.columns) * 10}z"/>'
    )
    for step, bound in enumerate(chart.bounds):
        least = chart.bounds[step - 1] if step else 0
        squares = [
            f"M{column * 10} {row * 10}h9v9h-9z"
            for column, row, value in chart.cells
            if row < len(names) and least < value <= bound
        ]
        yield f'<path class="heat{step + 1}" d="{"".join(squares)}"/>'
    yield "</svg>"
    column_width = (100 - _NAMES_WIDTH) / max(1, len(chart.columns))
    yield from _ends(chart.columns, _NAMES_WIDTH, column_width, height + 17)


def _network(chart: Network) -> Iterator[str]:
    yield '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%">'
    places = [(_inside(node.x), _inside(node.y)) for node in chart.nodes]
    lines = [_line(places[one], places[other]) for one, other, _ in chart.edges]
    yield f'<path class="edge" d="{"".join(lines)}"/></svg>'
    for node, (x, y) in zip(chart.nodes, places, strict=True):
        yield (
            f'<circle class="{"c1" if node.articles else "c6"}" cx="{x:g}%" cy="{y:g}%" r="{node.radius}">'
            f"<title>{safe(node.name)}: {counted(node.articles, 'article')}</title></circle>"
        )
    yield from _names(chart.nodes, places)


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    return f"M{10 * start[0]:g} {10 * start[1]:g}L{10 * end[0]:g} {10 * end[1]:g}"


def _names(nodes: Sequence[Node], places: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Draw names, of the largest nodes first, where they cover no other name on a screen of a usual width."""
    taken: list[tuple[float, float, float]] = []
    for node, (x, y) in zip(nodes, places, strict=True):
        is_left = x > _NAMES_ON_LEFT_FROM
        width = 100 * _CHARACTER_WIDTH * len(node.name) / _USUAL_WIDTH
        left = x - width if is_left else x
        top = y * _NETWORK_HEIGHT / 100
        if any(
            left < right and start < left + width and abs(top - other) < _NAME_HEIGHT
            for start, right, other in taken
        ):
            continue
        taken.append((left, left + width, top))
        offset = -(node.radius + 4) if is_left else node.radius + 4
        yield (
            f'<text class="name{" end" if is_left else ""}" x="{x:g}%" y="{y:g}%" dx="{offset}" dy="4">'
            f"{safe(node.name)}</text>"
        )
        if len(taken) == _NAMED_NODES:
            return


def _ends(labels: Sequence[str], left: float, step: float, y: int) -> Iterator[str]:
    """Draw the first and the last label below a chart whose columns are `step` per cent wide."""
    if not labels:
        return
    right = left + step * len(labels)
    yield f'<text class="tick" x="{left:g}%" y="{y}">{safe(labels[0])}</text>'
    if right > _LAST_LABEL_FROM:
        yield f'<text class="tick end" x="{right:.4g}%" y="{y}">{safe(labels[-1])}</text>'


def _inside(place: int) -> float:
    """Return a place of a network in per cent of the drawing."""
    return round(_NETWORK_MARGIN + place * (100 - 2 * _NETWORK_MARGIN) / 1000, 1)
