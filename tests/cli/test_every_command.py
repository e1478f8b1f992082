"""Every command over a catalog that SQLite refuses, by each of its reasons: one sentence, and its exit code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.commands import alsoread, here
from tests.support.imports import archive, write
from tests.support.storage import ONE, THREE, TWO, locked, overwrite_page, small_disk
from tests.support.visits import MakeArticle

pytestmark = pytest.mark.long

NOWHERE = "http://127.0.0.1:1"
WRITING = {
    "crawl": ["crawl", ONE, "--connect-to", NOWHERE],
    "images": ["images", "--connect-to", NOWHERE],
    "import": ["import", "{folder}/posts"],
    "merge": ["merge", "{folder}/other/archive.db"],
    "maintain": ["maintain"],
    "accept": ["accept", ONE],
    "reextract": ["reextract"],
    "verify --repair": ["verify", "--repair"],
    "bag": ["bag", "{folder}/bag"],
}
LOOKING = {
    "status": ["status"],
    "status --failed": ["status", "--failed"],
    "search": ["search", "text"],
    "show": ["show", ONE],
    "history": ["history", ONE],
    "diff": ["diff", ONE],
    "verify": ["verify"],
    "reextract --dry-run": ["reextract", "--dry-run"],
    "export": ["export", "{folder}/out"],
    "report": ["report", "--out", "{folder}/report.html"],
}
DISK, CATALOG, LOCKED = 6, 7, 5


def prepare(folder: Path, data: Path, article: MakeArticle) -> None:
    """An archive whose article has changed, another one, and a post that is in neither."""
    archive(data, article(url=ONE))
    archive(data, article(url=ONE, body="Another text."))
    archive(folder / "other", article(url=TWO))
    write(folder / "posts" / "rolls.md", article(url=THREE))


def ends(command: list[str], folder: Path, data: Path) -> tuple[int, str]:
    """The exit code of a command, and its sentence."""
    asked = [part.format(folder=folder) for part in command]
    if asked[0] == "crawl":
        crawled = alsoread(*asked, "--data", data)
        return crawled.returncode, crawled.stderr
    done = here(*asked, "--data", data)
    return done.exit_code, done.stderr


@pytest.mark.parametrize("command", [*WRITING.values(), *LOOKING.values()], ids=[*WRITING, *LOOKING])
def test_what_is_no_database(tmp_path: Path, article: MakeArticle, command: list[str]) -> None:
    prepare(tmp_path, tmp_path / "data", article)
    for left in ("archive.db-wal", "archive.db-shm"):
        (tmp_path / "data" / left).unlink(missing_ok=True)
    (tmp_path / "data" / "archive.db").write_bytes(b"This is a text. " * 512)
    code, said = ends(command, tmp_path, tmp_path / "data")
    assert (code, len(said.splitlines())) == (CATALOG, 1), said
    assert said.startswith(f"alsoread: {tmp_path / 'data' / 'archive.db'} can't be ")


@pytest.mark.parametrize(
    ("name", "table"),
    [
        *((name, "pages") for name in ("crawl", "import", "merge", "status --failed", "history", "export")),
        ("show", "articles"),
        ("status", "host_counts"),
    ],
)
def test_a_damaged_page(tmp_path: Path, article: MakeArticle, name: str, table: str) -> None:
    prepare(tmp_path, tmp_path / "data", article)
    overwrite_page(tmp_path / "data", table)
    code, said = ends((WRITING | LOOKING)[name], tmp_path, tmp_path / "data")
    assert (code, len(said.splitlines())) == (CATALOG, 1), said
    assert "malformed" in said


def test_verify_lists_a_damaged_page_with_what_else_is_wrong(tmp_path: Path, article: MakeArticle) -> None:
    prepare(tmp_path, tmp_path / "data", article)
    overwrite_page(tmp_path / "data", "pages")
    done = here("verify", "--data", tmp_path / "data")
    assert (done.exit_code, done.stderr) == (1, "")
    assert "archive.db: can't be read completely: database disk image is malformed" in done.stdout


@pytest.mark.parametrize("command", WRITING.values(), ids=WRITING)
def test_a_disk_for_reading_only(tmp_path: Path, article: MakeArticle, command: list[str]) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        prepare(tmp_path, disk / "data", article)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        code, said = ends(command, tmp_path, disk / "data")
    assert (code, len(said.splitlines())) == (DISK, 1), said
    assert said.startswith(f"alsoread: {disk}/data")


@pytest.mark.parametrize("command", LOOKING.values(), ids=LOOKING)
def test_a_disk_for_reading_only_is_no_fault_to_who_looks(
    tmp_path: Path, article: MakeArticle, command: list[str]
) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        prepare(tmp_path, disk / "data", article)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        code, said = ends(command, tmp_path, disk / "data")
    assert (code, said) == (0, "")


@pytest.mark.parametrize("name", ["show", "verify"])
def test_another_program_has_locked_it(tmp_path: Path, article: MakeArticle, name: str) -> None:
    prepare(tmp_path, tmp_path / "data", article)
    with locked(tmp_path / "data" / "archive.db"):
        code, said = ends(LOOKING[name], tmp_path, tmp_path / "data")
    assert (code, len(said.splitlines())) == (LOCKED, 1), said
    assert "is locked by another program" in said


def test_a_rebuild_over_what_is_no_database(tmp_path: Path, article: MakeArticle) -> None:
    archive(tmp_path, article(url=ONE))
    for file in tmp_path.glob("archive.*"):
        file.unlink()
    (tmp_path / "archive.db").write_bytes(b"This is a text. " * 512)
    done = here("rebuild", "--data", tmp_path)
    assert (done.exit_code, len(done.stderr.splitlines())) == (CATALOG, 1), done.stderr
    assert (tmp_path / "archive.db").read_bytes().startswith(b"This is a text.")


def test_a_page_that_a_failing_disk_does_not_give_is_not_said_to_be_unwritable() -> None:
    done = here("extract", "/proc/self/mem", "--url", ONE)
    assert (done.exit_code, done.stderr) == (
        2,
        "alsoread: /proc/self/mem can't be read: Input/output error.\n",
    )
