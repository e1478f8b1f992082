"""Pages in the structure of the blogs' theme, whole and good unless a row spoils them."""

from __future__ import annotations

from html import escape

SENTENCES = (
    "The kettle is filled with cold water and set on the stove. ",
    "While it warms there is time to grind the beans and to warm two cups. ",
    "Coffee that waits turns bitter, so the pot is emptied at once. ",
    "A spoon of milk takes the edge off, and sugar is a matter of taste. ",
)
TEXT = "".join(f"<p>{sentence * 4}</p>\n" for sentence in SENTENCES)
NEWS = "<p>A second pot is never as good as the first one.</p>\n"

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
{charset}<meta property="og:type" content="article">
<meta property="article:published_time" content="2024-03-01T20:00:00.115Z">
<title>{title} - Fixture</title>
</head>
<body>
<div class="navbar-content"><a href="/">Home</a><a href="/archives/">Archives</a></div>
<div class="article-content-container">
<div class="article-title"><h1 class="article-title-cover">{title}</h1></div>
<div class="article-header"><div class="author"><span class="name">Dana</span></div></div>
<div class="article-content markdown-body">
"""
_LIST = '<p><span class="atpl-alsoreadstyle">Also read:</span></p>\n<div><ul>\n{items}</ul></div>\n'
_FOOT = """</div>
<div class="post-copyright-info"><ul><li><strong>License:</strong> <a class="license"
href="https://creativecommons.org/licenses/by-nc-sa/4.0">CC BY-NC-SA 4.0</a>.</li></ul></div>
</div>
<div class="main-content-footer">All rights reserved</div>
</body>
</html>
"""


def page(
    text: str = TEXT,
    *,
    title: str = "Coffee for two",
    links: tuple[str, ...] = (),
    charset: str | None = "utf-8",
) -> str:
    """Build a page; `title` and `text` are HTML, `links` the addresses of its also-read list."""
    items = "".join(f'<li><a href="{escape(link)}">Link {n}</a></li>\n' for n, link in enumerate(links))
    head = _HEAD.format(title=title, charset=f'<meta charset="{charset}">\n' if charset else "")
    return head + text + (_LIST.format(items=items) if links else "") + _FOOT
