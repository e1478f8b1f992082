"""A page of the theme, whole, and with other text in it."""

from __future__ import annotations

WORDS = (
    "The kettle is filled with cold water and set on the stove, and while it warms there is time to grind the beans, "
    "to warm the cups and to look out of the window. Café and thé are ready when the steam sings. "
)
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A post</title>
<meta property="og:type" content="article"><meta property="og:title" content="A post">
<meta property="article:published_time" content="2024-03-01T20:00:00.115Z">
<meta property="article:author" content="Dana"></head><body>
<div class="article-content-container">
<div class="article-title"><h1 class="article-title-cover">A post</h1></div>
<div class="article-header"><span class="name">Dana</span></div>
<div class="article-content markdown-body">
%s
</div>
<div class="post-copyright-info w-full my-8"><a class="license" href="https://creativecommons.org/licenses/by-nc-sa/4.0">
CC BY-NC-SA 4.0</a></div>
<div class="article-nav my-8"></div>
</div></body></html>
"""


def page_with(content: str) -> bytes:
    """A page whose article has this HTML before its text."""
    return (_PAGE % f"{content}\n<p>{WORDS * 2}</p>\n<p>{WORDS * 2}</p>").encode()


GOOD = page_with("<p>A post as it should be.</p>")
