"""Archives as an older extractor would have made them, which read less of each page, or more."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from sqlite_utils import Database

from crawler.items import Article, Image
from pipelines.archive import articles
from pipelines.archive.article_file import write

OLDER_VERSION = 1
ALL = "1"


def half_read(article: Article) -> Article:
    """Return an article without half of its text, its author, an image and most links."""
    blocks = article.body.split("\n\n")
    return replace(
        article,
        body="\n\n".join(blocks[: (len(blocks) + 1) // 2]),
        author=None,
        author_source=None,
        images=article.images[:-1],
        also_read=article.also_read[:1],
    )


def with_more(article: Article) -> Article:
    """Return an article with its text twice, as no page has it."""
    return replace(article, body=f"{article.body}\n\n{article.body}")


def with_image(article: Article) -> Article:
    """Return an article with an image that no page has."""
    return replace(article, images=[Image("https://pictures.example/tracker.png")])


def reread(data: Path, read: Callable[[Article], Article] = half_read, where: str = ALL) -> list[str]:
    """Replace rows and files of articles by another reading, without a trace, and return their addresses."""
    with closing(Database(data / "archive.db")) as db:
        pages = [page for (page,) in db.execute(f"SELECT id FROM articles WHERE {where}").fetchall()]
        urls = []
        with db.atomic():
            for page in pages:
                article = read(articles.load(db, page))
                articles.update(db, page, articles.columns(article) | {"extractor_version": OLDER_VERSION})
                articles.replace_images(db, page, article.images)
                db.execute(
                    "UPDATE also_read SET position = NULL WHERE source = ? AND position > ?",
                    [page, len(article.also_read)],
                )
                write(data / "articles", article)
                urls.append(article.url)
    shutil.rmtree(data / "articles" / ".writing", ignore_errors=True)
    return urls


def copy_half_read(other: Path, data: Path) -> None:
    """Copy an archive, half read."""
    shutil.copytree(other, data)
    reread(data)
