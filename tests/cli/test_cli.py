"""Errors of commands: wrong usage, missing archives, full disks; one sentence and an exit code each."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.archive.catalog import Catalog
from tests.site import SEED, Site
from tests.support.commands import Run, alsoread, here
from tests.support.storage import small_disk


def test_every_command_has_help() -> None:
    told = here("--help").stdout
    for command in ("crawl", "status", "show", "extract"):
        assert command in told
        assert here(command, "--help").stdout.startswith("Usage: ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["crawl", "one.techidialy.com"],
            2,
            "one.techidialy.com: no such file, and not a host of techidaily.com.",
        ),
        (["crawl", "no such seed"], 2, "no such seed: no such file, and not a host of techidaily.com."),
        (["crawl", "--max-pages", "0"], 2, "'--max-pages': '0' is not a whole number, 1 or more."),
        (["crawl", "--discover", "feeds"], 2, '\'feeds\' is not "links", "sitemaps" or "both".'),
        (
            ["crawl", "--connect-to", "http://10.0.0.1:80"],
            2,
            "'--connect-to': 'http://10.0.0.1:80' is not a loopback",
        ),
        (["crawl", "--connect-to", "127.0.0.1"], 2, "'127.0.0.1' is not a loopback address"),
        (["status"], 2, "There is no archive at data/archive.db yet: `alsoread crawl` makes one."),
        (["show", "https://one.techidaily.com/"], 2, "There is no archive at"),
        (["extract", "no-such-file.html"], 2, "'no-such-file.html' does not exist."),
    ],
)
def test_a_mistake_is_reported_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = here(*arguments)
    assert said in " ".join(done.stderr.split())
    assert done.exit_code == code
    assert list(tmp_path.iterdir()) == []


def test_a_file_as_the_folder_of_an_archive(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no folder", encoding="utf-8")
    shutil.copy(run.data / "archive.db", tmp_path / "copy.db")
    for file, said in (
        (tmp_path / "notes.txt", "is a file: name the folder of an archive.\n"),
        (run.data / "archive.db", f"is a catalog, not the folder that it is in: use --data {run.data}\n"),
        (tmp_path / "copy.db", "is a catalog, not the folder of an archive: copy it to DIR/archive.db, use"),
    ):
        for command in (["status"], ["crawl", SEED], ["init"]):
            done = here(*command, "--data", file)
            assert (done.exit_code, done.stdout) == (2, "")
            assert done.stderr.startswith(f"alsoread: --data {file} {said}")


def test_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = alsoread("crawl", SEED, "--data", tmp_path / "file" / "data")
    assert (done.returncode, done.stdout) == (6, "")
    assert (
        done.stderr
        == f"alsoread: {tmp_path}/file/data can't be written: Not a directory. Choose another --data.\n"
    )


def test_two_crawls_on_one_archive(tmp_path: Path) -> None:
    held = Catalog(tmp_path / "archive.db", scope=[], retry_delays=[])
    held.begin_crawl()
    done = alsoread("crawl", SEED, "--data", tmp_path)
    held.end_crawl("finished")
    held.close()
    assert done.returncode == 5
    assert done.stderr.startswith(f"alsoread: {tmp_path} is locked by crawl 1 (process ")
    assert "Traceback" not in done.stderr


def test_a_catalog_that_is_not_a_database(tmp_path: Path) -> None:
    (tmp_path / "archive.db").write_text("not a database " * 100)
    said = f"alsoread: {tmp_path / 'archive.db'} can't be "
    for command in (["status"], ["show", SEED]):
        looked = here(*command, "--data", tmp_path)
        assert (looked.exit_code, looked.stderr.startswith(said)) == (7, True)
    done = alsoread("crawl", SEED, "--data", tmp_path)
    assert (done.returncode, done.stderr.startswith(said)) == (7, True)
    assert "file is not a database" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_article(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "archive.db", scope=[], retry_delays=[])
    catalog.begin_crawl()
    catalog.end_crawl("finished")
    catalog.close()
    done = here("show", SEED, "--data", tmp_path)
    assert done.stderr == f"alsoread: No article {SEED} is in the archive: `alsoread status` tells what is.\n"
    assert done.exit_code == 2


def test_an_unreachable_network(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        gone = site.url
    done = alsoread("crawl", SEED, "--data", tmp_path / "data", "--connect-to", gone)
    assert done.returncode == 3
    assert "Nothing could be fetched." in done.stdout
    assert "Traceback" not in done.stderr


def test_a_full_disk(network: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk, Site(network) as site:
        (disk / "alsoread.toml").write_text('limits.disk_free = "0 B"')  # else it ends before that
        done = alsoread("crawl", SEED, "--data", disk, "--connect-to", site.url)
    assert done.returncode == 6, done.stderr
    assert "Warning: The archive could not be written any more: " in done.stdout
    assert "Traceback" not in done.stderr


def test_extract_prints_what_the_archive_would_hold(network: Path) -> None:
    page = network / SEED.removeprefix("https://") / "index.html"
    done = here("extract", page)
    assert done.stdout.startswith(f"---\nurl: {SEED}\ntitle: '[Updated] A Slow Loaf for a Busy Week'\n")
    other = here("extract", page, "--url", "http://One.techidaily.com/bread")
    assert "\nurl: https://one.techidaily.com/bread/\n" in other.stdout
    home = here("extract", page.parents[1] / "index.html")
    assert (home.exit_code, home.stderr) == (
        1,
        f"alsoread: {page.parents[1] / 'index.html'} is not an article.\n",
    )


def test_extract_needs_an_address(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html><body><p>Text</p></body></html>")
    done = here("extract", tmp_path / "page.html")
    assert done.exit_code == 2
    assert "page.html has no canonical link; give its address with --url." in done.stderr


def test_a_database_of_another_program(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "archive.db")) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    for command in (["status"], ["show", SEED], ["history", SEED]):
        done = here(*command, "--data", tmp_path)
        assert done.exit_code == 7
        assert "is not a catalog of alsoread" in done.stderr


def test_output_to_a_full_disk_is_an_error(run: Run) -> None:
    command = [sys.executable, "-m", "crawler", "status", "--data", str(run.data)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        6,
        "alsoread: The output can't be written: No space left on device.\n",
    )


def test_output_to_a_closed_pipe_is_not_an_error(run: Run) -> None:
    command = [sys.executable, "-m", "crawler", "status", "--json", "--data", str(run.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as status:
        assert status.stdout
        assert status.stderr
        status.stdout.close()
        assert (status.wait(30), status.stderr.read()) == (0, "")
