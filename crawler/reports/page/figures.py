"""Write figures and sections: a drawing, what its colours mean, and a table with the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crawler.reports.page.charts import Chart, Columns, Grid, Network
from crawler.reports.page.html import Cell, details, safe, table
from crawler.reports.page.svg import draw, still_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with its caption and its numbers."""

    name: str
    """What the page's script knows it by."""
    caption: str
    chart: Chart
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading."""

    anchor: str
    title: str
    parts: Sequence[str | Figure]
    """HTML, and figures."""
    half: bool = False
    """Whether it takes half the width where there is room."""

    @property
    def charts(self) -> dict[str, Chart]:
        """Return the charts by their names."""
        return {part.name: part.chart for part in self.parts if isinstance(part, Figure)}


def section(part: Section) -> str:
    """Return a section as HTML."""
    body = "".join(_figure(item) if isinstance(item, Figure) else item for item in part.parts)
    width = ' class="half"' if part.half else ""
    return (
        f'<section id="{part.anchor}"{width} aria-labelledby="{part.anchor}-title">'
        f'<h2 id="{part.anchor}-title">{safe(part.title)}</h2>{body}</section>'
    )


def _figure(figure: Figure) -> str:
    numbers = details("Numbers", table(figure.caption, figure.headings, figure.rows))
    return (
        f'<figure data-chart="{figure.name}"><figcaption>{safe(figure.caption)}</figcaption>{_legend(figure.chart)}'
        f'<div class="drawing">{draw(figure.chart, figure.caption)}</div>{_left_out(figure.chart)}</figure>{numbers}'
    )


def _legend(chart: Chart) -> str:
    match chart:
        case Columns():
            entries = [(series.colour, series.name) for series in chart.series]
        case Grid():
            entries = [
                (f"heat{step + 1}", _span(chart.bounds[step - 1] + 1 if step else 1, bound))
                for step, bound in enumerate(chart.bounds)
            ]
        case Network():
            entries = [("c1", "host with articles"), ("c6", "host that is only linked to")]
        case _:
            return ""
    items = "".join(f"<li>{_swatch(colour)}{safe(name)}</li>" for colour, name in entries)
    return f'<ul class="legend">{items}</ul>'


def _swatch(colour: str) -> str:
    square = f'<rect class="{colour}" width="12" height="12" rx="3"/>'
    return f'<svg width="12" height="12" aria-hidden="true">{square}</svg>'


def _span(first: int, last: int) -> str:
    return f"{last:,}" if first == last else f"{first:,} to {last:,}"


def _left_out(chart: Chart) -> str:
    if not (rows := still_rows(chart)):
        return ""
    return (
        f'<p class="note still">The first {rows[0]} of {rows[1]:,} hosts: see Hosts below for the others.</p>'
    )
