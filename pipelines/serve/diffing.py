"""Find the words that differ in the lines of a unified diff. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby, zip_longest
from typing import Literal, NamedTuple

Kind = Literal["place", "old", "new", "same"]
_KINDS: dict[str, Kind] = {"@": "place", "-": "old", "+": "new"}
_BESIDE: dict[str, tuple[Kind, int]] = {"old": ("new", 1), "new": ("old", -1)}
"""Kind of the lines that replace those of a kind, or are replaced by them, and where they stand."""
_HEADER_LINES = 2
_MAX_COMPARED_LINES = 200
_WORDS = re.compile(r"(?:\w+|[^\w\s]|^)\s*")
_MIN_SIMILARITY = 0.4
"""Part of their words that two versions of a line share."""
_MAX_WORDS = 400
"""Words of a line, to which words are compared: the time grows with their square."""


class Piece(NamedTuple):
    """A part of a line, and whether it differs from the other version."""

    text: str
    differs: bool


class Line(NamedTuple):
    """A line of a diff."""

    kind: Kind
    pieces: list[Piece]


def lines(diff: Iterable[str]) -> Iterator[Line]:
    """Yield the lines of a unified diff without its header; those that replace each other word by word."""
    rows = [_row(line) for line in list(diff)[_HEADER_LINES:]]
    blocks = [(kind, [text for _, text in rows]) for kind, rows in groupby(rows, lambda row: row[0])]
    left = _MAX_COMPARED_LINES
    for index, (kind, texts) in enumerate(blocks):
        others = _others(blocks, index)[: min(len(texts), left)]
        left -= len(others)
        for text, other in zip_longest(texts, others):
            yield Line(kind, _pieces(text, other) if other else [Piece(text, differs=False)])


def _row(line: str) -> tuple[Kind, str]:
    kind = _KINDS.get(line[:1], "same")
    return kind, line if kind == "place" else line[1:]


def _others(blocks: Sequence[tuple[Kind, list[str]]], index: int) -> list[str]:
    """Return the lines of the other version beside those of a block, if there are any."""
    kind, place = _BESIDE.get(blocks[index][0], ("", 0))
    other = blocks[index + place : index + place + 1]
    return other[0][1] if other and other[0][0] == kind else []


def _pieces(text: str, other: str) -> list[Piece]:
    """Cut a line where it differs from another one, if the two are versions of the same."""
    words, others = _WORDS.findall(text), _WORDS.findall(other)
    matcher = SequenceMatcher(None, words, others, autojunk=False)
    if max(len(words), len(others)) > _MAX_WORDS or matcher.ratio() < _MIN_SIMILARITY:
        return [Piece(text, differs=False)]
    return [
        Piece("".join(words[start:end]), differs=tag != "equal")
        for tag, start, end, _, _ in matcher.get_opcodes()
        if start < end
    ]
