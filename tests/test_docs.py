"""What the documents say of the archive is what the code makes."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from crawler.items import Article
from pipelines.catalog import Catalog

ROOT = Path(__file__).parents[1]
CATALOG = (ROOT / "docs" / "catalog.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `?(\w+)`? \|", re.MULTILINE)


def rows(text: str) -> list[str]:
    """The first cells of a table, without its head."""
    return _ROW.findall(text.partition("| ---")[2])


def test_every_table_and_column_is_described(catalog: Catalog) -> None:
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", CATALOG, re.MULTILINE | re.DOTALL))
    tables = {table.name: [column.name for column in table.columns] for table in catalog.db.tables}
    own = {
        name: columns for name, columns in tables.items() if not name.startswith(("articles_fts", "_sqlite"))
    }
    assert {name: rows(text) for name, text in sections.items()} == own


def test_every_view_is_described(catalog: Catalog) -> None:
    assert rows(CATALOG.partition("## Views")[2]) == catalog.db.view_names()


@pytest.mark.parametrize("query", re.findall(r'\$db "(select .*?)"', CATALOG))
def test_the_queries_run(catalog: Catalog, query: str) -> None:
    catalog.db.execute(query).fetchall()


def test_every_field_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## The fields")[2].partition("\n## ")[0]
    assert rows(table) == [field.name for field in fields(Article) if field.name != "extractor"]
