"""Markdown files to import, and what an archive has afterwards."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from crawler.extractors.source import read_source
from crawler.items import Article, Visit
from pipelines.archive import articles, lookup, revisions
from pipelines.archive.article_file import render
from pipelines.archive.catalog import Catalog
from pipelines.archive.connection import open_readonly
from pipelines.importing.files import File
from pipelines.importing.parse import ParsedFile, Parser

SCOPE = ("techidaily.com",)


BREAD = "https://one.techidaily.com/bread/"


SOURCE = """---
title: "\\"[New] How to  Rest\\""
date: 2024-03-01T09:12:41.115Z
updated: 2024-03-02T09:12:41.115Z
tags:
  - rest
mood: calm
seen: 2024-02-29
---

## How to rest

![author avatar](https://pictures.example/ada.png)

##### Ada Baker

 Mar 27, 2024• Proven solutions

Lie down. [A mat](https://shop.example/mat/) will do.
<!-- affiliate ads begin -->
<a href="https://ads.example/1"><img src="https://ads.example/1.png" border="0">Buy</a>
<!-- affiliate ads end -->

![a mat](https://pictures.example/mat.png)

![author avatar](https://pictures.example/ada.png)

Ada Baker

Ada Baker is a writer.

Follow @Ada Baker

<ins class="adsbygoogle" data-ad-slot="1"></ins>

<span class="atpl-alsoreadstyle">Also read:</span>
<div><ul>
<li><a href="https://two.techidaily.com/jam/"><u>Jam  & More</u></a></li>
<li><a href="https://example.org/shop/"><u>Shop</u></a></li>
</ul></div>
"""


def parsed(content: bytes | str, name: str = "post.md", host: str | None = None) -> Article:
    """The article of a file."""
    file = parse(content, name, host)
    assert file.article is not None, file.reason
    return file.article


def parse(content: bytes | str, name: str = "post.md", host: str | None = None) -> ParsedFile:
    content = content.encode() if isinstance(content, str) else content
    (file,) = Parser(host, SCOPE, read_source)([File(name, content)])
    return file


def archive(data: Path, *items: Article) -> None:
    """Make an archive of articles, as a crawl stores them."""
    catalog = Catalog(data / "archive.db", scope=SCOPE, retry_delays=[0])
    catalog.begin_crawl()
    for article in items:
        catalog.add(Visit(url=article.url, state="stored", status=200, article=article))
    catalog.end_crawl("finished")
    catalog.close()


def write(path: Path, article: Article) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(article), encoding="utf-8")
    return path


def load(data: Path, url: str) -> Article:
    with closing(open_readonly(data / "archive.db")) as db:
        return articles.load(db, lookup.find(db, url))


def history(data: Path, url: str) -> list[tuple[str | None, str]]:
    """The title of each revision, and the reason of its run."""
    with closing(open_readonly(data / "archive.db")) as db:
        reasons = dict(db.execute("SELECT id, reason FROM crawls").fetchall())
        found = revisions.load(db, lookup.find(db, url))
    return [(revision.article.title, reasons[revision.crawl]) for revision in found]
