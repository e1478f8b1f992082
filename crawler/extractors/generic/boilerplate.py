"""What stands in an article and is not part of it: bars, boxes, lists and labels that templates put there."""

from __future__ import annotations

import re
from functools import lru_cache

from crawler.extractors.tree import Element, mark_cut, path, raw_text, sweep, text_of

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
SIGNED = path(".//a[@rel = 'author']")
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
HEADING_LINK = path(
    ".//*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5 or self::h6]//a[starts-with(@href, '#')]"
)
# <ul><li><a href="/tags/x/">x</a></li></ul>
TAG_HREF = re.compile(r"/(?:tags?|tagged|topics?|categor(?:y|ies)|label)/")

_BLOCKS = frozenset(
    ("div", "section", "aside", "ul", "ol", "p", "header", "footer", "figure", "details", "table")
)
_INLINE = frozenset(("span", "a"))
_TEXT_BLOCKS = ("p", "li", "td", "th", "blockquote")
_LONGEST_NAME = 500  # characters of an attribute that are looked at
_LABEL = 20  # characters that a list of tags may have beside its links
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HYPHENS = re.compile(r"[^\w]+|_+")
_SIGNS = re.compile(r"[\W_]*")


def cut_comments(body: Element) -> None:
    """Cut what readers wrote below an article; what holds the page's title is no comment."""
    for node in body.iterdescendants("div", "section", "ol", "ul", "li", "article", "aside"):
        is_comment = node.get("itemprop") in COMMENT_PROPERTIES or any(
            map(COMMENT_NAMES.fullmatch, _names(node))
        )
        if is_comment and next(node.iter("h1"), None) is None:
            mark_cut(node)
    sweep(body)


def cut_boilerplate(content: Element) -> None:
    """Cut what templates put into an article; what holds half of its text is the article itself."""
    _unlink_headings(content)
    half = len(raw_text(content)) // 2
    for node in content.iterdescendants():
        if _is_boilerplate(node) and len(raw_text(node)) <= half:
            mark_cut(node)
    sweep(content)


def _is_boilerplate(node: Element) -> bool:
    if node.tag in CONTROLS or _is_hidden(node) or (node.tag == "address" and SIGNED(node)):
        return True
    if node.tag in _INLINE:
        stands_alone = next(node.iterancestors(*_TEXT_BLOCKS), None) is None
        return (stands_alone and _is_named(node)) or SKIP_TARGET.match(node.get("href", "")) is not None
    return node.tag in _BLOCKS and next(node.iterancestors("blockquote"), None) is None and _is_box(node)


def _is_hidden(node: Element) -> bool:
    return (
        not HIDDEN_ATTRIBUTES.isdisjoint(node.attrib)
        or not MARKS.isdisjoint(node.get("class", "").split())
        or HIDDEN_STYLE.search(node.get("style", "")) is not None
    )


def _is_box(node: Element) -> bool:
    """Whether a block is a box, a bar or a list of the template's."""
    if node.tag in ("footer", "header"):
        return node.tag == "footer" or _is_named(node) or next(node.iter("h1"), None) is not None
    if _is_named(node) or (node.tag == "aside" and _is_linked(node)):
        return True
    return (
        RELATED_LINE.match(raw_text(node).lstrip()[:40]) is not None and _is_linked(node)
    ) or _is_tag_list(node)


def _is_named(node: Element) -> bool:
    return any(map(NAMES.search, _names(node)))


def _names(node: Element) -> tuple[str, ...]:
    """What a template calls an element."""
    named = [node.get(attribute, "")[:_LONGEST_NAME] for attribute in NAMING]
    if node.tag != "section" and SECTION_CLASSES.isdisjoint(named[0].split()):
        named.append(node.get("id", "")[:_LONGEST_NAME])
    return _spelled(*named[:1], *(name.replace(" ", "-") for name in named[1:]))


@lru_cache(1024)
def _spelled(*names: str) -> tuple[str, ...]:
    """Names in one spelling, words-with-hyphens."""
    words = " ".join(names).split()
    return tuple(_HYPHENS.sub("-", _CAMEL.sub("-", word)).strip("-").lower() for word in words)


def _is_linked(node: Element) -> bool:
    """Whether most text of an element is that of links."""
    linked = sum(len(text_of(a)) for a in node.iter("a"))
    return 2 * linked > len(text_of(node))


def _is_tag_list(node: Element) -> bool:
    """Whether an element is nothing but links to tags, and perhaps a label."""
    links = list(node.iter("a"))
    if not links or not all(TAG_HREF.search(a.get("href", "")) for a in links):
        return False
    return len(text_of(node)) <= sum(len(text_of(a)) for a in links) + _LABEL


def _unlink_headings(content: Element) -> None:
    """Take the links to themselves out of headings: a sign goes, and of a whole heading the text stays."""
    for a in HEADING_LINK(content):
        if _SIGNS.fullmatch(raw_text(a)) or a.get("aria-hidden") == "true":
            mark_cut(a)
        else:
            a.tag = "span"
    sweep(content)
