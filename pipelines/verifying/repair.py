"""Repair an archive: rows from files, files from rows, indexes from both. Deletes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import UNLINKED, Article, Link, iso
from crawler.urls import host_of
from pipelines.archive import articles, pages
from pipelines.archive.article_file import path_of, write
from pipelines.archive.files import hash_of, read_file
from pipelines.archive.tree import Tree
from pipelines.verifying.findings import Archive


def rebuild_search(archive: Archive) -> None:
    """Rebuild the search index from the articles."""
    with archive.db.atomic():
        archive.db.table("articles").rebuild_fts()


def rebuild_indexes(archive: Archive) -> None:
    """Rebuild the indexes of all tables."""
    archive.db.execute("REINDEX")


def add_hosts(archive: Archive) -> None:
    """Add missing hosts of pages."""
    with archive.db.atomic():
        archive.db.execute(
            """INSERT OR IGNORE INTO hosts (host) SELECT DISTINCT host FROM pages
               WHERE substr(url, 9, length(host) + 1) = host || '/'"""
        )


def restore_row(page: int, article: Article, archive: Archive) -> None:
    """Restore an article's rows, and the addresses of its page and its links, from its file."""
    db = archive.db
    with db.atomic():
        row = pages.first(db, "SELECT * FROM articles WHERE id = ?", page)
        assert row is not None  # noqa: S101
        _restore_page(db, page, article.url, row["changed_at"])
        values = articles.columns(replace(article, extractor=row["extractor"]))
        articles.update(db, page, {key: value for key, value in values.items() if value != row[key]})
        articles.replace_images(db, page, article.images)
        _restore_links(db, page, article.also_read, row["changed_at"])


def _restore_page(db: Database, page: int, url: str, seen: str) -> None:
    row = pages.first(db, "SELECT url FROM pages WHERE id = ?", page)
    if row is None:
        _add_page(db, page, url)
        db.execute("UPDATE pages SET state = 'stored', fetched_at = ? WHERE id = ?", [seen, page])
    elif row["url"] != url:
        _correct_address(db, page, url)


def _add_page(db: Database, page: int | None, url: str) -> int:
    db.execute("INSERT OR IGNORE INTO hosts (host) VALUES (?)", [host_of(url)])
    added: int = db.execute(
        """INSERT INTO pages (id, url, host, depth, found_at, due_at)
           VALUES (:id, :url, :host, :depth, :now, :now) RETURNING id""",
        {"id": page, "url": url, "host": host_of(url), "depth": UNLINKED, "now": iso(now())},
    ).fetchone()[0]
    return added


def _correct_address(db: Database, page: int, url: str) -> None:
    db.execute("INSERT OR IGNORE INTO hosts (host) VALUES (?)", [host_of(url)])
    db.execute("UPDATE pages SET url = ?, host = ? WHERE id = ?", [url, host_of(url), page])


def _restore_links(db: Database, page: int, links: Sequence[Link], seen: str) -> None:
    present: dict[int, tuple[int, str | None]] = {
        position: (target, url)
        for position, target, url in db.execute(
            """SELECT position, target, url FROM also_read LEFT JOIN pages ON pages.id = target
               WHERE source = ? AND position IS NOT NULL""",
            [page],
        ).fetchall()
    }
    urls = {link.url for link in links}
    targets: list[tuple[int, str]] = []
    for position, link in enumerate(links, start=1):
        known = pages.first(db, "SELECT id FROM pages WHERE url = ?", link.url)
        old, url = present.get(position, (None, None))
        # A target at this position that is no page of the list has a damaged address, or its row is missing.
        damaged = None if url in urls else old
        if known is not None:
            target = known["id"]
        elif damaged is not None and url is not None:
            _correct_address(db, damaged, link.url)
            target = damaged
        else:
            target = _add_page(db, damaged, link.url)
        values = {"page": page, "target": target, "damaged": damaged}
        linked = "SELECT 1 FROM also_read WHERE source = :page AND target = :target"
        if damaged is not None and not db.execute(linked, values).fetchone():
            db.execute(
                "UPDATE also_read SET target = :target WHERE source = :page AND target = :damaged", values
            )
        targets.append((target, link.text))
    articles.store_links(db, {page: targets}, seen)


def rewrite_file(page: int, archive: Archive) -> None:
    """Write an article's file from the catalog; a present file is moved to `damaged/`."""
    article = articles.load(archive.db, page)
    move_to_damaged(archive, archive.root, path_of(article.url))
    write(archive.root, article)


def move_to_damaged(archive: Archive, root: Path, path: PurePosixPath) -> None:
    """Move the file at a path below `root`, if there is one, to `damaged/` in the archive's folder."""
    with closing(Tree(root)) as tree, closing(Tree(archive.data / "damaged")) as damaged:
        if (content := tree.read(path)) is not None:
            tree.move(path, path.with_stem(f"{path.stem}~{hash_of(content)[:8]}"), damaged)


def fill_hashes(archive: Archive) -> None:
    """Store the missing hashes of files that agree with their rows."""
    db = archive.db
    for (page,) in db.execute("SELECT id FROM articles WHERE file_hash IS NULL").fetchall():
        article = articles.load(db, page)
        expected = articles.hash_of_file(article)
        content = read_file(archive.root, path_of(article.url))
        if content is not None and hash_of(content) == expected:
            with db.atomic():
                db.execute("UPDATE articles SET file_hash = ? WHERE id = ?", [expected, page])
