"""Read the source of a post, Markdown with the blog's own HTML in it, as the page that the blog makes of it."""

from __future__ import annotations

from dataclasses import replace

from lxml import etree
from markdown_it import MarkdownIt

from crawler.extractors.body import cut_noise, images
from crawler.extractors.bylines.byline import cut_byline
from crawler.extractors.charset import utf8
from crawler.extractors.language import detect_language
from crawler.extractors.links import cut_also_read
from crawler.extractors.markdown.writer import to_markdown
from crawler.extractors.tree import Element, text_of
from crawler.items import Article
from crawler.text import unquote

_HEXO = MarkdownIt("commonmark", {"breaks": True}).enable(["table", "strikethrough"])
_PARSER = etree.HTMLParser(encoding="utf-8", collect_ids=False)


def read_source(post: Article) -> Article:
    """Read a post whose `body` is its source: cut and converted as its page would be.

    The front matter is the caller's; the author, language, pictures and also-read list come from the text where it
    has any. Raises ValueError where the body is not text, or cannot be written as Markdown.
    """
    content = _content(post.body)
    cut_noise(content)
    also_read = cut_also_read(content, post.url)
    byline = cut_byline(content)
    return replace(
        post,
        title=unquote(post.title.strip()) if post.title else None,
        author=byline.author or post.author,
        author_source="byline" if byline.author else post.author_source,
        description=unquote(post.description.strip()) if post.description else None,
        lang=post.lang or detect_language(text_of(content)),
        images=images(content, post.url),
        body=to_markdown(content, post.url),
        also_read=also_read or post.also_read,
        extra=post.extra | byline.front_matter(post.date, post.updated),
    )


def _content(markdown: str) -> Element:
    html = utf8(f"<div>{_HEXO.render(markdown)}</div>".encode())
    if html is None:
        raise ValueError("more control characters than a text has")
    doc = etree.fromstring(html, _PARSER)
    content = doc.find("body/div")
    return content if content is not None else etree.Element("div")
