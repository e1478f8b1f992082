"""Write tables of Markdown: a head, and as many cells in each row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from crawler.extractors.tree import Element

_MAX_SPAN = 100  # columns or rows of one cell; a cell that asks for more means all


class Cell(NamedTuple):
    """The text of a cell, in one line, and how many columns and rows it takes."""

    text: str
    columns: int
    rows: int


def read_cell(node: Element, text: str) -> Cell:
    """Make a cell of its text, with the size that its element asks for."""
    return Cell(text.replace("|", r"\|"), _size(node, "colspan"), _size(node, "rowspan"))


def table_markdown(rows: Iterable[Iterable[Cell]]) -> str:
    """Write rows, the first of which is the head; empty where no cell holds anything."""
    lines: list[str] = []
    widths: list[int] = []
    below: dict[int, int] = {}  # how many rows down a column is still taken by a cell above
    for row in rows:
        line: list[str] = []
        for text, columns, deep in row:
            _fill(line, below)
            below |= dict.fromkeys(range(len(line), len(line) + columns), deep - 1) if deep > 1 else {}
            line += (f" {text} |", *[" |"] * (columns - 1))
        _fill(line, below)
        lines.append("|" + "".join(line))
        widths.append(len(line))
    if not any(line.strip(" |") for line in lines):
        return ""
    width = max(widths)
    lines = [line + "  |" * (width - cells) for line, cells in zip(lines, widths, strict=True)]
    return "\n".join((lines[0], "|" + " --- |" * width, *lines[1:]))


def _fill(line: list[str], below: dict[int, int]) -> None:
    """Add the empty cells of a row that a cell above takes."""
    while below.get(len(line), 0):
        below[len(line)] -= 1
        line.append("  |")


def _size(node: Element, attribute: str) -> int:
    size = node.get(attribute, "").strip()
    return max(1, min(int(size), _MAX_SPAN)) if size.isdecimal() and len(size) < 10 else 1
