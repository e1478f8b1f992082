"""Whatever a page holds, a reader of its Markdown gets text, links and pictures, and nothing that runs.

`ALSOREAD_EXAMPLES=100000` tries that many articles in each test.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extractors import extract
from crawler.extractors.source import read_source
from crawler.items import Article
from crawler.text import normal
from pipelines.normalize import normalize
from tests.conftest import ARTICLE
from tests.support.rendering import live_parts

URL = "https://fixture.example.org/a-post/"
PAGE = """<html><head><meta property="og:type" content="article"><meta property="og:title" content="{1}">
<meta name="description" content="{1}"></head><body>
<div class="article-title"><h1>{0}</h1></div><div class="article-header"><span class="name">{0}</span>
<span class="article-tags"><a href="/t/">{0}</a></span></div><div class="article-content">{2}
<p><span class="atpl-alsoreadstyle">Also read:</span></p><div><ul><li><a href="/x/">{0}</a></li></ul></div>
</div></body></html>"""
EXAMPLES = int(os.environ.get("ALSOREAD_EXAMPLES", "100"))
TRYING = settings(max_examples=EXAMPLES)


def check(article: Article | None) -> None:
    """Assert that an article's body is in its normal form already, and that nothing in it is live."""
    assert article is not None
    normalized = normalize(article)
    assert normalize(normalized) == normalized
    assert normalized.body == article.body.strip("\n") == normal(article.body)
    assert live_parts(article.body) == []


# What normalizing changes or takes away, and what has a meaning in Markdown, in HTML or in a reference.
ODD = (
    *"\x01\x0b\x0c\x1b\x7f\x85\x86\xa0\xad\u1680\u2000\u2007\u2028\u2029\u202f\u200b\u200e\u202e\u2060\ufeff\ufffd",
    *"\u1fef\u1ffd\u2126\u212a\u212b\u037e\u0340\u0341\u0343\u0344\u0374\u0387\u2329\u232a\u226e\uf900",
    *"\u0301\u0327\u0338\u034f\u0930\u093c\u1100\u1161\u11a8\ufdd0\ufffe\uffff",
    *("\r", "\r\n", "\r\r", "\n\n", "\n", "\t", "    "),
)
SYNTAX = (
    *"<>[]()!`\\\"'&#;=|*_~-+:. /x1",
    *(
        "[x]",
        "(javascript:alert(1))",
        "[x](javascript:alert(1))",
        "![x](data:text/html,x)",
        "[x]: javascript:x\n",
    ),
    *(
        "<script>",
        "script>",
        "</script>",
        "<img src=x ",
        "onerror=alert(1) ",
        " onmouseover=alert(1) x=",
        "<!--",
    ),
    *(
        "-->",
        "<iframe src=x>",
        "<javascript:alert(1)>",
        "```",
        "~~~",
        "---",
        "| a |",
        "|---|",
        "# ",
        "> ",
        "1. ",
    ),
    *("&lt;", "&#60;", "&#x3c", "<style>", "<form action=x>", "<![CDATA[", "<?x", "]]>", "&colon;", "{{x}}"),
)


def _reference(char: str) -> str:
    return "".join(f"&#{ord(each)};" for each in char)


def _hidden(char: str) -> str:
    """Make a reference that becomes one when the reference in it is removed."""
    return "".join(f"&#&#1;{ord(each)};" for each in char)


pieces = st.one_of(
    st.sampled_from(ODD),
    st.sampled_from(ODD).map(_reference),
    st.sampled_from(SYNTAX).map(escape),
    st.sampled_from(SYNTAX).map(_reference),
    st.sampled_from([*SYNTAX, "\x00"]).map(_hidden),
    st.sampled_from(
        ["&#1;", "&#x1f", "&#&#1;28;", "&#x&#2;1b;", "&#&#&#1;1;28;", "&#0;", "&#xd800;", "&nbsp;", "w"]
    ),
)
texts = st.lists(pieces, max_size=6).map("".join)
STARTS = """# / ? //e.example/ https://e.example/a?b= https://[ mailto:a@b.c x: javascript: JaVa&#9;Script:
&#1;javascript: javascript&colon; java\u200bscript: &#65279;javascript: vbscript: data:text/html, file:/// blob: \\
view-source:javascript:"""
addresses = st.tuples(st.sampled_from(["", *STARTS.split()]), texts).map("".join)
numbers = st.one_of(st.sampled_from(["2", " 3 ", "-1", "0", "\u0662", "9" * 30]), texts.map("2{}".format))

wrapped = st.recursive(
    texts
    | st.builds('<img src="{}" alt="{}" title="{}">'.format, addresses, texts, texts)
    | st.builds('<iframe src="{}" title="{}"></iframe>'.format, addresses, texts)
    | st.sampled_from(["<br>", "<hr>", "<!-- x -->", "<wbr>"]),
    lambda inner: st.one_of(
        st.builds(
            "<{0}>{1}</{0}>".format,
            st.sampled_from(
                ["b", "i", "del", "sub", "sup", "q", "u", "code", "kbd", "span", "xmp", "textarea"]
            ),
            inner,
        ),
        st.builds('<a href="{}" title="{}">{}</a>'.format, addresses, texts, inner),
        st.lists(inner, min_size=2, max_size=4).map("".join),
    ),
    max_leaves=6,
)
blocks = st.one_of(
    *(
        wrapped.map(shape.format)
        for shape in (
            "<p>{}</p>",
            "<h2>{}</h2>",
            "<ul><li>{0}</li><li><p>{0}</p></li></ul>",
            "<blockquote>{}</blockquote>",
            "<pre>{}</pre>",
            "<table><tr><th>h</th></tr><tr><td>{0}</td><td>{0}</td></tr></table>",
            "<table><caption>{0}</caption><tr><td><ul><li>{0}</li></ul></td></tr></table>",
            "<table><tr><td><pre>{0}</pre><h3>{0}</h3></td></tr></table>",
            "<details><summary>{0}</summary>{0}</details>",
            "{}",
        )
    ),
    st.builds('<pre class="language-{0}"><code class="{0}">{1}</code></pre>'.format, texts, texts),
    st.builds(
        '<figure class="highlight {}"><table><tr><td class="code"><pre>{}</pre></table></figure>'.format,
        texts,
        texts,
    ),
    st.builds(
        '<table><tr><td colspan="{0}" rowspan="{0}"><ol start="{0}"><li>{1}</ol></table>'.format,
        numbers,
        wrapped,
    ),
    st.builds(
        '<table><tr><td colspan="{0}" rowspan="{0}">{1}</table><ol start="{0}"><li>x</ol>'.format,
        numbers,
        wrapped,
    ),
)


def page(text: str, attribute: str, content: str) -> Article | None:
    """Extract a page with enough text beside control characters to count as text."""
    return extract(PAGE.format(text, attribute, f"<p>{'w ' * 3000}</p>{content}").encode(), URL)


FOUND = [
    "<p><code>a&#13;&#13;&lt;script&gt;alert(1)&lt;/script&gt;</code></p>",
    "<ul><li><code>a&#13;&#13;&lt;script&gt;alert(1)&lt;/script&gt;</code></li></ul>",
    "<table><tr><td><pre>a&#13;&#13;&lt;script&gt;alert(1)&lt;/script&gt;</pre></td></tr></table>",
    "<table><tr><td><ul><li>a&#13;&#13;[a](javascript:alert(1))</li></ul></td></tr></table>",
    "<table><tr><td colspan='2&#10;&#10;[a](javascript:alert(1))'><ul><li>x</li></ul></td></tr></table>",
    "<table><tr><td><ul><li><a href='#a&#10;&#10;[a](javascript:alert(1))'>x</a></li></ul></td></tr></table>",
    "<table><tr><td><ul><li><a href='/x'>&#x338; onmouseover=alert(1) x</a></li></ul></td></tr></table>",
    "<table><caption><img alt=' &#x338;'></caption><tr><td><ul><li>x</li></ul></td></tr></table>",
    "<table><tr><td><pre>\n&#x338; onmouseover=alert(1) x</pre></td></tr></table>",
    *(
        f"<p>[x]{char}(javascript:alert(1))</p>"
        for char in ("&#8203;", "&#x7f;", "\x86", "\ufeff", "\u2060", "&#1;")
    ),
    "<p>&lt;&#&#1;28;script&gt;alert(1)&lt;/script&gt;</p>",
    "<p>&#x1fef;a` &#x1fef;&lt;script&gt;alert(1)&lt;/script&gt;</p>",
    "<p>&lt;lin&#x212a; rel=stylesheet href=//e.example&gt;</p>",
    "<pre class='language-x\u1fef\u1fef\u1fef'>\n```\n&lt;script&gt;alert(1)&lt;/script&gt;</pre>",
    "<p><img src='\\\\' title='&lt;script&gt;alert(1)&lt;/script&gt;'></p>",
    "<p><b>a</b><b>[x]<i>(javascript:alert(1))</i></b></p>",
]


@pytest.mark.parametrize("content", FOUND)
def test_known_attacks_give_nothing_live(content: str) -> None:
    check(page("x", "x", content))


@pytest.mark.parametrize("content", FOUND)
def test_known_attacks_in_the_source_of_a_post_give_nothing_live(content: str) -> None:
    check(read_source(replace(ARTICLE, body=f"w\n\n{content}\n\n> {content}")))


SCRIPT = "&lt;script&gt;alert(1)&lt;/script&gt;"
BARE_ADDRESS = re.compile(r"(?<!\]\()\b(?:https?://|www\.)[^\s<]*", re.IGNORECASE)


SPACES = (
    *("", " ", "\n", "\r", "\t", "\xa0", "\u200b", "\ufeff", "&#1;", "&#13;", "&#8203;", "&#x34f;&#8203;"),
    *("<wbr>", "<br>", "<!-- x -->", "<span> </span>", "<i></i>"),
)
TAGS = [
    "pre",
    "code",
    "kbd",
    "sub",
    "b",
    "q",
    "p",
    "li",
    "h3",
    "a",
    "div",
    "blockquote",
    "summary",
    "caption",
]
ATTRIBUTES = ("<a href='/x' title='{}'>x</a>", "<img src='/x.png' alt='{}'>", "<pre><code>{}</code></pre>")


@pytest.mark.parametrize(
    "block",
    [
        "<p>{}</p>",
        "<h2>{}</h2>",
        "<ul><li>{}</li></ul>",
        "<table><tr><th>h</th></tr><tr><td>{}</td></tr></table>",
        "<table><tr><td><ul><li>x</li></ul>{}</td></tr></table>",
    ],
)
def test_no_text_joins_the_tag_before_it(block: str) -> None:
    text = "&#x338; onmouseover=alert(1) x"
    elements = (*(f"<{tag}>{{}}</{tag}>" for tag in TAGS), *ATTRIBUTES)
    content = (block.format(each.format(space + text)) for each in elements for space in SPACES)
    check(page("x", "x", "".join(content)))


@pytest.mark.parametrize(
    "content",
    [
        f"<p>http://e.example/{SCRIPT}</p>",
        f"<p>see WWW.e.example/{SCRIPT}</p>",
        f"<p>http://e.example<b>/{SCRIPT}</b></p>",
        f"<p>http://e.example/\\{SCRIPT}</p>",
        f"<p>http://e.example/<code>{SCRIPT}</code></p>",
        f"<p>http://e.example/<code> {SCRIPT}` </code>{SCRIPT}</p>",
        f"<p>http://e.example/` and <code>{SCRIPT}</code></p>",
        f"<p>http://e.example/<img src='/x.png' alt='{SCRIPT}'></p>",
        f"<h2>https://e.example/{SCRIPT}</h2>",
        f"<table><tr><th>h</th></tr><tr><td>http://e.example/{SCRIPT}</td></tr></table>",
        "<p>http://e.example/[x](javascript:alert(1))</p>",
        "<p>[a http://e.example/](javascript:alert(1))</p>",
    ],
)
def test_nothing_is_live_behind_an_address_that_a_reader_links_by_itself(content: str) -> None:
    article = page("x", "x", content)
    check(article)
    assert article is not None
    check(replace(article, body=BARE_ADDRESS.sub("address", article.body)))


@pytest.mark.parametrize(
    "tag", ["<a href='/x'>{}</a>", "<a href='/x'><b>{}</b></a>", "<img src='/x.png' alt='{}'>"]
)
def test_nothing_is_live_in_a_link_whose_text_a_reader_parses_twice(tag: str) -> None:
    article = page("x", "x", f"<p>{tag.format('![x](data:text/html,x) [x](javascript:alert(1))')}</p>")
    check(article)
    assert article is not None
    check(replace(article, body=re.sub(r"\\([][])", r"\1", article.body)))


@TRYING
@given(texts, texts, st.lists(blocks, min_size=1, max_size=3).map("".join))
def test_nothing_in_a_page_is_live(text: str, attribute: str, content: str) -> None:
    check(page(text, attribute, content))


@TRYING
@given(
    st.lists(st.one_of(pieces, st.sampled_from(SYNTAX), wrapped, blocks), min_size=1, max_size=6).map("".join)
)
def test_nothing_in_the_source_of_a_post_is_live(markdown: str) -> None:
    try:
        article = read_source(replace(ARTICLE, body=f"w\n\n{markdown}"))
    except ValueError:
        return  # refused
    check(article)
