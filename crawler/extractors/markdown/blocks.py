"""Blocks of Markdown: how they stand below one another, and as the items of a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from crawler.extractors.tree import Element

_LAST_NUMBER = 999_999_999  # of an item of a list in Markdown
_LINE_ENDS = re.compile("\n(?=.)")


class Block(NamedTuple):
    """A part of a page that starts on a line of its own."""

    markdown: str
    kind: str = "text"
    joins: bool = False
    """Whether it may stand right below a line of text without becoming part of it."""


def joined(blocks: Sequence[Block], *, loose: bool) -> str:
    """Blocks one below the other, with blank lines between them if `loose`, or else where Markdown needs one."""
    parts = [block.markdown for block in blocks[:1]]
    for above, block in pairwise(blocks):
        tight = not loose and (block.joins or above.kind == "heading")
        parts += ("\n" if tight else "\n\n", block.markdown)
    return "".join(parts)


def list_block(items: Sequence[str], first: int | None, above: Sequence[Block], *, loose: bool) -> Block:
    """A list of items, numbered from `first` unless that is None; `above` is the block before it, if there is one."""
    if first is None:
        markers, kind = ["-"] * len(items), "list"
    else:
        point = ")" if above and above[-1].kind == "list." else "."  # else the two lists were one
        markers, kind = [f"{number}{point}" for number in range(first, first + len(items))], f"list{point}"
    lines = [_item(marker, text) for marker, text in zip(markers, items, strict=True)]
    return Block(("\n\n" if loose else "\n").join(lines), kind, joins=items[0] != "" and first in (None, 1))


def first_number(ol: Element, items: int) -> int:
    """The number that a list of so many items starts from, as far as Markdown counts."""
    start = ol.get("start", "1").strip()
    first = int(start) if start.isdecimal() and len(start) < 10 else 1
    return first if first + items <= _LAST_NUMBER else 1


def _item(marker: str, text: str) -> str:
    """A list item: its marker, and its lines below the text after that."""
    if text == "---" or text.startswith("---\n"):
        text = f"___{text[3:]}"  # beside a marker of its own kind a rule is part of one
    lines = _LINE_ENDS.sub("\n" + " " * (len(marker) + 1), text)
    return f"{marker} {lines}" if text else marker
