"""Write an article's HTML as Markdown, CommonMark with tables and strikethrough, in one walk over its tree."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from lxml import etree

from crawler.errors import UnreadablePage
from crawler.extractors.links import image_url, link_url, media_url
from crawler.extractors.markdown.blocks import Block, first_number, join_blocks, list_block
from crawler.extractors.markdown.code import drop_line_numbers, read_code
from crawler.extractors.markdown.emphasis import EMPHASIS
from crawler.extractors.markdown.escaping import code_block, escape_heading, link_target
from crawler.extractors.markdown.html_table import EMBEDS, write_html
from crawler.extractors.markdown.inline import LINK, InlineWriter
from crawler.extractors.markdown.table import Cell, read_cell, table_markdown
from crawler.extractors.tree import HEADINGS, Element, attribute, has_descendant, normalize_text, raw_text

LISTS = ("ul", "ol", "menu", "dir")
CODE = ("code", "kbd", "samp", "tt")
BLOCKS = (
    *("p", "div", "section", "article", "main", "header", "footer", "aside", "nav", "address", "center"),
    *("form", "fieldset", "dl", "dt", "dd", "figcaption", "li", "blockquote", "pre", "hr", "figure", *LISTS),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "summary", *HEADINGS),
)
MARKS = {
    **{tag: (marker, marker) for tag, marker in EMPHASIS.items()},
    **{tag: (f"<{tag}>", f"</{tag}>") for tag in ("sub", "sup")},
    **{"q": ('"', '"'), "summary": ("**", "**"), "caption": ("*", "*")},
}
# A list with any of these in it is loose: written with blank lines.
LOOSE = ("p", "div", "section", "article", "center", "dl", "details", "pre", "blockquote", "hr", "table")
# A cell of a Markdown table is one line: a table that holds any of these stays HTML.
NOT_IN_CELLS = (*HEADINGS, *LISTS, "pre", "blockquote", "table", "hr")


def to_markdown(content: Element, base: str) -> str:
    """Write an article, which this takes apart, as Markdown; `base` is the page's address.

    Lines end in "\\n" without spaces before it, a hard break is a backslash, and outside code there is never more
    than one blank line. A table whose cells hold lists, headings or code stays HTML: Markdown's cells are one line.
    Raises UnreadablePage where an article with text comes out with none.
    """
    normalize_text(content)
    body = join_blocks(_BlockWriter(base).blocks_of(content), loose=True)
    if not body and not raw_text(content).isspace() and raw_text(content):
        raise UnreadablePage("the article has text, but its Markdown came out empty")
    return body if body.isascii() else unicodedata.normalize("NFC", body)  # letters of two texts may have met


class _BlockWriter:
    """Write the blocks of an article, a list item or a quote; or, as a line, all that a cell or a heading holds."""

    def __init__(
        self,
        base: str,
        opened: Sequence[tuple[str, str]] = (),
        *,
        is_line: bool = False,
        line_break: str = "\\\n",
    ) -> None:
        """`opened` has the marks that are open around it, as a link around a heading is."""
        self.base = base
        self.blocks: list[Block] = []
        self.inline = InlineWriter(list(opened), line_break)
        self.add = self.inline.text
        self.is_line = is_line
        self.writers = _IN_LINES if is_line else _IN_BLOCKS

    def blocks_of(self, node: Element) -> list[Block]:
        """Write an element, and return its blocks."""
        self.walk(node)
        return self.finish()

    def finish(self) -> list[Block]:
        """Return all blocks so far."""
        self.flush()
        return self.blocks

    def line_of(self, node: Element, line_break: str) -> str:
        """Write all that an element holds in one line, with breaks also between its blocks."""
        line = _BlockWriter(self.base, self.inline.opened, is_line=True, line_break=line_break)
        return line_break.join(block.markdown for block in line.blocks_of(node))

    def walk(self, node: Element) -> None:
        """Write what an element holds; of an unknown element such as `<u>` or `<user_id>`, nothing else is written.

        A level of nesting takes two calls at most: pages have 255, and Python has a limit.
        """
        if text := node.text:
            self.add(text)
        for child in node:
            self.writers.get(child.tag, _BlockWriter.walk)(self, child)
            if tail := child.tail:
                self.add(tail)

    def write(self, node: Element) -> None:
        """Write an element and the text after it."""
        self.writers.get(node.tag, _BlockWriter.walk)(self, node)
        self.add(node.tail or "")

    def flush(self) -> None:
        """End the current block of text, if there is any."""
        if text := self.inline.take(starts_line=not self.is_line):
            self.blocks.append(Block(text))

    def skip(self, _: Element) -> None:
        """Write nothing."""

    def container(self, node: Element) -> None:
        self.flush()
        self.walk(node)
        self.flush()

    def heading(self, node: Element) -> None:
        self.flush()
        if text := self.line_of(node, "\n").replace(" \n", "\n").replace("\n", " "):
            self.blocks.append(
                Block(f"{'#' * int(node.tag[1])} {escape_heading(text)}", "heading", joins=True)
            )

    def rule(self, _: Element) -> None:
        self.flush()
        self.blocks.append(Block("---"))

    def code_block(self, node: Element) -> None:
        self.flush()
        code, language = read_code(node)
        if code.strip():
            self.blocks.append(Block(code_block(code, language)))
        for img in node.iter("img"):  # code is text alone
            self.picture(img)
            self.flush()

    def figure(self, node: Element) -> None:
        drop_line_numbers(node)
        self.flush()
        self.walk(node)
        self.flush()

    def emphatic(self, node: Element) -> None:
        self.flush()
        self.marked(node)
        self.flush()

    def quote(self, node: Element) -> None:
        self.flush()
        inner = _BlockWriter(self.base, self.inline.opened)
        inner.walk(node)
        if quoted := join_blocks(inner.finish(), loose=True):
            lines = [f"> {line}" if line else ">" for line in quoted.split("\n")]
            self.blocks.append(Block("\n".join(lines)))

    def listing(self, node: Element) -> None:
        """Write a list; what stands between items belongs to the item before it, where readers see it."""
        self.flush()
        self.add(node.text or "")
        items: list[_BlockWriter] = []
        for child in node:
            if child.tag == "li":
                items.append(_BlockWriter(self.base, self.inline.opened))
                items[-1].walk(child)
                items[-1].flush()
                items[-1].add(child.tail or "")
            else:
                (items[-1] if items else self).write(child)
        self.flush()
        loose = has_descendant(node, *LOOSE)
        self.items(items, first_number(node, len(items)) if node.tag == "ol" else None, loose=loose)

    def lone_item(self, node: Element) -> None:
        """Write an item without a list around it."""
        self.flush()
        item = _BlockWriter(self.base, self.inline.opened)
        item.walk(node)
        self.items([item], None, loose=True)

    def items(self, items: list[_BlockWriter], first: int | None, *, loose: bool) -> None:
        """Write a list from its items, numbered from the first number, if there is one."""
        texts = [join_blocks(item.finish(), loose=loose) for item in items]
        if any(texts):
            self.blocks.append(list_block(texts, first, self.blocks[-1:], loose=loose))

    def table(self, node: Element) -> None:
        self.flush()
        if has_descendant(node, *NOT_IN_CELLS):
            self.blocks.append(Block(write_html(node, self.base)))
            return
        head: list[list[Cell]] = []
        body: list[list[Cell]] = []
        self.rows(node, head, body)
        self.flush()
        if table := table_markdown([*head, *body]):
            self.blocks.append(Block(table))

    def rows(self, node: Element, head: list[list[Cell]], body: list[list[Cell]]) -> None:
        """Add the rows of a part of a table; what stands between them is written before the table."""
        self.add(node.text or "")
        for child in node:
            if child.tag == "tr":
                body.append(self.cells(child))
            elif child.tag in ("thead", "tbody", "tfoot"):
                self.rows(child, head, head if child.tag == "thead" else body)
            else:
                self.write(child)
                continue
            self.add(child.tail or "")

    def cells(self, row: Element) -> list[Cell]:
        self.add(row.text or "")
        cells: list[Cell] = []
        for child in row:
            if child.tag in ("td", "th"):
                cells.append(read_cell(child, self.line_of(child, "<br>")))
                self.add(child.tail or "")
            else:
                self.write(child)
        return cells

    def marked(self, node: Element) -> None:
        """Write emphasis and the like; not within its own kind, nor around blocks, where Markdown's ends."""
        opening, closing = MARKS[node.tag]
        if self.inline.is_open(opening) or has_descendant(node, *BLOCKS):
            self.walk(node)
        else:
            self.inline.open(opening, closing)
            self.walk(node)
            self.inline.close()

    def link(self, node: Element) -> None:
        address = link_url(node, self.base)
        if address is None or has_descendant(node, "a"):
            self.walk(node)  # of nested links, the inner one counts
        else:
            self.inline.open(LINK, "]" + link_target(address, attribute(node, "title")))
            self.walk(node)
            self.inline.close()

    def embed(self, node: Element) -> None:
        """Write a link to a player or a frame; a link around it ends before it and goes on after it."""
        address = media_url(node, self.base)
        if address is not None:
            around = self.inline.close_through(LINK)
            self.inline.open(LINK, "]" + link_target(address, ""))
            self.add(attribute(node, "title") or "Video")
            self.inline.close()
            for mark in around:
                self.inline.open(*mark)

    def picture(self, node: Element) -> None:
        source, alt = image_url(node, self.base), attribute(node, "alt")
        if source is None:
            self.add(alt)
        else:
            self.inline.picture(alt, link_target(source, attribute(node, "title")))

    def line_break(self, _: Element) -> None:
        self.inline.line_break()

    def code(self, node: Element) -> None:
        outside, self.add, self.writers = (self.add, self.writers), self.inline.code, _IN_CODE
        self.walk(node)
        self.add, self.writers = outside


_Write = Callable[[_BlockWriter, Element], None]
_IN_CODE: dict[object, _Write] = {
    **dict.fromkeys((etree.Comment, etree.PI), _BlockWriter.skip),
    **dict.fromkeys(EMBEDS, _BlockWriter.embed),
    "a": _BlockWriter.link,
    "img": _BlockWriter.picture,
    "br": _BlockWriter.line_break,
}
_IN_LINES: dict[object, _Write] = {
    **_IN_CODE,
    **dict.fromkeys(BLOCKS, _BlockWriter.container),
    **dict.fromkeys(MARKS, _BlockWriter.marked),
    **dict.fromkeys(CODE, _BlockWriter.code),
    "pre": _BlockWriter.code,
}
_IN_BLOCKS: dict[object, _Write] = {
    **_IN_LINES,
    **dict.fromkeys(HEADINGS, _BlockWriter.heading),
    **dict.fromkeys(LISTS, _BlockWriter.listing),
    "li": _BlockWriter.lone_item,
    "blockquote": _BlockWriter.quote,
    "pre": _BlockWriter.code_block,
    "hr": _BlockWriter.rule,
    "figure": _BlockWriter.figure,
    "table": _BlockWriter.table,
    **dict.fromkeys(("caption", "summary"), _BlockWriter.emphatic),
}
