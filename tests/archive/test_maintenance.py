"""`alsoread maintain`: what it does to an archive, and when it leaves one alone."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from crawler.clock import now
from crawler.items import iso
from pipelines.archive.catalog import Catalog
from pipelines.archive.connection import open_readonly
from pipelines.archive.lock import open_locked
from tests.support.archives import damage
from tests.support.commands import Run, here


@pytest.fixture
def data(run: Run, tmp_path: Path) -> Path:
    """An archive of the demo network."""
    return Path(shutil.copytree(run.data, tmp_path / "data"))


def test_it_tells_what_it_does(data: Path) -> None:
    (data / "articles" / ".writing" / "123-0").write_text("half a fi")
    (data / "logs" / "crawl-000001-20200101T000000Z.log").touch()
    with open_locked(data / "archive.db") as db:
        db.execute(
            """INSERT INTO crawls (started_at, pid, version, seeds, options) VALUES (?, 1, '', '[]', '{}')""",
            [iso(now())],
        )
        before = db.execute("SELECT count(DISTINCT segid) FROM articles_fts_idx").fetchone()[0]
        db.conn.commit()
        with closing(
            open_readonly(data / "archive.db")
        ):  # else the last to leave puts the log into the catalog
            pass
    done = here("maintain", "--data", data)
    assert done.exit_code == 0
    told = done.stdout.splitlines()
    assert told[:2] == [
        "Runs: 1 killed run is marked so.",
        f"Search index: {before} parts merged into 1.",
    ]
    assert before > 1
    assert told[-1] == "Logs: 1 older than 90 days removed."
    assert len(told) == 5
    with closing(open_readonly(data / "archive.db")) as db:
        ends = [(crawl["outcome"], bool(crawl["ended_at"])) for crawl in db.query("SELECT * FROM crawls")]
        assert ends == [("finished", True), ("killed", True)]
        assert db.table("maintenance").count == 1
    assert damage(data) == []
    assert not list((data / "articles" / ".writing").iterdir())


def test_the_write_ahead_log_goes_into_the_catalog(data: Path) -> None:
    path = data / "archive.db"
    with closing(open_readonly(path)) as reader:  # while somebody has the catalog open, its log stays
        assert reader.table("articles").count == 41
        with open_locked(path) as db:
            db.execute("UPDATE articles SET keywords = 'changed'")
            db.conn.commit()
        wal = path.with_name("archive.db-wal")
        assert wal.stat().st_size > 0
        assert "MiB are in the catalog now." in here("maintain", "--data", data).stdout
        assert wal.stat().st_size == 0


def test_a_reader_in_mid_query_is_waited_for_next_time(data: Path) -> None:
    path = data / "archive.db"
    with closing(open_readonly(path)) as reader, closing(reader.execute("SELECT * FROM pages")) as rows:
        assert rows.fetchone()
        done = here("maintain", "--data", data)
    assert done.exit_code == 0
    assert "MiB stay until nobody reads the catalog." in done.stdout


def test_it_is_due_once_a_week(data: Path) -> None:
    assert here("maintain", "--if-due", "--data", data).stdout.startswith("Runs: ")
    assert here("maintain", "--if-due", "--data", data).stdout == ""
    assert here("maintain", "--data", data).stdout != "", "without the option it does as it is told"
    with open_locked(data / "archive.db") as db, db.atomic():
        db.execute("UPDATE maintenance SET started_at = ?", [iso(now() - timedelta(days=7, seconds=1))])
    assert here("maintain", "--if-due", "--data", data).stdout.startswith("Runs: ")


def test_a_crawl_holds_the_archive(tmp_path: Path) -> None:
    held = Catalog(tmp_path / "archive.db", scope=[], retry_delays=[])
    held.begin_crawl()
    done = here("maintain", "--data", tmp_path)
    held.end_crawl("finished")
    held.close()
    assert (done.exit_code, done.stdout) == (5, "")
    assert "is locked by crawl 1 (process " in done.stderr


def test_there_is_no_archive(tmp_path: Path) -> None:
    for options in ([], ["--if-due"]):
        done = here("maintain", "--data", tmp_path / "data", *options)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "There is no archive at" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_logs_are_kept_as_long_as_set(data: Path) -> None:
    (data / "alsoread.toml").write_text('[keep]\nlogs = "10 days"\n')
    name = f"crawl-000001-{now() - timedelta(days=11):%Y%m%dT%H%M%SZ}.log"
    (data / "logs" / name).touch()
    assert "Logs: 1 older than 10 days removed." in here("maintain", "--data", data).stdout
    assert len(list((data / "logs").iterdir())) == 1
