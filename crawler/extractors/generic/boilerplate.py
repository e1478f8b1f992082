"""Remove what templates put into an article: bars, boxes, lists and labels."""

from __future__ import annotations

import re
from functools import lru_cache

from crawler.extractors.tree import (
    HEADINGS,
    Element,
    has_ancestor,
    has_descendant,
    mark_for_removal,
    raw_text,
    remove_marked,
    text_of,
    xpath,
)

# nothing of these is text: <button>Copy</button>
CONTROLS = frozenset(("button", "form", "input", "select", "textarea", "dialog", "label", "nav"))
# <p data-nosnippet>, <span hidden>, <p style="display: none">
HIDDEN_ATTRIBUTES = frozenset(("hidden", "data-nosnippet"))
HIDDEN_STYLE = re.compile(r"display\s*:\s*none", re.I)
# <div id="comments">, <li itemprop="comment">, <div itemprop="acceptedAnswer">: of others than the author
COMMENT_PROPERTIES = frozenset(("comment", "acceptedAnswer", "suggestedAnswer"))
COMMENT_NAMES = re.compile(
    r"(?:post-|article-|entry-)?comments(?:-area|-section|-list|-container)?|comment-(?:list|thread|form)|respond"
    r"|disqus-thread"
)
# <div class="sharedaddy sd-sharing">, <aside class="inline-related">, <div class="kg-signup-card">: words of a name,
# which may be spelled related-posts, relatedPosts or related__posts
WORDS = (
    r"share|sharing|sharedaddy|addtoany|social|follow-us|reactions?|likes?|claps?|rating|relateds?"
    r"|related-?posts|jp-relatedposts|recommend(?:ed|ations?)|rich-?link|links-block|more-(?:from|on)"
    r"|read-(?:more|next)|you-may-like|top-stories|most-(?:read|viewed|popular)|newsletter|subscribe"
    r"|subscription|sign-?up|opt-?in|mailchimp|cta|promo|donat(?:e|ion)|ads?|advert|advertisement"
    r"|ad-?slot|adsbygoogle|sponsor(?:ed)?|affiliate|reward|author|creator|bio|byline|dateline|posted"
    r"|published|submitted|metadata|last-updated?"
    r"|(?:post|entry|article|page|content)-(?:meta|info|header|footer|nav|tags|navigation|views|copyright)"
    r"|reading-time|breadcrumbs?|toc|table-of-contents|tags|tag-?list|tag-links|cat-?links|sidebar"
    r"|pagination|pager|prev-?next|next-?prev|(?:skip|jump)-link|edit-?(?:section|link|page)|comments?"
    r"|disqus|feedback|cookie|consent|popup|modal|toolbar|button-wrapper|copyright|license|source-file"
    r"|print-?footer|pre-numbering|line-?numbers"
)
NAMES = re.compile(rf"(?:^|-)(?:{WORDS})(?:-|$)")
# <div data-component="rich-link">, <aside aria-label="newsletter promotion">
NAMING = ("class", "data-component", "aria-label")
# <section id="license">, <div class="section" id="license">: named by its heading, as a part of the text is
SECTION_CLASSES = frozenset(("section", "level1", "level2", "level3"))
# <address><a rel="author">Mei Tan</a></address>
SIGNED = xpath(".//a[@rel = 'author']")
# <a href="#after-newsletter-skip-link">
SKIP_TARGET = re.compile(r"#(?:.*[-_])?skip[-_]", re.I)
# <p>Read also: <a href="/a-post/">…</a></p>
RELATED_LINE = re.compile(
    r"(?:read (?:also|more|next)|see also|also on|related|lesen sie auch|mehr (?:dazu|zum thema)|(?:à )?lire aussi"
    r"|le[ae]r? también|te puede interesar|leggi anche|leia (?:também|mais)|lees ook"
    r"|関連記事|あわせて読みたい|相关阅读|延伸阅读)\s*[::]",
    re.I,
)
# marks by which sites tell reading programs what to leave out, and what only screen readers see
MARKS = frozenset(
    ("speechify-ignore", "instapaper-ignore", "instapaper_ignore", "robots-nocontent", "noprint", "no-print")
).union(("d-print-none", "screen-reader-text", "sr-only", "visually-hidden", "visuallyhidden", "d-none"))
# <h2 id="x">Title <a href="#x" aria-hidden="true">#</a></h2>
HEADING_LINK = xpath(f".//*[{' or '.join(f'self::{tag}' for tag in HEADINGS)}]//a[starts-with(@href, '#')]")
# <ul><li><a href="/tags/x/">x</a></li></ul>
TAG_HREF = re.compile(r"/(?:tags?|tagged|topics?|categor(?:y|ies)|label)/")

_BLOCKS = frozenset(
    ("div", "section", "aside", "ul", "ol", "p", "header", "footer", "figure", "details", "table")
)
_INLINE = frozenset(("span", "a"))
_TEXT_BLOCKS = ("p", "li", "td", "th", "blockquote")
_MAX_NAME_CHARACTERS = 500  # of an attribute that are searched
_MAX_LABEL_CHARACTERS = 20  # that a list of tags may have beside its links
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HYPHENS = re.compile(r"[^\w]+|_+")
_SIGNS = re.compile(r"[\W_]*")


def cut_comments(body: Element) -> None:
    """Remove what readers wrote below an article; what holds the page's title is not a comment."""
    for node in body.iterdescendants("div", "section", "ol", "ul", "li", "article", "aside"):
        named = any(map(COMMENT_NAMES.fullmatch, _names(node)))
        if (named or node.get("itemprop") in COMMENT_PROPERTIES) and not has_descendant(node, "h1"):
            mark_for_removal(node)
    remove_marked(body)


def cut_boilerplate(content: Element) -> None:
    """Remove what templates put into an article; what holds half of its text is the article itself."""
    _unlink_headings(content)
    half = len(raw_text(content)) // 2
    for node in content.iterdescendants():
        if _is_boilerplate(node) and len(raw_text(node)) <= half:
            mark_for_removal(node)
    remove_marked(content)


def _is_boilerplate(node: Element) -> bool:
    if node.tag in CONTROLS or _is_hidden(node) or (node.tag == "address" and SIGNED(node)):
        return True
    if node.tag in _INLINE:
        stands_alone = not has_ancestor(node, *_TEXT_BLOCKS)
        return (stands_alone and _is_named(node)) or SKIP_TARGET.match(node.get("href", "")) is not None
    return node.tag in _BLOCKS and not has_ancestor(node, "blockquote") and _is_box(node)


def _is_hidden(node: Element) -> bool:
    return (
        not HIDDEN_ATTRIBUTES.isdisjoint(node.attrib)
        or not MARKS.isdisjoint(node.get("class", "").split())
        or HIDDEN_STYLE.search(node.get("style", "")) is not None
    )


def _is_box(node: Element) -> bool:
    """Tell whether a block is a box, a bar or a list of the template's."""
    if node.tag == "footer" or _is_named(node):
        return True
    if node.tag == "header":
        return has_descendant(node, "h1")
    leads_on = node.tag == "aside" or RELATED_LINE.match(raw_text(node).lstrip()[:40]) is not None
    return (leads_on and _is_linked(node)) or _is_tag_list(node)


def _is_named(node: Element) -> bool:
    return any(map(NAMES.search, _names(node)))


def _names(node: Element) -> tuple[str, ...]:
    """Return what a template calls an element."""
    named = [node.get(attribute, "")[:_MAX_NAME_CHARACTERS] for attribute in NAMING]
    if node.tag != "section" and SECTION_CLASSES.isdisjoint(named[0].split()):
        named.append(node.get("id", "")[:_MAX_NAME_CHARACTERS])
    return _spelled(*named[:1], *(name.replace(" ", "-") for name in named[1:]))


@lru_cache(1024)
def _spelled(*names: str) -> tuple[str, ...]:
    """Spell names in one way, words-with-hyphens."""
    words = " ".join(names).split()
    return tuple(_HYPHENS.sub("-", _CAMEL.sub("-", word)).strip("-").lower() for word in words)


def _is_linked(node: Element) -> bool:
    """Tell whether most text of an element is that of links."""
    return 2 * _linked_characters(node) > len(text_of(node))


def _linked_characters(node: Element) -> int:
    return sum(len(text_of(a)) for a in node.iter("a"))


def _is_tag_list(node: Element) -> bool:
    """Tell whether an element is nothing but links to tags, and perhaps a label."""
    links = list(node.iter("a"))
    if not links or not all(TAG_HREF.search(a.get("href", "")) for a in links):
        return False
    return len(text_of(node)) <= _linked_characters(node) + _MAX_LABEL_CHARACTERS


def _unlink_headings(content: Element) -> None:
    """Remove the links to themselves from headings; where one holds more than a sign, its text stays."""
    for a in HEADING_LINK(content):
        if _SIGNS.fullmatch(raw_text(a)) or a.get("aria-hidden") == "true":
            mark_for_removal(a)
        else:
            a.tag = "span"
    remove_marked(content)
