"""`plain_text()` against what a parser of Markdown takes for text, and in time for any body."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from pipelines.archive.plain_text import plain_text

PAGES = Path(__file__).parents[1] / "extractors" / "pages"
_WORD = re.compile(r"\w+")


def parsed(markdown: str) -> Counter[str]:
    """The words of a text, of its code and of its pictures."""
    words: Counter[str] = Counter()
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown):
        if token.type in ("fence", "code_block"):
            words.update(_WORD.findall(token.content))
        inline = [
            "\n" if child.type.endswith("break") or child.content.startswith("<br") else child.content
            for child in token.children or ()
            if child.type != "html_inline" or child.content.startswith("<br")
        ]
        words.update(_WORD.findall("".join(inline)))
    return words


def test_it_has_the_words_that_a_parser_finds() -> None:
    wanted = missing = extra = 0
    for page in sorted(PAGES.glob("*.md")):
        body = page.read_text(encoding="utf-8")
        expected, actual = parsed(body), Counter(_WORD.findall(plain_text(body)))
        wanted += expected.total()
        missing += (expected - actual).total()
        extra += (actual - expected).total()
    assert wanted > 1000
    assert missing + extra < wanted / 50


@pytest.mark.long
@pytest.mark.parametrize(
    "part",
    [
        *("[a](", "<!--", " ", "![a]((", "[", "](", "<a ", "-", "_", "*a", "&", "\\", "> ", "`", "1", "|"),
        "\n",
    ],
)
def test_no_body_takes_long(part: str) -> None:
    """A pattern that takes quadratic time would need hours for these."""
    plain_text(part * 500_000 + "x")
