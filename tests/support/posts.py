"""Make the smallest page that is extracted as a post of the theme."""

from __future__ import annotations

from crawler.extractors import extract

POST_URL = "https://blog.example.org/a-post/"
POST = """<html><head><meta property="og:type" content="article">
<meta property="article:published_time" content="2024-03-01T20:00:00Z"></head><body>
<div class="article-title"><h1>A post</h1></div><div class="article-header"><span class="name">Dana</span></div>
<div class="article-content">%s</div></body></html>"""


def body_of(content: str) -> str:
    """Return the Markdown of a post with this content."""
    article = extract((POST % content).encode(), POST_URL)
    assert article is not None
    return article.body
