"""The HTML and Markdown of docs/markdown.md are what the writer makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.support.posts import body_of

DOCUMENT = (Path(__file__).parents[2] / "docs" / "markdown.md").read_text(encoding="utf-8")
CELL_LEVEL = 4  # of the tokens in a table, one of its parts, a row and a cell


def rows() -> list[tuple[str, str, str]]:
    """Return the rows of all tables as a reader of the document sees them: a case, its HTML and its Markdown."""
    tokens = MarkdownIt("commonmark").enable("table").parse(DOCUMENT)
    cells = [token.children or () for token in tokens if token.type == "inline" and token.level == CELL_LEVEL]
    texts = ["".join(child.content for child in cell).replace("⏎", "\n") for cell in cells]
    return [row for row in zip(*[iter(texts)] * 3, strict=True) if row[0] != "Case"]


ROWS = rows()


def test_every_row_is_read() -> None:
    assert len(ROWS) == len(re.findall(r"^\| (?!Case|---)", DOCUMENT, re.MULTILINE)) > 40


@pytest.mark.parametrize(("html", "markdown"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_html_becomes_this_markdown(html: str, markdown: str) -> None:
    assert body_of(html) == markdown
