"""Each `pages/NAME.html` gives the Article in `NAME.json` with the body in `NAME.md`.

`NAME.json` may also have the charset that a server sends with the page.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from crawler.extractors import extract
from crawler.items import Article
from tests.support.posts import POST, POST_URL, body_of

PAGES = sorted((Path(__file__).parent / "pages").glob("*.html"))
COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def shown(markdown: str) -> str:
    """Return the text of rendered Markdown without its white space."""
    html = COMMONMARK.render(markdown)
    text: str = lxml.html.fragment_fromstring(html, create_parent="div").text_content()
    return "".join(text.split())


def as_json(article: Article) -> dict[str, Any]:
    """Return an article as the fixtures have it: times in ISO form, without its body, which has a file of its own."""
    fields = asdict(replace(article, body=""))
    del fields["url"], fields["body"]
    fields |= {name: [item._asdict() for item in fields[name]] for name in ("images", "also_read")}
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in fields.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_gives_its_article(page: Path) -> None:
    expected = json.loads(page.with_suffix(".json").read_text())
    article = extract(page.read_bytes(), expected["url"], expected.get("charset"))
    if expected["article"] is None:
        assert article is None
        return
    assert article is not None
    assert as_json(article) == expected["article"]
    assert article.body == page.with_suffix(".md").read_text().removesuffix("\n")
    assert article.url == expected["url"]


def test_a_full_page_of_the_theme_is_read_without_trafilatura() -> None:
    page = Path(__file__).parent / "pages" / "whole.html"
    program = (
        "import sys; from crawler.extractors import extract\n"
        f"article = extract(open({str(page)!r}, 'rb').read(), {POST_URL!r})\n"
        "assert article.extractor == 'redefine', article\n"
        "assert 'trafilatura' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_expectation_has_a_page() -> None:
    names = {path.stem for path in PAGES}
    assert {path.stem for path in (Path(__file__).parent / "pages").iterdir()} == names


@pytest.mark.parametrize("opening", ["<div>", "<b>", "<ul><li>", "<blockquote>", "<table><tr><td>"])
def test_what_is_nested_too_deep_is_refused_with_the_reason(opening: str) -> None:
    page = POST % f"<p>before</p>{opening * 10_000}text"
    with pytest.raises(ValueError, match="nested more than 256 levels deep"):
        extract(page.encode(), POST_URL)
    assert extract(f"<html><body>{opening * 10_000}text".encode(), POST_URL) is None


WHOLE = (Path(__file__).parent / "pages" / "whole.html").read_text()
BOX = '<div class="post-copyright-info '
THEME = WHOLE.replace("</body>", '<div class="article-nav my-8"></div></body>')


@pytest.mark.parametrize(
    "page",
    [
        POST % "<p>One</p><a href='https://e.example/ <p>Two</p>",
        POST % '<p>One</p><a href="https://e.example/>Two</a><p class="x">Three</p>',
        POST % '<p>One</p><p><img alt="Two</p><p class="x">Three</p>',
        POST
        % '<table><tr><td><h2><a href="https://e.example/>Two</a> <b class="x">Three</b></h2></td></tr></table>',
        THEME.replace("</h1>", "</h1><p title='"),
        THEME.replace(BOX, '<p title="' + BOX),
        THEME.replace('<div class="article-content', '<p title="<div class="article-content'),
    ],
    ids=[
        "to the end",
        "a link",
        "a picture",
        "in a table",
        "from the title on",
        "the licence box",
        "the article",
    ],
)
def test_what_an_open_attribute_swallows_is_refused_with_the_reason(page: str) -> None:
    with pytest.raises(ValueError, match="attribute are never closed"):
        extract(page.encode(), POST_URL)


@pytest.mark.parametrize(
    "content",
    [
        """<p>One <img src="/i.png" alt="<b>bold</b>" title="it's"> two</p>""",
        """<p>One <a href="/a" title=""Quoted" <b>" >two</a></p>""",
        "<p>One</p><!-- never closed",
        "<p>One</p><p>Two</p></article></body></html><!-- behind -->",
    ],
)
def test_odd_attributes_and_comments_swallow_nothing(content: str) -> None:
    assert body_of(content).startswith("One")


def test_nesting_within_reach_keeps_its_text() -> None:
    assert body_of("<div>" * 200 + "within" + "</div>" * 200 + "<p>after</p>") == "within\n\nafter"


@pytest.mark.parametrize(
    "content",
    [
        '<a href="/x">link</a> ' * 5_000,
        "<!-- affiliate ads begin --><p>x</p>" * 5_000,
        "<!-- affiliate ads begin --><p>x</p><!-- affiliate ads end -->" * 5_000,
        "<!-- affiliate ads begin --><b>x<!-- affiliate ads end --></b>" * 5_000,
        '<p><img alt="author avatar"></p>' * 5_000,
        "<p>Follow @Ada</p>" * 5_000,
        '<p><span class="atpl-alsoreadstyle">Also read:</span></p><ul><li><a href="/x">x</a></li></ul>'
        * 5_000,
        "a<br>" * 20_000,
        "a<b>!</b>" * 10_000,
        f"a<b>{'!' * 100_000}</b>a",
        "<blockquote>x</blockquote>" * 2_000,
    ],
    ids=[
        "links",
        "begun ads",
        "ads",
        "open ads",
        "avatars",
        "boxes",
        "lists",
        "breaks",
        "bold",
        "marks",
        "quotes",
    ],
)
def test_a_page_with_very_many_of_anything_comes_through(content: str) -> None:
    assert extract((POST % content).encode(), POST_URL) is not None


syntax = st.one_of(
    st.sampled_from("*_`[]()<>&#-+=~|\\!.:$ \n\t\xa0"),
    st.sampled_from(
        ("1.", "2)", "word", "日本", "「語」", "http://e.example/a_b", "a@b.c", "{{ x }}", "[x]: y")
    ),
    st.sampled_from(
        ("&lt;", "&amp;", "---", "===", "```", "<b>", "</p>", "<!--", "|---|", "# h", "- x", "> q")
    ),
)
texts = st.lists(syntax, min_size=1, max_size=8).map("".join)
shapes = st.sampled_from(
    [
        "<p>{}</p>",
        "<h2>{}</h2>",
        "<ul><li>{}</li><li>{}</li></ul>",
        "<table><tr><th>head</th></tr><tr><td>{}</td></tr></table>",
        '<p>to <a href="https://e.example/">{}</a> from</p>',
        "<p>x<b>{}</b>y</p>",
        "<p>a<br>{}<br>c</p>",
        "<blockquote>{}</blockquote>",
        "<p>{}<b>{}</b>{}<code>c</code>{}</p>",
        "<p>one</p>{}<p>two</p>",
        "<ol><li><p>{}</p><blockquote><p>{}</p></blockquote></li></ol>",
        "<pre>{}</pre>",
    ]
)


@settings(max_examples=200)
@given(shapes, st.lists(texts, min_size=4, max_size=4))
def test_text_stays_what_a_reader_saw(shape: str, parts: list[str]) -> None:
    html = shape.format(*map(escape, parts))
    seen = lxml.html.fragment_fromstring(html, create_parent="div").text_content()
    assert shown(body_of(html)) == "".join(seen.split())


inline = st.sampled_from(
    [
        "w ",
        "<b>w:</b> ",
        "<em>w</em>",
        '<a href="/l">w</a>',
        '<img src="/i.png" alt="w">',
        "<code>w</code>",
        "<br>w",
    ]
)
phrases = st.lists(inline, min_size=1, max_size=4).map(lambda parts: "v " + "".join(parts))
blocks = st.recursive(
    st.one_of(
        phrases.map("<p>{}</p>\n".format),
        phrases.map(lambda text: f"<h3>{text.replace('<br>', '')}</h3>\n"),
        st.just("<pre><code>a\n\n\n  b</code></pre>\n"),
        phrases.map("<table><tr><th>h</th></tr><tr><td>{}</td></tr></table>\n".format),
    ),
    lambda inner: st.one_of(
        st.lists(phrases | inner | st.tuples(phrases, inner).map("".join), min_size=1, max_size=3).map(
            lambda items: "<ol>" + "".join(f"<li>{item}</li>" for item in items) + "</ol>\n"
        ),
        inner.map("<blockquote>\n{}</blockquote>\n".format),
        st.lists(inner, min_size=1, max_size=3).map("".join),
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(blocks)
def test_structure_survives(html: str) -> None:
    body = body_of(html)
    page = lxml.html.fragment_fromstring(html, create_parent="div")
    rendered = lxml.html.fragment_fromstring(COMMONMARK.render(body), create_parent="div")
    for tag in ("h3", "li", "pre", "td", "img", "a", "blockquote"):
        assert len(rendered.findall(f".//{tag}")) == len(page.findall(f".//{tag}")), tag
    prose = re.sub(r"(?s)```.*?```", "code", body)
    assert "\n\n\n" not in prose
    assert not re.search(r"[ \t\xa0]$", prose, re.M)


words = st.one_of(texts, st.sampled_from(["w", "w ", " w", " ", "", "“w”", "हिं", "😀", "　", ".", "!"])).map(
    escape
)
marked = st.recursive(
    words | st.sampled_from(["<br>", '<img src="/i.png" alt="">', "<code>c</code>", "<code>`</code>"]),
    lambda inner: st.lists(
        st.tuples(st.sampled_from(["b", "i", "del", "sub", "u", 'a href="/l"']), inner).map(
            lambda part: f"<{part[0]}>{part[1]}</{part[0].split()[0]}>"
        )
        | inner,
        min_size=1,
        max_size=4,
    ).map("".join),
    max_leaves=12,
)


@settings(max_examples=300)
@given(
    st.sampled_from(["<p>{}</p>", "<li>{}</li>", "<h2>{}</h2>", "<table><tr><td>{}</td></tr></table>"]),
    marked,
)
@example("<p>{}</p>", "<b>w</b><del>“w”</del>~1.")
@example("<p>{}</p>", "<i><b>1.</b><b><code>c</code></b></i>")
@example("<table><tr><td>{}</td></tr></table>", '<b><i>w</i><br><i><img src="/i.png" alt=""></i></b>')
def test_nested_marks_never_show(shape: str, inline: str) -> None:
    html = shape.format(inline)
    page = lxml.html.fragment_fromstring(html, create_parent="div")
    body = body_of(html)
    assert shown(body) == "".join(page.text_content().split())
    rendered = lxml.html.fragment_fromstring(COMMONMARK.render(body), create_parent="div")
    assert len(rendered.findall(".//img")) == len(page.findall(".//img"))


def extract_or_refuse(html: bytes) -> None:
    try:
        extract(html, POST_URL)
    except ValueError as error:
        assert "part of the article" in str(error)  # noqa: PT017 - what is left may be read as well


@settings(max_examples=100)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(html: bytes) -> None:
    extract_or_refuse(html)
    extract_or_refuse((POST % "@@").encode().replace(b"@@", html))


@settings(max_examples=100)
@given(st.sampled_from([page for page in PAGES if page.stat().st_size > 0]), st.data())
def test_a_broken_page_is_read_or_refused(page: Path, data: st.DataObject) -> None:
    html = page.read_bytes()
    start = data.draw(st.integers(0, len(html)))
    end = data.draw(st.integers(start, min(len(html), start + 300)))
    extract_or_refuse(html[:start] + data.draw(st.binary(max_size=20)) + html[end:])
