"""Exports as a person makes them, and archives to make them of."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from crawler.items import Article, Visit
from pipelines.archive.catalog import Catalog
from pipelines.export.target import STATE_FOLDER
from tests.conftest import ARTICLE
from tests.support.commands import here

BREAD = ARTICLE.url
ROLLS, JAM = "https://one.techidaily.com/rolls/", "https://two.techidaily.com/jam/"
CASES = Path(__file__).parents[1] / "export" / "cases"
Files = dict[str, bytes]


def files(root: Path) -> Files:
    """What an export wrote, by path."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and STATE_FOLDER not in path.parts
    }


def export(data: Path, target: Path, *options: str | Path) -> str:
    """An export that goes well; gives what it printed."""
    done = here("export", target, "--data", data, *options)
    assert (done.exit_code, done.stderr) == (0, "")
    return str(done.stdout)


def make_archive(data: Path, *held: Article | Visit) -> Path:
    """An archive that has these articles, or has seen these pages."""
    catalog = Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[0])
    catalog.begin_crawl()
    visits = [
        Visit(url=item.url, state="stored", status=200, article=item) if isinstance(item, Article) else item
        for item in held
    ]
    catalog.commit(visits)
    catalog.end_crawl("finished")
    catalog.close()
    return data


def edit(data: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        db.execute(statement, values)


def three_articles(data: Path) -> Path:
    """An archive of bread, which links to rolls and jam."""
    bread = replace(ARTICLE, body=f"With [rolls]({ROLLS}) and [jam]({JAM}).")
    rolls = replace(ARTICLE, url=ROLLS, title="Rolls", tags=["rolls"], also_read=[], body="Rolls.")
    jam = replace(
        ARTICLE, url=JAM, title="Jam", author="Bo", also_read=[], body="Jam.", date=None, updated=None
    )
    return make_archive(data, bread, rolls, jam)


def cases(data: Path) -> Path:
    """An archive with an article for each case, and what these link to."""
    articles = [
        replace(
            ARTICLE,
            url=f"https://one.techidaily.com/{case.parent.name}/",
            categories=["kitchen", "oven"],
            keywords="bread, oven",
            body=case.read_text(encoding="utf-8").strip(),
            extra={"mood": "calm", "on": 1},
        )
        for case in sorted(CASES.glob("*/body.md"))
    ]
    assert articles
    others = [replace(ARTICLE, url=url, also_read=[]) for url in (ROLLS, JAM)]
    old = Visit(url="https://two.techidaily.com/marmalade/", state="not_article", status=301, moved_to=JAM)
    return make_archive(data, *articles, *others, old)
