"""Check the tables of the analyses against the articles and links that they were made from."""

from __future__ import annotations

from collections.abc import Iterator

from sqlite_utils import Database

from pipelines.analysis.update import is_installed, update_analyses
from pipelines.archive.analyses import forget_comparison, forget_graph
from pipelines.verifying.findings import Archive, Finding

_COMPARISON_TABLES = ("texts", "text_bands", "article_texts")
TABLES = ("article_graph", *_COMPARISON_TABLES)
"""Tables that are made from the articles and links alone."""
_COMPARED = """article_texts JOIN articles ON articles.id = article_texts.article JOIN texts ON texts.id = text
               WHERE compared"""
_COMPARISON_RULES = {
    "an article is neither compared nor to be compared": """
        SELECT 1 FROM articles WHERE id NOT IN (SELECT article FROM article_texts)""",
    "an article was compared, but not its text": """
        SELECT 1 FROM article_texts LEFT JOIN texts ON texts.id = text WHERE compared AND canonical IS NULL""",
    "an article was compared by another text": f"SELECT 1 FROM {_COMPARED} AND articles.body_hash <> texts.body_hash",
    "a canonical text is not canonical itself": """
        SELECT 1 FROM texts JOIN texts AS chosen ON chosen.id = texts.canonical
        WHERE chosen.canonical IS NOT chosen.id""",
    "a text is not similar to its canonical text": """
        SELECT 1 FROM texts WHERE canonical IS NOT NULL AND similarity NOT BETWEEN 0.8 AND 1""",
    "a text has an earlier article": f"""
        SELECT 1 FROM {_COMPARED} AND coalesce(articles.date, '9999') || ' ' || articles.url < texts.rank""",
}
"""Queries that find a row, by what is wrong then."""


def check_analyses(archive: Archive) -> Iterator[Finding]:
    """Find what is wrong with near-duplicates and with the graph's measures, at most one thing each."""
    hint = "--repair computes them anew"
    if what := next(_wrong_comparison(archive.db), None):
        yield Finding(where="near_duplicates", what=what, hint=hint, repair=_compare_anew)
    if what := next(_wrong_graph(archive.db), None):
        yield Finding(where="article_graph", what=what, hint=hint, repair=_measure_anew)


def _wrong_comparison(db: Database) -> Iterator[str]:
    for table in _COMPARISON_TABLES:
        yield from _missing_rows(db, table)
    for what, query in _COMPARISON_RULES.items():
        if db.execute(f"{query} LIMIT 1").fetchone():
            yield what


def _wrong_graph(db: Database) -> Iterator[str]:
    yield from _missing_rows(db, "article_graph")
    if is_installed():
        from pipelines.analysis.graph import is_wrong

        if is_wrong(db):
            yield "its measures are not those of the links"


def _missing_rows(db: Database, table: str) -> Iterator[str]:
    for _, _, parent, _ in db.execute(f"PRAGMA foreign_key_check({table})"):
        yield f"a row of {table} refers to a missing row of {parent}"


def _compare_anew(archive: Archive) -> None:
    with archive.db.atomic():
        forget_comparison(archive.db)
    update_analyses(archive.db)


def _measure_anew(archive: Archive) -> None:
    with archive.db.atomic():
        forget_graph(archive.db)
    update_analyses(archive.db)
