"""Join blocks of Markdown below one another and into lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from crawler.extractors.tree import Element

_MAX_ITEM_NUMBER = 999_999_999  # CommonMark has no larger one
_LINE_ENDS = re.compile("\n(?=.)")


class Block(NamedTuple):
    """Markdown that starts on a line of its own."""

    markdown: str
    kind: str = "text"
    joins: bool = False
    """True where it may stand right below a line of text without becoming part of it."""


def join_blocks(blocks: Sequence[Block], *, loose: bool) -> str:
    """Join blocks, with blank lines between them if `loose`, or else where Markdown needs one."""
    parts = [block.markdown for block in blocks[:1]]
    for above, block in pairwise(blocks):
        tight = not loose and (block.joins or above.kind == "heading")
        parts += ("\n" if tight else "\n\n", block.markdown)
    return "".join(parts)


def list_block(items: Sequence[str], first: int | None, above: Sequence[Block], *, loose: bool) -> Block:
    """Make a list, numbered from `first` unless that is None; `above` ends in the block before it, if any."""
    if first is None:
        markers, kind = ["-"] * len(items), "list"
    else:
        delimiter = ")" if above and above[-1].kind == "list." else "."  # else the two lists were one
        markers = [f"{number}{delimiter}" for number in range(first, first + len(items))]
        kind = f"list{delimiter}"
    lines = [_item(marker, text) for marker, text in zip(markers, items, strict=True)]
    return Block(("\n\n" if loose else "\n").join(lines), kind, joins=items[0] != "" and first in (None, 1))


def first_number(ol: Element, items: int) -> int:
    """Return the number that a list of so many items starts from, or 1 where Markdown can't count so far."""
    start = ol.get("start", "1").strip()
    first = int(start) if start.isdecimal() and len(start) < 10 else 1
    return first if first + items <= _MAX_ITEM_NUMBER else 1


def _item(marker: str, text: str) -> str:
    """Make a list item: its marker, and its lines indented to the text after that."""
    if text == "---" or text.startswith("---\n"):
        text = f"___{text[3:]}"  # beside a marker of its own kind a rule is part of one
    lines = _LINE_ENDS.sub("\n" + " " * (len(marker) + 1), text)
    return f"{marker} {lines}" if text else marker
