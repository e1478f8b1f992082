"""What a folder of publishes says: the sitemaps and articles of each, and what changed from one to the next.

The folder has one folder a publish, named by its day (YYYY-MM-DD), each with one folder a host. Everything is
read from the files alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import lxml.etree
import lxml.html
from markdown_it import MarkdownIt

from crawler.extractors import extract
from crawler.items import Article
from crawler.urls import canonical
from pipelines.normalize import normalize

_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Publish:
    """What the files of one publish say."""

    root: Path
    at: datetime
    """When it is crawled: the end of its day."""
    sitemaps: frozenset[str]
    lastmod: dict[str, datetime | None]
    """Every page that the sitemaps name."""
    articles: dict[str, Article]
    """Every article that there is, in a sitemap or not."""

    @property
    def hosts(self) -> list[str]:
        """The folders."""
        return sorted(folder.name for folder in self.root.iterdir() if folder.is_dir())


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the publish before, as the files have it."""

    announced: set[str]
    """New or changed by the sitemaps' lastmod."""
    telling: set[str]
    """Articles of which title, author, body or pictures changed."""
    text: set[str]
    """Those of which a reader sees the change."""


def publishes(folder: Path) -> list[Publish]:
    """All publishes in their order."""
    return [_publish(root) for root in sorted(folder.iterdir()) if root.is_dir()]


def _publish(root: Path) -> Publish:
    at = datetime.strptime(root.name, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    sitemaps: set[str] = set()
    lastmod: dict[str, datetime | None] = {}
    for robots in sorted(root.glob("*/robots.txt")):
        for line in robots.read_text("utf-8", "replace").splitlines():
            name, _, address = line.partition(":")
            if name.strip().lower() == "sitemap":
                lastmod |= _sitemap(root, address.strip(), sitemaps)
    return Publish(root, at, frozenset(sitemaps), lastmod, dict(_articles(root)))


def _sitemap(root: Path, url: str, seen: set[str]) -> dict[str, datetime | None]:
    """The pages of a sitemap and of those that it names, each with its lastmod."""
    parts = urlsplit(url)
    file = root / (parts.hostname or "") / parts.path.lstrip("/")
    if url in seen or not file.is_file():
        return {}
    seen.add(url)
    pages: dict[str, datetime | None] = {}
    for entry in lxml.etree.parse(file, lxml.etree.XMLParser()).getroot():
        facts = {str(child.tag).rpartition("}")[2]: (child.text or "").strip() for child in entry}
        if str(entry.tag).endswith("}sitemap"):
            pages |= _sitemap(root, facts["loc"], seen)
        elif "loc" in facts:
            moment = facts.get("lastmod")
            pages[canonical(facts["loc"])] = datetime.fromisoformat(moment) if moment else None
    return pages


def _articles(root: Path) -> Iterator[tuple[str, Article]]:
    for page in sorted(root.glob("*/**/index.html")):
        url = canonical(f"https://{page.parent.relative_to(root).as_posix()}/")
        article = extract(page.read_bytes(), url)
        if article and article.body:
            yield url, normalize(article)


def changes(publish: Publish, before: Publish | None) -> Changes:
    """What a publish changed; before the first one there was nothing, so no article of it has changed."""
    old = before.lastmod if before else {}
    announced = {url for url, moment in publish.lastmod.items() if url not in old or moment != old[url]}
    if before is None:
        return Changes(announced, set(), set())
    both = publish.articles.keys() & before.articles.keys()
    telling = {url for url in both if version(publish.articles[url]) != version(before.articles[url])}
    text = {url for url in telling if _text(publish.articles[url]) != _text(before.articles[url])}
    return Changes(announced, telling, text)


def version(article: Article) -> tuple[object, ...]:
    """What makes a revision when it changes."""
    return article.title, article.author, article.body, article.images


def _text(article: Article) -> list[str]:
    """The words that a reader sees; not where the links and pictures lead."""
    body = lxml.html.fromstring(f"<div>{_MARKDOWN.render(article.body)}</div>").itertext()
    return f"{article.title} {article.author} {''.join(map(str, body))}".split()
