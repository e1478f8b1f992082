"""Pages that claim to be another page, or another's: each field is that of the article at the address fetched."""

from __future__ import annotations

import pytest

from crawler.extractors import extract
from crawler.items import Article

URL = "https://one.techidaily.com/a-post/"
PROSE = "<p>The kettle is filled with cold water and set on the stove to sing.</p>" * 6
THEME = """<html><head><title>A post</title>{head}<meta property="og:type" content="article">
<meta property="article:published_time" content="2024-03-01T20:00:00.115Z"></head><body>{before}
<div class="article-content-container"><div class="article-title"><h1>A post</h1></div><div class="article-header">
<span class="name">Dana</span></div><div class="article-content markdown-body">{inside}{prose}</div>
<div class="post-copyright-info x"></div></div><div class="article-nav my-8"></div>{after}</body></html>"""
UNKNOWN = """<html><head><title>A post</title>{head}<meta property="og:type" content="article">
<meta name="author" content="Dana"></head><body>{before}<article><h1>A post</h1>{inside}{prose}</article>
{after}</body></html>"""
TEMPLATES = pytest.mark.parametrize("template", [THEME, UNKNOWN], ids=["theme", "unknown"])
OTHER = "https://other.example/x/"
COMMENT = (
    '<article class="comment-body"><b itemprop="author">Eve</b> <time datetime="1999-01-01"></time></article>'
)


def article_of(template: str, prose: str = PROSE, **parts: str) -> Article:
    """Extract the article of a page of a template, with these parts filled in."""
    page = template.format(**dict.fromkeys(("head", "before", "inside", "after"), "") | parts, prose=prose)
    article = extract(page.encode(), URL)
    assert article is not None
    return article


@TEMPLATES
@pytest.mark.parametrize(
    "parts",
    [
        {"head": f'<link rel="canonical" href="{OTHER}"><meta property="og:url" content="{OTHER}">'},
        {"head": f'<meta http-equiv="refresh" content="0; url={OTHER}">'},
        {"head": f'<base href="{OTHER}">'},
        {"inside": f"<template>{PROSE}</template><noscript>{PROSE}</noscript>"},
        {"before": f"<template><article><h1>Other</h1>{PROSE}</article></template>"},
        {"after": f"<article><h1>A post</h1>{PROSE}</article>"},
        {"after": f'<div id="comments"><a rel="author" href="/eve/">Eve</a>{COMMENT}</div>'},
        {"after": f'<section class="comments">{COMMENT}</section>'},
        {"after": f'<ol class="comment-list"><li>{COMMENT}<p>Written by Eve</p></li></ol>'},
    ],
    ids=[
        "canonical",
        "refresh",
        "base",
        "twice-unseen",
        "other-unseen",
        "twice",
        "comments",
        "section",
        "list",
    ],
)
def test_what_else_a_page_holds_changes_nothing(template: str, parts: dict[str, str]) -> None:
    plain, article = article_of(template), article_of(template, **parts)
    assert article == plain
    assert (article.url, article.title, article.author) == (URL, "A post", "Dana")


def test_the_name_of_the_site_is_not_the_title_of_its_post() -> None:
    """The head names both, and the only heading is the site's."""
    head = '<meta property="og:site_name" content="Kettles"><meta property="og:title" content="A post">'
    page = UNKNOWN.replace("<title>A post", "<title>Kettles").replace("<h1>A post", "<h1>Kettles")
    assert article_of(page, head=head).title == "A post"


@TEMPLATES
def test_text_that_the_page_itself_garbles_stays_as_it_is(template: str) -> None:
    """UTF-8 that a blog has read as another charset is what the page says: to guess could garble what is right."""
    prose = PROSE.replace("kettle", "kettle of the cafÃ©")
    assert article_of(template, prose).body.count("cafÃ©") == 6
