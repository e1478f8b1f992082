"""What the documents say of the archive is what the code makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
from sqlite_utils import Database

from crawler.cli import main
from crawler.items import Article
from pipelines.archive.schema import MIGRATIONS

ROOT = Path(__file__).parents[1]
CATALOG = (ROOT / "docs" / "catalog.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `?(\w+)`? \|", re.MULTILINE)


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    """An empty catalog."""
    with closing(Database(memory=True)) as empty:
        MIGRATIONS.apply(empty)
        yield empty


def rows(text: str) -> list[str]:
    """The first cells of a table, without its head."""
    return _ROW.findall(text.partition("| ---")[2])


def test_every_table_and_column_is_described(db: Database) -> None:
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", CATALOG, re.MULTILINE | re.DOTALL))
    tables = {table.name: [column.name for column in table.columns] for table in db.tables}
    own = {
        name: columns for name, columns in tables.items() if not name.startswith(("articles_fts", "_sqlite"))
    }
    assert {name: rows(text) for name, text in sections.items()} == own


def test_every_view_is_described(db: Database) -> None:
    assert rows(CATALOG.partition("## Views")[2]) == db.view_names()


def test_the_index_lists_every_page() -> None:
    listed = re.findall(r"\]\((\w[\w-]*\.md)\)", (ROOT / "docs" / "index.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(page.name for page in ROOT.glob("docs/*.md") if page.name != "index.md")


def test_every_command_of_the_documents_is_one() -> None:
    for page in (ROOT / "README.md", *ROOT.glob("docs/*.md")):
        for name in re.findall(r"[$`] ?alsoread ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert name in main.commands, f"{page.name}: alsoread {name}"


def test_every_field_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## The fields")[2].partition("\n## ")[0]
    assert rows(table) == [field.name for field in fields(Article) if field.name != "extractor"]
