"""What other people put into a catalog or ask of one: it is refused in a sentence, and nothing is changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.commands import Run, here
from tests.support.damages import edit
from tests.support.imports import archive
from tests.support.storage import ONE, TWO, said
from tests.support.visits import MakeArticle

pytestmark = pytest.mark.long


@pytest.mark.parametrize("where", ["length(zeroblob(2000000000)) > 1", "abs(-9223372036854775807 - 1) > 1"])
def test_a_condition_that_fails_is_wrong_usage(run: Run, tmp_path: Path, where: str) -> None:
    done = here("export", tmp_path / "out", "--data", run.data, "--where", where)
    assert done.exit_code == 2
    assert "can't be evaluated" in done.stderr


@pytest.mark.parametrize("extra", ["[1]", "1", "{", '"x"'])
def test_json_of_another_shape_is_not_merged(tmp_path: Path, article: MakeArticle, extra: str) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    archive(mine, article(url=ONE))
    archive(theirs, article(url=TWO))
    edit(theirs, "UPDATE articles SET extra = ?", extra)
    done = here("merge", theirs / "archive.db", "--data", mine)
    assert done.exit_code == 7
    assert "articles.extra of row 1 is not a JSON object" in done.stderr
    assert said(mine) == []


@pytest.mark.parametrize(
    ("edits", "where"),
    [
        ("articles SET tags = '[1]'", "articles.tags of row 1 is not a JSON list of texts"),
        ("articles SET title = CAST(x'ff' AS TEXT)", "articles.title of row 1 is not UTF-8 text"),
        ("articles SET words = 9223372036854775807", "articles.words of row 1 is not a number"),
        ("articles SET words = -1", "articles.words of row 1 is not a number"),
        ("articles SET date = '2024-13-01T00:00:00.000Z'", "articles.date of row 1 is not a time"),
        ("articles SET path = '../../outside.md'", "articles.path of row 1 is inconsistent"),
        ("pages SET url = 'https://one.techidaily.com/../x/'", "pages.url of row 1 is inconsistent"),
        ("pages SET due_at = 'soon'", "pages.due_at of row 1 is not a time"),
        ("pages SET status = 7", "pages.status of row 1 is not an HTTP status"),
        ("crawls SET options = '[]'", "crawls.options of row 1 is not a JSON object"),
    ],
)
def test_a_value_that_no_archive_holds_is_not_merged(
    tmp_path: Path, article: MakeArticle, edits: str, where: str
) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    archive(mine, article(url=ONE, also_read=[]))
    archive(theirs, article(url=TWO, also_read=[]))
    drop_triggers(theirs)
    edit(theirs, f"UPDATE {edits}")
    before = (mine / "archive.db").read_bytes()
    done = here("merge", theirs / "archive.db", "--data", mine)
    assert (done.exit_code, where in done.stderr) == (7, True), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (mine / "archive.db").read_bytes() == before
    assert said(mine) == []


def drop_triggers(data: Path) -> None:
    """Drop the triggers that keep the counts: they would refuse some values, or change another table first."""
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'counts_%'").fetchall():
            db.execute(f"DROP TRIGGER {name}")


@pytest.mark.parametrize("table", ["losses", "_sqlite_migrations"])
def test_a_view_in_the_place_of_a_table_is_not_asked(
    tmp_path: Path, article: MakeArticle, table: str
) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    archive(mine, article(url=ONE))
    archive(theirs, article(url=TWO))
    with closing(sqlite3.connect(theirs / "archive.db")) as db, db:
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        endless = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT "
        db.execute(f"DROP TABLE {table}")
        db.execute(f"CREATE VIEW {table} AS {endless}{', '.join(f'n AS {name}' for name in columns)} FROM n")
    done = here("merge", theirs / "archive.db", "--data", mine)
    assert done.exit_code == 7
    assert f"its {table} is not the table that alsoread makes" in done.stderr
    assert said(mine) == []
