"""What a disk without room and a damaged catalog do to commands: each says so, and goes on once that is mended."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.site import SEED, Site
from tests.support.commands import alsoread
from tests.support.imports import archive, load
from tests.support.pictures import HOST, PNG, Pictures, picture
from tests.support.pictures import archive as archive_of_pictures
from tests.support.storage import fill, overwrite_page, said, small_disk
from tests.support.visits import MakeArticle

pytestmark = pytest.mark.long

BREAD = "https://one.techidaily.com/bread/"
LARGE = {"/large.png": picture(PNG + bytes(600_000))}


def change(data: Path, statement: str) -> None:
    """What somebody else did to a catalog."""
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        db.execute(statement)


@pytest.mark.parametrize(
    "command",
    [["crawl", SEED, "--connect-to", "http://127.0.0.1:1"], ["accept", BREAD], ["status"]],
    ids=lambda command: command[0],
)
def test_a_disk_that_is_full_from_the_start_is_a_sentence(
    tmp_path: Path, article: MakeArticle, command: list[str]
) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk:
        archive(disk / "data", article(url=BREAD))
        (disk / "data" / "alsoread.toml").write_text('limits.disk_free = "0 B"\n')
        fill(disk)
        done = alsoread(*command, "--data", disk / "data")
        assert (done.returncode, len(done.stderr.splitlines())) == (6, 1), done.stderr
        assert done.stderr.startswith(f"alsoread: {disk}/data")


class Large(Pictures):
    """Serves a picture for which there is no room."""

    answers = LARGE


def test_a_disk_that_fills_up_under_pictures_is_a_sentence(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk, Large() as server:
        data = archive_of_pictures(disk / "data", [f"{HOST}/large.png"])
        (data / "alsoread.toml").write_text('limits.disk_free = "0 B"\n')
        (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free - 300_000))
        done = alsoread("images", "--quiet", "--data", data, "--connect-to", server.url)
        assert (done.returncode, "Traceback" in done.stderr) == (6, False), done.stderr
        assert "No space left on device" in done.stderr
        (disk / "ballast").unlink()
        assert alsoread("images", "--quiet", "--data", data, "--connect-to", server.url).returncode == 0
        assert said(data) == []


def test_a_damaged_catalog_ends_a_run_for_pictures(tmp_path: Path) -> None:
    data = archive_of_pictures(tmp_path, [f"{HOST}/large.png"])
    overwrite_page(data, "pictures")
    with Large() as server:
        done = alsoread("images", "--data", data, "--connect-to", server.url)
    assert (done.returncode, "Traceback" in done.stderr) == (7, False), done.stderr


def test_a_rebuild_that_had_no_room_can_be_run_again(tmp_path: Path, article: MakeArticle) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk:
        data = disk / "data"
        archive(data, article(url=BREAD))
        for file in data.glob("archive.*"):
            file.unlink()
        fill(disk)
        assert alsoread("rebuild", "--data", data).returncode == 6
        (disk / "ballast").unlink()
        done = alsoread("rebuild", "--data", data)
        assert done.returncode == 0, done.stderr
        assert load(data, BREAD).url == BREAD
        assert said(data) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: overwrite_page(data, "articles_body_hash"),
        lambda data: change(data, "ALTER TABLE losses RENAME COLUMN field TO other"),
        lambda data: change(data, "DROP TABLE losses"),
    ],
    ids=["a damaged page", "another schema", "a table that is not there"],
)
def test_a_damaged_catalog_ends_a_crawl(
    network: Path, tmp_path: Path, article: MakeArticle, damage: Callable[[Path], None]
) -> None:
    archive(tmp_path, article(url=BREAD))
    damage(tmp_path)
    with Site(network) as site:
        done = alsoread("crawl", SEED, "--connect-to", site.url, "--data", tmp_path, "--max-pages", "8")
    assert (done.returncode, done.stderr.count("Traceback")) == (7, 0), done.stderr
    assert "stopped (catalog damaged" in done.stdout
    with closing(sqlite3.connect(tmp_path / "archive.db")) as db:
        assert db.execute("SELECT count(*) FROM pages WHERE state = 'failed'").fetchone() == (0,)


def test_a_page_that_the_catalog_refuses_is_failed_and_not_lost(
    network: Path, tmp_path: Path, article: MakeArticle
) -> None:
    archive(tmp_path, article(url=BREAD))
    change(
        tmp_path, "CREATE TRIGGER none_more BEFORE INSERT ON articles BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with Site(network) as site:
        done = alsoread("crawl", SEED, "--connect-to", site.url, "--data", tmp_path, "--max-pages", "8")
    assert done.returncode == 1, done.stderr
    assert "fetched but not stored" not in done.stdout
    with closing(sqlite3.connect(tmp_path / "archive.db")) as db:
        pages, failed = db.execute("SELECT pages, failed FROM crawls ORDER BY id DESC LIMIT 1").fetchone()
    assert (pages, failed > 0) == (8, True)
