"""Wherever a page breaks off, nothing less than the whole takes the place of a good copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.errors import UnreadablePage
from crawler.extractors import read
from crawler.items import Article, Visit
from pipelines.archive.articles import hash_of_file
from pipelines.archive.quarantine import Archived
from pipelines.normalize import normalize
from pipelines.validate import validate

URL = "https://one.techidaily.com/a-post/"
WHOLE = (Path(__file__).parent / "pages" / "whole.html").read_text(encoding="utf-8")
NAVIGATION = '<div class="article-nav my-8"><a class="prev" href="/x/">Before</a></div>'
FOOTER = '<div class="main-content-footer">'
THEME = """<!DOCTYPE html><html><head><title>A post</title><meta property="og:type" content="article">
<meta name="description" content="Of kettles.">
<meta property="article:published_time" content="2024-03-01T20:00:00.115Z"></head><body>
<div class="article-content-container"><div class="article-title"><h1>A post</h1></div>
<div class="article-header"><span class="name">Dana</span><span class="article-tags"><a href="/tags/tea/">tea</a>
</span></div><div class="article-content markdown-body"><p>A kettle <b>sings</b>.</p>
<p>Also read:</p><div><ul><li><a href="/b/">B</a></li><li><a href="/c/">C</a></li></ul></div></div>
<div class="post-copyright-info x"><a class="license" href="https://creativecommons.org/licenses/by/4.0">CC</a></div>
</div>{}</body></html>
"""
NO_FIELDS = """<html><head><title>A post</title></head><body><div class="article-content-container">
<div class="article-title"><h1>A post</h1></div><div class="article-content markdown-body"><p>A kettle sings.</p>
</div><div class="post-copyright-info x"></div><div class="article-nav x"></div></div>
<script type="application/ld+json">{"@type": "Article", "author": "Dana", "datePublished": "2024-03-01"}</script>
</body></html>"""
UNKNOWN = f"""<html><head><title>A post</title></head><body><article><h1>A post</h1>
{"<p>The kettle is filled with cold water and set on the stove to sing.</p>" * 5}</article></body></html>"""
PAGES = {
    "whole": WHOLE.replace(FOOTER, f"{NAVIGATION}{FOOTER}").encode(),
    "first-post": THEME.format("").encode(),
    "script-in-the-head": THEME.format("")
    .replace("<title>", "<script>'</body></html>'</script><title>")
    .encode(),
    "utf-16": THEME.format(NAVIGATION).encode("utf-16"),
    "author-and-date-at-the-end": NO_FIELDS.encode(),
    "unknown-template": UNKNOWN.encode(),
}


def visit(page: bytes) -> Visit:
    """Return the visit of a page, its article normalized."""
    try:
        article, cut_off, _ = read(page, URL)
    except UnreadablePage as error:
        return Visit(url=URL, state="failed", status=200, reason=str(error))
    if article is None:
        return Visit(url=URL, state="not_article", status=200)
    return Visit(url=URL, state="stored", status=200, article=normalize(article), cut_off=cut_off)


def archived(article: Article, *, cut_off: bool) -> Archived:
    return Archived(
        title=article.title,
        body=article.body,
        extractor=article.extractor,
        images=len(article.images),
        file_hash=hash_of_file(article),
        cut_off=cut_off,
    )


@pytest.mark.parametrize(
    "step", [pytest.param(10, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)]
)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_breaks_off_anywhere_replaces_no_whole_one(name: str, step: int) -> None:
    page = PAGES[name]
    whole = visit(page)
    assert whole.article
    assert not whole.cut_off
    copy = archived(whole.article, cut_off=False)
    for size in range(0, len(page), step):
        first = visit(page[:size])
        again = validate(first, copy)
        assert again.state == "failed" or again.article == whole.article, size
        if first.article and first.article != whole.article:
            assert first.cut_off, size


def test_a_page_that_breaks_off_earlier_replaces_no_longer_one() -> None:
    page = PAGES["first-post"]
    later = visit(page[: page.index(b"</div>\n</div></body>")])
    assert later.article
    assert (later.cut_off, later.article.license) == (True, "https://creativecommons.org/licenses/by/4.0")
    copy = archived(later.article, cut_off=True)
    assert validate(later, copy).article == later.article
    for size in range(len(page) - 40):
        again = validate(visit(page[:size]), copy)
        assert again.state == "failed" or again.article == later.article, size


@pytest.mark.parametrize("end", ["</body></html>", "</html>", "</BODY >", "</html\n></body>"])
def test_an_end_tag_that_more_of_the_page_follows_ends_nothing(end: str) -> None:
    whole = visit(PAGES["whole"])
    assert visit(PAGES["whole"].replace(b'<h2 id="Beans">', end.encode() + b'<h2 id="Beans">')) == whole
    page = PAGES["first-post"].replace(b"<p>Also read", end.encode() + b"<p>Also read")
    assert visit(page) == visit(PAGES["first-post"])
    assert visit(page[:-20]).cut_off
