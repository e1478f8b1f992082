"""Describe charts, apart from how they are drawn: as SVG, as a table, or by the page's script."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import ClassVar

_HEAT_SHARES = (0.35, 0.6, 0.8, 0.93, 1)
"""Shares of a grid's cells that are of each shade or a paler one."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one colour, one for each label."""

    name: str
    colour: str
    """A class of page.css."""
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Columns:
    """Stacked columns, from left to right."""

    labels: Sequence[str]
    ticks: Sequence[str]
    """Shorter labels, for the axis."""
    series: Sequence[Series]
    kind: ClassVar[str] = "columns"


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars, one below the other."""

    labels: Sequence[str]
    colours: Sequence[str]
    values: Sequence[int]
    kind: ClassVar[str] = "bars"


@dataclass(frozen=True, slots=True)
class Grid:
    """A heat map."""

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[tuple[int, int, int]]
    """Column, row and value, where that is not 0."""
    bounds: Sequence[int]
    """The largest value of each shade."""
    kind: ClassVar[str] = "grid"


@dataclass(frozen=True, slots=True)
class Node:
    """A point of a network, with the strongest of its neighbours and their links."""

    name: str
    x: int
    y: int
    """Both from 0 to 1,000."""
    radius: int
    articles: int
    links_in: int
    links_out: int
    sources: Sequence[tuple[str, int]] = field(default_factory=tuple)
    targets: Sequence[tuple[str, int]] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Network:
    """Points and the lines between them."""

    nodes: Sequence[Node]
    edges: Sequence[tuple[int, int, int]]
    """Positions of two nodes, and the links between them."""
    kind: ClassVar[str] = "network"


Chart = Columns | Bars | Grid | Network


def heat_bounds(values: Sequence[int]) -> list[int]:
    """Return the largest value of each shade: many cells are pale, few are dark.

    >>> heat_bounds([*range(1, 101)])
    [35, 60, 80, 93, 100]
    >>> heat_bounds([7]), heat_bounds([])
    ([7], [])
    """
    ordered = sorted(values)
    return sorted({ordered[int(share * (len(ordered) - 1))] for share in _HEAT_SHARES if ordered})


def round_top(value: int) -> int:
    """Return where an axis ends: the next number of one digit and zeros, and a half.

    >>> [round_top(value) for value in (0, 3, 41, 119, 980)]
    [1, 3, 45, 150, 1000]
    """
    step = max(1, int(f"1{'0' * (len(str(value)) - 1)}") // 2)
    return max(1, -(-value // step) * step)


def embedded(charts: dict[str, Chart]) -> str:
    r"""Return charts as JSON that is safe inside a script element, whatever their texts are.

    >>> embedded({"a": Bars(["</script>\u2028&"], [], [])})
    '{"a":{"labels":["\\u003c/script\\u003e\\u2028\\u0026"],"colours":[],"values":[],"kind":"bars"}}'
    """
    described = {name: asdict(chart) | {"kind": chart.kind} for name, chart in charts.items()}
    text = json.dumps(described, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
