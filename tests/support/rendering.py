"""What a reader of Markdown makes of a body, with HTML and any address allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import lxml.html
from markdown_it import MarkdownIt

_LIFELESS = """div p h1 h2 h3 h4 h5 h6 ul ol li blockquote hr br pre code table caption colgroup col thead tbody tfoot
tr td th details summary strong b em i del s strike sub sup q kbd samp tt a img"""
_ATTRIBUTES = frozenset(("href", "src", "alt", "title", "colspan", "rowspan", "start", "class"))
_ADDRESS = re.compile(r"(?:https?:|mailto:|(?![a-z][a-z0-9+.-]*:))", re.IGNORECASE)
_PASSED_OVER = re.compile(r"^[\x00-\x20]+|[\t\n\r]+")  # what a browser leaves out of an address


def _reader() -> MarkdownIt:
    """A reader of CommonMark that takes any HTML, and any address for a link."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005
    return reader


_READER = _reader()


def live_parts(markdown: str) -> list[str]:
    """Everything in the rendered text that could run, or that is not text, link or picture."""
    return list(_live_parts(_READER.render(markdown)))


def _live_parts(html: str) -> Iterator[str]:
    for node in lxml.html.fragment_fromstring(html, create_parent="div").iter():
        if node.tag not in _LIFELESS.split():
            yield f"<{node.tag}> in {html}"
        for name in node.keys():  # noqa: SIM118 - an element is no mapping
            if name not in _ATTRIBUTES:
                yield f"{name}= in {html}"
        for name in ("href", "src"):
            if not _ADDRESS.match(_PASSED_OVER.sub("", node.get(name, ""))):
                yield f"{node.get(name)} in {html}"
