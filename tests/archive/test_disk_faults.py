"""What a full disk, a file in the way and another program do to commands: nothing is lost, all is explained."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.archive.article_file import path_of
from pipelines.archive.lock import is_locked
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.verifying.verify import repair
from tests.site import SEED, Site
from tests.site.server import Reply
from tests.support.commands import Run, alsoread, crawl, here
from tests.support.damages import edit
from tests.support.imports import archive, write
from tests.support.originals import quarantine
from tests.support.storage import ONE, THREE, TWO, fill, limited, locked, said, small_disk, unreadable
from tests.support.visits import MakeArticle, json_of


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        *((errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EROFS, True), (errno.EIO, True)),
        *((errno.EMFILE, True), (errno.ENFILE, True), (errno.EFBIG, False), (errno.EISDIR, False)),
        *((errno.ENOTDIR, False), (errno.ENAMETOOLONG, False), (errno.ELOOP, False), (errno.EACCES, False)),
    ],
)
def test_which_errors_end_a_run(code: int, ends: bool) -> None:
    assert ends_run(OSError(code, os.strerror(code))) is ends


def test_a_catalog_that_another_program_locks_is_not_called_damaged(
    tmp_path: Path, article: MakeArticle
) -> None:
    archive(tmp_path, article())
    path = tmp_path / "archive.db"
    with closing(sqlite3.connect(path)) as other, closing(sqlite3.connect(path, timeout=0)) as db:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as raised:
            db.execute("BEGIN IMMEDIATE")
        other.rollback()
    error = explain(raised.value, path)
    assert (error.exit_code, str(error).startswith(f"{path} is locked by another program")) == (5, True)


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        ["import", "{posts}"],
        ["images", "--connect-to", "http://127.0.0.1:1"],
        ["merge", "{other}"],
        ["verify", "--repair"],
        ["maintain"],
        ["accept", ONE],
        ["status"],
        ["export", "{out}"],
    ],
    ids=lambda command: command[0],
)
def test_a_full_disk_is_a_sentence_and_exit_code_6(
    tmp_path: Path, article: MakeArticle, command: list[str]
) -> None:
    other = tmp_path / "other"
    archive(other, article(url=TWO, body="Another text. " * 9_000))
    post = write(tmp_path / "posts" / "rolls.md", article(url=THREE, body="More text. " * 9_000))
    with small_disk(tmp_path / "disk", "2m") as disk:
        data = disk / "data"
        archive(data, article(url=ONE))
        kept = (data / "articles" / path_of(ONE)).read_bytes()
        (data / "articles" / path_of(ONE)).unlink()  # so that there is something to repair
        fill(disk)
        asked = [
            part.format(posts=post.parent, other=other / "archive.db", out=tmp_path / "out")
            for part in command
        ]
        done = alsoread(*asked, "--data", data)
        assert (done.returncode, "Traceback" in done.stderr) == (6, False), done.stderr
        assert done.stderr.startswith("alsoread: ")
        (disk / "ballast").unlink()
        list(repair(data))
        assert said(data) == []
        assert (data / "articles" / path_of(ONE)).read_bytes() == kept


@pytest.mark.long
@pytest.mark.parametrize("command", [["import", "{posts}"], ["images"], ["maintain"], ["export", "{out}"]])
def test_a_catalog_that_can_not_grow_is_not_called_damaged(
    tmp_path: Path, article: MakeArticle, command: list[str]
) -> None:
    data = tmp_path / "data"
    archive(data, article(url=ONE))
    post = write(tmp_path / "posts" / "jam.md", article(url=TWO))
    asked = [part.format(posts=post.parent, out=tmp_path / "out") for part in command]
    done = limited(4096, *asked, "--data", data)
    assert (done.returncode, len(done.stderr.splitlines())) == (6, 1), done.stderr
    assert f"{data / 'archive.db'} can't be read or written: the disk is full, or fails." in done.stderr
    assert said(data) == []


def test_one_file_that_can_not_be_written_is_reported_and_the_others_are_imported(
    tmp_path: Path, article: MakeArticle
) -> None:
    data, posts = tmp_path / "data", tmp_path / "posts"
    archive(data, article(url=ONE))
    write(posts / "long.md", article(url=THREE, body="More text. " * 60_000))
    write(posts / "jam.md", article(url=TWO))
    done = limited(400_000, "import", posts, "--data", data)
    assert done.returncode == 1
    assert "long.md" in done.stderr
    assert "File too large" in done.stderr
    assert (data / "articles" / path_of(TWO)).is_file()
    assert said(data) == []


def test_a_folder_in_the_place_of_a_file_is_reported_and_the_others_are_imported(
    tmp_path: Path, article: MakeArticle
) -> None:
    data, posts = tmp_path / "data", tmp_path / "posts"
    archive(data, article(url=ONE))
    (data / "articles" / path_of(TWO)).mkdir()
    for url in (TWO, THREE):
        write(posts / path_of(url).name, article(url=url))
    done = here("import", posts, "--data", data)
    assert done.exit_code == 1
    assert f"{data / 'articles' / path_of(TWO)} can't be written: Is a directory" in done.stderr
    assert (data / "articles" / path_of(THREE)).is_file()


def test_an_article_that_can_not_be_stored_is_a_failed_page_and_the_crawl_goes_on(
    run: Run, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    shutil.copytree(run.data, data)
    blocked, *_ = sorted(run.urls)
    (data / "articles" / path_of(blocked)).unlink()
    (data / "articles" / path_of(blocked)).mkdir()
    edit(data, "UPDATE pages SET etag = NULL, last_modified = NULL WHERE url = ?", blocked)  # sent anew
    monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", str(2 * 86400))
    again = crawl(
        network, data, *run.db.execute("SELECT seeds ->> 0 FROM crawls").fetchone(), "--recrawl", "all"
    )
    assert again.code in (0, 1), again.err
    last = next(again.db.query("SELECT * FROM crawls ORDER BY id DESC LIMIT 1"))
    assert last["outcome"] == "finished"
    assert last["not_modified"] == len(run.urls) - 1
    failed = again.db.execute("SELECT url, error FROM pages WHERE state = 'failed'").fetchall()
    assert failed == [(blocked, "its file can't be written: Is a directory")]


def test_a_page_that_can_not_be_stored_is_not_accepted_and_the_others_are(
    run: Run, network: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(run.data, data)
    blocked, other = sorted(run.urls)[:2]
    pages = {url: network / path_of(url).with_suffix("") / "index.html" for url in (blocked, other)}
    quarantine(data, *((url, page.read_bytes()) for url, page in pages.items()))
    (data / "articles" / path_of(blocked)).unlink()
    (data / "articles" / path_of(blocked)).mkdir()
    done = here("accept", blocked, other, "--data", data)
    assert done.exit_code == 6
    assert (
        done.stderr == f"alsoread: {data / 'articles' / path_of(blocked)} can't be written: Is a directory.\n"
    )
    assert f"Accepted: {other}, now" in done.stdout
    assert [row["url"] for row in json_of(data, "status", "--failed")["pages"] if row["quarantined"]] == [
        blocked
    ]


def test_a_full_folder_for_temporary_files_is_not_a_damaged_catalog(
    tmp_path: Path, article: MakeArticle, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    archive(data, article(url=ONE, body="More text. " * 30_000))
    with small_disk(tmp_path / "temporary", "64k") as disk:
        monkeypatch.setenv("TMPDIR", str(disk))
        done = alsoread("verify", "--data", data)
    assert done.returncode == 6
    assert done.stderr.startswith(f"alsoread: {disk} can't be written: the disk is full.")
    assert "archive.db" not in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("database", "command"),
    [("data/archive.db", ["status"]), ("out/.alsoread-export/manifest.db", ["export", "{out}"])],
    ids=["archive", "export"],
)
def test_what_another_program_locks_is_not_called_damaged(
    tmp_path: Path, article: MakeArticle, database: str, command: list[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    archive(data, article(url=ONE))
    assert here("export", out, "--data", data).exit_code == 0
    asked = [part.format(out=out) for part in command]
    with locked(tmp_path / database):
        done = here(*asked, "--data", data)
    assert (done.exit_code, len(done.stderr.splitlines())) == (5, 1), done.stderr
    assert "is locked by another program" in done.stderr
    assert here(*asked, "--data", data).exit_code == 0


class Filling(Site):
    """Leaves no room on a disk as it answers the first page that is asked for."""

    disk: Path

    def answer(self, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        if f"https://{host}{path}" == SEED:
            fill(self.disk)
        return super().answer(host, path, headers)


def test_a_page_for_which_there_is_no_room_is_due_and_the_run_says_so(network: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk, Filling(network) as site:
        site.disk, data = disk, disk / "data"
        data.mkdir()
        (data / "alsoread.toml").write_text('limits.disk_free = "0 B"\n')
        asked = ["crawl", SEED, "--max-pages", "1", "--discover", "links", "--connect-to", site.url]
        done = alsoread(*asked, "--data", data)
        assert (done.returncode, "Traceback" in done.stderr) == (6, False), done.stderr
        assert "stopped (disk full or not writable)" in done.stdout
        (disk / "ballast").unlink()
        with closing(sqlite3.connect(data / "archive.db")) as db:
            assert db.execute("SELECT state FROM pages WHERE url = ?", [SEED]).fetchone() == ("due",)


def test_an_import_without_room_lets_go_of_the_archive(tmp_path: Path, article: MakeArticle) -> None:
    post = write(tmp_path / "posts" / "jam.md", article(url=TWO, body="More text. " * 9_000))
    with small_disk(tmp_path / "disk", "2m") as disk:
        archive(disk / "data", article(url=ONE))
        fill(disk)
        done = here("import", post, "--data", disk / "data")
        assert (done.exit_code, len(done.stderr.splitlines())) == (6, 1), done.stderr
        assert not is_locked(disk / "data" / "archive.db")


def test_a_file_that_the_disk_does_not_give_is_not_said_to_be_unwritable(
    tmp_path: Path, article: MakeArticle
) -> None:
    data = tmp_path / "data"
    archive(data, article(url=ONE))
    post = write(tmp_path / "posts" / "bread.md", article(url=ONE, body="Another text."))
    path = data / "articles" / path_of(ONE)
    with unreadable(path):
        done = here("import", post, "--data", data)
    assert (done.exit_code, done.stderr) == (6, f"alsoread: {path} can't be read: Input/output error.\n")


def test_a_log_that_can_not_be_renamed_is_a_sentence(network: Path, tmp_path: Path) -> None:
    for seconds in range(120):
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        (tmp_path / "logs" / f"crawl-000001-{moment:%Y%m%dT%H%M%SZ}.log").mkdir(parents=True)
    crawled = crawl(network, tmp_path, SEED, "--max-pages", "1", "--discover", "links")
    assert crawled.code in (0, 1), crawled.err
    (log,) = (path for path in (tmp_path / "logs").iterdir() if path.is_file())
    text = log.read_text(encoding="utf-8")
    assert f"WARNING: The log can't be renamed to crawl-000001-{log.stem[6:]}.log: Is a directory." in text
    assert "Traceback" not in text
    assert f"Log: {log}" in crawled.out
