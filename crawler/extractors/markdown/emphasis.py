"""Repair emphasis that Markdown can't open or close: none does between a letter and punctuation."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

EMPHASIS = {
    **dict.fromkeys(("strong", "b"), "**"),
    **dict.fromkeys(("em", "i"), "*"),
    **dict.fromkeys(("del", "s", "strike"), "~~"),
}
MARKERS = frozenset(EMPHASIS.values())

Mark = tuple[str, str]
"""What stands between two runs of text: its role, and its Markdown (of code, the code itself)."""
OPEN, CLOSE, CODE, PICTURE, BREAK, END = "open", "close", "code", "picture", "break", "end"

_GONE: Mark = ("gone", "")
_QUOTE = '"'  # what `<q>` opens and closes with
# Emphasis right outside the edge, by the step that leads there.
_MARKS_BEYOND = {step: {(role, marker) for marker in MARKERS} for step, role in ((-1, CLOSE), (1, OPEN))}


def repair_flanking(texts: list[str], marks: list[Mark], emphasis: Iterable[tuple[int, int]]) -> None:
    """Move punctuation out of emphasis that has a letter right beside it, or drop the emphasis; in place.

    `texts[n]` stands before `marks[n]`, and the last text after all marks; `emphasis` is where it opens and closes
    among the marks, in page order.
    """
    for opening, closing in emphasis:
        if not (_repair_edge(texts, marks, opening, -1) and _repair_edge(texts, marks, closing, 1)):
            marks[opening] = marks[closing] = _GONE
    if _GONE in marks:
        _merge_texts(texts, marks)


def needs_parser_check(texts: list[str], marks: list[Mark]) -> bool:
    """Tell whether emphasis is nested or adjacent, so that only a parser can say how it renders."""
    depth, closed = 0, False
    for text, (role, markdown) in zip(texts, marks, strict=False):
        if markdown in MARKERS and role == OPEN:
            if depth or (closed and not text):
                return True
            depth += 1
        closed = markdown in MARKERS and role == CLOSE
        depth -= closed
    return False


def renders_as(markdown: str, texts: list[str], marks: list[Mark]) -> bool:
    """Tell whether Markdown renders as the text that it was written from and nothing else, white space aside."""
    (line,) = _parser().parseInline(markdown)
    rendered = [token.content for token in line.children or () if token.type in ("text", "code_inline")]
    expected = [
        text + (mark if role == CODE or mark == _QUOTE else "")
        for text, (role, mark) in zip(texts, [*marks, (END, "")], strict=True)
    ]
    return "".join("".join(rendered).split()) == "".join("".join(expected).split())


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # few pages need it

    parser = MarkdownIt("commonmark").enable("strikethrough")
    # Other readers take any address for a link.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005
    return parser


def drop_emphasis(texts: list[str], marks: list[Mark]) -> None:
    """Remove all emphasis; in place."""
    marks[:] = [_GONE if mark[1] in MARKERS and mark[0] in (OPEN, CLOSE) else mark for mark in marks]
    _merge_texts(texts, marks)


def _merge_texts(texts: list[str], marks: list[Mark]) -> None:
    """Join texts with only a dropped mark between them."""
    remaining, runs = list[Mark](), texts[:1]
    for mark, text in zip(marks, texts[1:], strict=True):
        if mark is _GONE:
            runs[-1] += text
        else:
            remaining.append(mark)
            runs.append(text)
    texts[:], marks[:] = runs, remaining


def _repair_edge(texts: list[str], marks: list[Mark], at: int, step: int) -> bool:
    """Move punctuation at an edge of emphasis out of it; False where the emphasis still can't open or close.

    `step` leads outward: -1 from its start, 1 from its end.
    """
    outer, inner = (-1, 0) if step < 0 else (0, -1)  # beside texts[n]: marks[n + outer], marks[n + inner]
    outside, inside = at - inner, at - outer
    beyond = outside
    while not texts[beyond] and _mark(marks, beyond + outer) is _GONE:
        beyond += step
    if texts[beyond]:
        if not _is_wordlike(texts[beyond][outer]):
            return True
    elif _mark(marks, beyond + outer) not in _MARKS_BEYOND[step]:
        return True
    while not texts[inside] and _is_passed(marks[inside + inner], marks[at]):
        inside -= step
    text = texts[inside]
    if not text:  # a link or code starts in punctuation; a break does no harm
        return marks[inside + inner][0] == BREAK
    letters = [n for n, char in enumerate(text) if _is_inner(char)]
    if letters and step < 0:
        texts[outside] += text[: letters[0]]
        texts[inside] = text[letters[0] :]
    elif letters:
        texts[outside] = text[letters[-1] + 1 :] + texts[outside]
        texts[inside] = text[: letters[-1] + 1]
    return letters != []


def _mark(marks: list[Mark], at: int) -> Mark:
    """Return a mark; beyond either end of the line, one that stands for its end."""
    return marks[at] if 0 <= at < len(marks) else (END, "")


def _is_passed(mark: Mark, outer: Mark) -> bool:
    """Tell whether a mark right beside the outer one counts as part of it: it has the same character, or is gone."""
    return mark is _GONE or (mark[0] == outer[0] and mark[1] in MARKERS and mark[1][0] == outer[1][0])


def _is_wordlike(char: str) -> bool:
    """Tell whether emphasis with punctuation at its edge can't open after a character, nor close before it."""
    return char.isalnum() or not (
        char.isspace() or char in string.punctuation or unicodedata.category(char)[0] == "P"
    )


def _is_inner(char: str) -> bool:
    """Tell whether emphasis may start or end in a character whatever stands beside it."""
    return char.isalnum() or char.isspace() or unicodedata.category(char)[0] == "M"
