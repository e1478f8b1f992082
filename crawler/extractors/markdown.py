"""HTML of an article to Markdown: CommonMark with tables and strikethrough."""

from __future__ import annotations

import re

from html_to_markdown import (
    CodeBlockStyle,
    ConversionOptions,
    HeadingStyle,
    HiddenContent,
    HighlightStyle,
    InlineDataMedia,
    LinkStyle,
    ListIndentType,
    NewlineStyle,
    OutputFormat,
    PreprocessingOptions,
    PreprocessingPreset,
    TierStrategy,
    UrlEscapeStyle,
    WhitespaceMode,
    convert,
)
from lxml import etree

from crawler.extractors.links import absolute
from crawler.extractors.literal import CODE, EMPHASIS, EMPTY, escaped, keep_text
from crawler.extractors.tree import (
    Element,
    has_class,
    mark_cut,
    mark_unwrap,
    path,
    raw_text,
    says_something,
    set_text_before,
    sweep,
    text_before,
    texts,
)

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
EMBEDS = ("iframe", "video", "audio", "embed")
BLOCKS = frozenset(HEADINGS).union(
    ("p", "div", "ul", "ol", "li", "table", "pre", "blockquote", "hr", "figure", "section", "article")
)
# What the converter has a rule of its own for. Any other tag (`<u>`, an author's own `<user_id>`) leaves its text,
# which then is one with the text round it and is escaped as one.
KNOWN = BLOCKS.union(CODE, EMPHASIS, EMBEDS).union(
    ("a", "img", "br", "sub", "sup", "q", "picture", "source", "details", "summary"),
    ("thead", "tbody", "tfoot", "tr", "td", "th", "caption", "colgroup", "col"),
    ("main", "header", "footer", "aside", "nav", "address", "form", "fieldset"),
)
RENAMED = {"center": "div", "dl": "div", "dt": "p", "dd": "div", "figcaption": "p"}

# <figure class="highlight python"><table><tr><td class="gutter">…<td class="code"><pre>…
HIGHLIGHTED = "highlight"
CODE_CELL = path(".//td[@class = 'code']//pre")
# <figure class="iseeu highlight python">, <pre class="line-numbers language-python">, <code class="hljs python">
LANGUAGE = re.compile(r"\b(?:language|lang)-([^\s]+)")
NO_LANGUAGE = frozenset(("highlight", "iseeu", "hljs", "line-numbers", "wrap", "plain", "plaintext"))

# A cell of a Markdown table is one line; a table that holds any of these stays HTML, with these attributes.
NOT_IN_CELLS = (*HEADINGS, "ul", "ol", "pre", "blockquote", "table", "hr")
TABLE_ATTRIBUTES = frozenset(("href", "src", "alt", "title", "colspan", "rowspan", "start"))

_ASIDE = "\ufdd4"  # a noncharacter, round the number of a block that is made apart
_PLACE = re.compile(rf"{_ASIDE}(\d{{1,6}}){_ASIDE}")

OPTIONS = ConversionOptions(
    autolinks=False,  # a link stays a link, whatever its text
    br_in_tables=True,  # a table's row is one line
    bullets="-",
    compact_tables=True,  # no padding: one changed cell changes one line
    expand_abbreviations=False,  # only what the page shows
    extract_metadata=False,
    hidden_content=HiddenContent.ALL,  # what a script of the page would show is the article's too
    highlight_style=HighlightStyle.NONE,
    include_blockquote_citations=False,
    infer_dimensions=False,
    keep_inline_images_in=list(HEADINGS),  # else they become their alternative text
    newline_style=NewlineStyle.BACKSLASH,  # survives whoever trims line ends
    # the article is cut out already
    preprocessing=PreprocessingOptions(enabled=False, preset=PreprocessingPreset.STANDARD),
    sub_symbol="<sub>",
    sup_symbol="<sup>",
    # what follows is the default, but named by its member: every conversion looks a default's name up anew
    code_block_style=CodeBlockStyle.BACKTICKS,
    heading_style=HeadingStyle.ATX,
    inline_data_media=InlineDataMedia.KEEP,
    link_style=LinkStyle.INLINE,
    list_indent_type=ListIndentType.SPACES,
    output_format=OutputFormat.MARKDOWN,
    tier_strategy=TierStrategy.AUTO,
    url_escape_style=UrlEscapeStyle.ANGLE,
    whitespace_mode=WhitespaceMode.NORMALIZED,
)


def to_markdown(content: Element, base: str) -> str:
    """The Markdown of an article, which this takes apart; `base` is the page's address.

    Lines end in "\\n" without spaces before it, a hard break is a backslash, and outside code there is never more
    than one blank line. A table whose cells hold lists, headings or code stays HTML: Markdown's cells are one line.
    Raises ValueError where an article with text comes out with none.
    """
    _code_blocks(content)
    _known_tags(content)
    _embeds(content)
    _addresses(content, base)
    _lists(content)
    has_text = any(map(str.strip, texts(content)))
    blocks: list[str] = []
    _html_tables(content, blocks)
    keep_text(content)
    _breaks(content)
    _quotes_and_tables(content, blocks)
    body = _converted(content, blocks)
    if has_text and not body:
        raise ValueError("the article has text, but its Markdown came out empty")
    return body


def _converted(node: Element, blocks: list[str]) -> str:
    """The Markdown of what an element holds, with the blocks that were set aside back in their places."""
    html = etree.tostring(node, method="html", encoding="unicode", with_tail=False)
    markdown = escaped(convert(html, OPTIONS).content or "").strip("\n")
    return _PLACE.sub(lambda place: _put_back(place, blocks), markdown)


def _set_aside(node: Element, number: int) -> None:
    """Leave a numbered place, as a paragraph, for a block that is made apart."""
    tail = node.tail
    node.clear()
    node.tag, node.text, node.tail = "p", f"{_ASIDE}{number}{_ASIDE}", tail


def _put_back(place: re.Match[str], blocks: list[str]) -> str:
    number = int(place[1])
    block = blocks[number - 1] if 0 < number <= len(blocks) else ""  # a page's own text can look like a place
    column = place.start() - (place.string.rfind("\n", 0, place.start()) + 1)
    return re.sub("\n(?=.)", "\n" + " " * column, block)


def _html_tables(content: Element, blocks: list[str]) -> None:
    """Set tables aside that hold what a cell of a Markdown table cannot: as HTML on one line."""
    for table in list(content.iter("table")):
        if next(table.iterdescendants(*NOT_IN_CELLS), None) is None:
            continue
        for node in table.iter():
            for name in set(node.attrib) - TABLE_ATTRIBUTES:
                del node.attrib[name]
        for code in table.iter("code"):
            code.text = (code.text or "").replace("\n", _ASIDE)
        html = etree.tostring(table, method="html", encoding="unicode", with_tail=False)
        blocks.append(re.sub(r"\s*\n\s*", " ", html).replace(_ASIDE, "&#10;"))
        _set_aside(table, len(blocks))


def _quotes_and_tables(content: Element, blocks: list[str]) -> None:
    """Set quotes aside, and tables in lists: the converter loses lists in quotes and runs such tables together."""
    for node in reversed(list(content.iter("blockquote", "table"))):
        if node.tag == "blockquote":
            node.tag = "div"
            lines = _converted(node, blocks).split("\n")
            blocks.append("\n".join(f"> {line}" if line else ">" for line in lines))
        elif next(node.iterancestors("li"), None) is not None:
            blocks.append(_converted(node, blocks))
        else:
            continue
        _set_aside(node, len(blocks))


def _code_blocks(content: Element) -> None:
    """Leave each block of code as its text and its language, without line numbers and colours."""
    for figure in [node for node in content.iterdescendants("figure") if has_class(node, HIGHLIGHTED)]:
        classes = [name for name in figure.get("class", "").split() if name not in NO_LANGUAGE]
        for pre in CODE_CELL(figure) or figure.findall(".//pre"):
            pre.set("class", f"language-{classes[0]}" if classes else "")
            table = figure.find("table")
            if table is not None:
                figure.replace(table, pre)
    for pre in content.iter("pre"):
        _plain_code(pre)


def _plain_code(pre: Element) -> None:
    for line_break in pre.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    classes = " ".join(node.get("class", "") for node in pre.iter("pre", "code"))
    match = LANGUAGE.search(classes)
    named = [match[1]] if match else [name for name in classes.split() if name not in NO_LANGUAGE]
    text = raw_text(pre).replace("\xa0", " ").strip("\n")
    tail = pre.tail
    pre.clear()
    pre.tail = tail
    code = etree.SubElement(pre, "code", {"class": f"language-{named[0]}"} if named else {})
    code.text = text


def _known_tags(content: Element) -> None:
    for node in content.iterdescendants():
        tag = node.tag
        if tag in RENAMED:
            node.tag = tag = RENAMED[tag]
        if tag not in KNOWN or (
            tag in EMPHASIS and any(child.tag in BLOCKS or child.tag in RENAMED for child in node)
        ):
            mark_unwrap(node)
    sweep(content)


def _embeds(content: Element) -> None:
    """A video or a frame becomes a link to it."""
    for embed in content.iter(*EMBEDS):
        source = embed.find("source")
        address = embed.get("src") or (source.get("src") if source is not None else None)
        title, tail = embed.get("title", "").strip(), embed.tail
        embed.clear()
        embed.tail = tail
        if address:
            embed.tag = "a"
            embed.set("href", address)
            embed.text = title or "Video"
        else:
            mark_cut(embed)
    sweep(content)


def _addresses(content: Element, base: str) -> None:
    """Make addresses absolute; leave in-page anchors; take the links and pictures apart that lead nowhere."""
    for a in content.iter("a"):
        href = a.get("href", "").strip()
        target = href if href.startswith("#") else absolute(base, href)
        if not href or target is None:
            mark_unwrap(a)
        elif not says_something(a):
            mark_cut(a)
        else:
            a.set("href", target)
            if "title" in a.attrib:
                a.set("title", " ".join(a.get("title", "").split()))
    for img in content.iter("img"):
        src = absolute(base, img.get("src", ""))
        alt = " ".join(img.get("alt", "").split())
        title = " ".join(img.get("title", "").split())
        img.attrib.clear()
        if src is None or src == base:
            img.text = alt
            mark_unwrap(img)
        else:
            img.set("src", src)
            img.set("alt", alt)
            if title:
                img.set("title", title)
    sweep(content)


def _lists(content: Element) -> None:
    """Put lists that stand right in a list into the item before them, where readers see them."""
    for listing in content.iter("ul", "ol"):
        item = listing.getprevious()
        if item is not None and item.tag == "li":
            item.append(listing)
        if not listing.get("start", "0").isdecimal():
            del listing.attrib["start"]


def _breaks(content: Element) -> None:
    """Put text after each break: the converter loses its place in a list where an element follows one."""
    for line_break in content.iter("br"):
        set_text_before(line_break, text_before(line_break).rstrip())
        tail, following = line_break.tail or "", line_break.getnext()
        is_inline = following is not None and following.tag != "br" and following.tag not in BLOCKS
        if is_inline and not tail.strip():
            line_break.tail = EMPTY + tail.lstrip()
