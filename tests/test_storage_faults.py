"""What the disk, other programs and other people's files can do to an archive: nothing is lost, all is explained."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.items import Article
from crawler.urls import canonical
from pipelines.doubtful import drop, file_of, keep
from pipelines.faults import ends_run, explain
from pipelines.files import HALF_WRITTEN, hash_of
from pipelines.markdown import path_of
from pipelines.pictures.place import path_of as place_of
from pipelines.verifying.verify import repair, verify
from tests.commands import Run, alsoread, crawl, here
from tests.conftest import ARTICLE
from tests.damages import edit
from tests.imports import archive, write

MakeArticle = Callable[..., Article]
ONE, TWO, THREE = (f"https://one.techidaily.com/{slug}/" for slug in ("bread", "jam", "rolls"))

_segments = st.sampled_from(
    [
        "x",
        "X",
        "x.md",
        "x.MD",
        "x.html",
        "x.HTML",
        "con",
        "a" * 230,
        "é" * 90,
        "tea~1",
        "..%2F",
        "b.md~c",
        "%20",
    ]
)
_urls = st.lists(_segments, min_size=1, max_size=40).map(
    lambda parts: canonical(f"https://one.techidaily.com/{'/'.join(parts)}/")
)
_picture_segments = st.sampled_from(
    [
        "A",
        "x.jpg",
        "X.jpg",
        "x.%6Apg",
        "x.JPG",
        "jpg",
        "x",
        "a" * 230,
        "%C3%89",
        "tea~1.png",
        "..%2F",
        "x.png",
        "",
    ]
)
_pictures = st.lists(_picture_segments, min_size=1, max_size=240).map(
    lambda parts: f"https://pictures.example/{'/'.join(parts)}"
)
_kinds = st.sampled_from(["image/jpeg", "image/png"])


def said(data: Path) -> list[str]:
    return [f"{finding.where}: {finding.what}" for finding in verify(data)]


@given(_urls, _urls)
@example("https://one.techidaily.com/x/", "https://one.techidaily.com/x.html/x/")
@example("https://one.techidaily.com/x/", "https://one.techidaily.com/x.md/x/")
def test_no_path_stands_in_the_way_of_another(one: str, other: str) -> None:
    for suffix in (".md", ".html"):
        check_apart(path_of(one).with_suffix(suffix), path_of(other).with_suffix(suffix), one == other)


@given(st.tuples(_pictures, _kinds), st.tuples(_pictures, _kinds))
@example(
    ("https://pictures.example/x.jpg", "image/jpeg"), ("https://pictures.example/x.%6Apg/x", "image/png")
)
def test_no_copy_of_a_picture_stands_in_the_way_of_another(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    check_apart(place_of(*one), place_of(*other), one == other)


def check_apart(first: PurePosixPath, second: PurePosixPath, same: bool) -> None:
    """Both can stand on one disk, whatever it makes of upper and lower case, and neither is the other's folder."""
    for path in (first, second):
        assert len(bytes(path)) <= 1_005
        assert all(len(part.encode()) <= 255 for part in path.parts)
    folded = [str(path).casefold() for path in (first, second)]
    assert (folded[0] == folded[1]) is same
    assert not folded[1].startswith(f"{folded[0]}/")
    assert not folded[0].startswith(f"{folded[1]}/")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://one.techidaily.com/x/", "one.techidaily.com/x.md"),
        ("https://one.techidaily.com/x.md/y/", "one.techidaily.com/x.md~398842b6/y.md"),
        ("https://one.techidaily.com/x.html/y/", "one.techidaily.com/x.html~"),
        (f"https://one.techidaily.com/{'deep/' * 900}y/", "one.techidaily.com/y~"),
    ],
)
def test_where_an_article_lies(url: str, path: str) -> None:
    assert str(path_of(url)).startswith(path)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("2024/loaf.jpg", "2024/loaf.jpg"),
        ("2024/loaf.jpg/crumb.jpg", "2024/loaf.jpg~"),
        ("2024/loaf.%6Apg/crumb.jpg", "2024/loaf.jpg~"),
        ("A/" * 220 + "loaf.jpg", "loaf~"),
    ],
)
def test_where_a_copy_of_a_picture_lies(path: str, place: str) -> None:
    found = place_of(f"https://pictures.example/{path}", "image/jpeg")
    assert str(found).startswith(f"pictures.example/{place}")


def test_raw_pages_in_the_way_of_each_other_are_all_kept(tmp_path: Path) -> None:
    pages = {f"https://one.techidaily.com/{path}/": path.encode() for path in ("x", "x.html/y", "x.md/y")}
    for url, html in pages.items():
        keep(tmp_path, url, html)
    assert {url: file_of(tmp_path, url).read_bytes() for url in pages} == pages


def test_articles_in_the_way_of_each_other_are_all_stored(tmp_path: Path, article: MakeArticle) -> None:
    urls = [f"https://one.techidaily.com/{path}/" for path in ("x", "x.md/y", "x.md", "deep/" * 900 + "y")]
    archive(tmp_path, *(article(url=url) for url in urls))
    assert said(tmp_path) == []
    with closing(sqlite3.connect(tmp_path / "archive.db")) as db:
        assert {url for (url,) in db.execute("SELECT url FROM articles")} == set(urls)


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


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of that size."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs (package mount, as root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Leave no room."""
    with (disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4096))


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
    with small_disk(tmp_path / "disk", "1m") as disk:
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


def limited(size: int, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command that may write no file beyond a size."""
    limits = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"
    code = f"{limits}; from crawler.__main__ import main; main()"
    command = [sys.executable, "-W", "error", "-c", code, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


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
    for url in (blocked, other):
        keep(data, url, (network / path_of(url).with_suffix("") / "index.html").read_bytes())
    (data / "articles" / path_of(blocked)).unlink()
    (data / "articles" / path_of(blocked)).mkdir()
    done = here("accept", blocked, other, "--data", data)
    assert done.exit_code == 6
    assert (
        done.stderr == f"alsoread: {data / 'articles' / path_of(blocked)} can't be written: Is a directory.\n"
    )
    assert f"Accepted: {other} has" in done.stdout
    assert file_of(data, blocked).is_file()


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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """A database that another program keeps to itself, also from readers."""
    code = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA locking_mode = EXCLUSIVE")
db.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        yield
        other.communicate()


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


@pytest.mark.parametrize("where", ["length(zeroblob(2000000000)) > 1", "abs(-9223372036854775807 - 1) > 1"])
def test_a_condition_that_fails_is_wrong_usage(run: Run, tmp_path: Path, where: str) -> None:
    done = here("export", tmp_path / "out", "--data", run.data, "--where", where)
    assert done.exit_code == 2
    assert "can't be evaluated" in done.stderr


def test_nothing_is_written_through_a_symbolic_link(tmp_path: Path, article: MakeArticle) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    archive(data, article(url=ONE))
    outside.mkdir()
    shutil.rmtree(data / "articles" / "one.techidaily.com")
    (data / "articles" / "one.techidaily.com").symlink_to(outside)
    post = write(tmp_path / "posts" / "jam.md", article(url=TWO))
    done = here("import", post, "--data", data)
    assert done.exit_code == 2
    assert "it is a symbolic link, which is not followed" in done.output
    list(repair(data))
    assert list(outside.iterdir()) == []
    assert "articles/one.techidaily.com: is a symbolic link, which is not followed" in said(data)


def test_no_folder_of_the_archive_leads_out_of_it(tmp_path: Path, article: MakeArticle) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    archive(data, article(url=ONE))
    (outside / "one.techidaily.com").mkdir(parents=True)
    precious = [outside / "1-1", outside / "one.techidaily.com" / "bread.html"]
    for file in precious:
        file.write_text("mine")
    shutil.rmtree(data / "articles" / HALF_WRITTEN, ignore_errors=True)
    (data / "articles" / HALF_WRITTEN).symlink_to(outside)
    (data / "look").mkdir()
    (data / "look" / "one.techidaily.com").symlink_to(outside / "one.techidaily.com")
    (data / "look" / "nowhere.html").symlink_to(outside / "gone")
    with pytest.raises(OSError, match="symbolic link") as raised:
        drop(data, ONE)
    assert raised.value.errno == errno.ELOOP
    done = here("maintain", "--data", data)
    assert done.exit_code == 6
    assert f"{data}/articles/{HALF_WRITTEN} can't be written: it is a symbolic link" in done.stderr
    assert [file.read_text() for file in precious] == ["mine", "mine"]
    link = "is a symbolic link, which is not followed"
    assert {
        f"articles/{HALF_WRITTEN}: {link}",
        f"look/one.techidaily.com: {link}",
        f"look/nowhere.html: {link}",
    } <= {*said(data)}


def test_a_folder_for_everything_may_be_a_link(tmp_path: Path, article: MakeArticle) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "articles").symlink_to(tmp_path / "disk")
    archive(tmp_path / "data", article(url=ONE))
    assert (tmp_path / "disk" / path_of(ONE)).is_file()
    assert said(tmp_path / "data") == []


def test_what_is_no_file_is_found_and_not_read(tmp_path: Path, article: MakeArticle) -> None:
    archive(tmp_path, article(url=ONE))
    path = tmp_path / "articles" / path_of(ONE)
    path.unlink()
    os.mkfifo(path)
    where = path.relative_to(tmp_path).as_posix()
    assert f"{where}: is neither a file nor a folder" in said(tmp_path)


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
        ("articles SET path = '../../outside.md'", "articles.path of row 1 is not its own"),
        ("pages SET url = 'https://one.techidaily.com/../x/'", "pages.url of row 1 is not its own"),
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
    edit(theirs, f"UPDATE {edits}")
    before = (mine / "archive.db").read_bytes()
    done = here("merge", theirs / "archive.db", "--data", mine)
    assert (done.exit_code, where in done.stderr) == (7, True), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (mine / "archive.db").read_bytes() == before
    assert said(mine) == []


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


_KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from pipelines import tree
def put_and_die(*names, move=tree.Tree.move):
    move(*names)
    os.kill(os.getpid(), signal.SIGKILL)
tree.Tree.move = put_and_die
from tests.test_storage_faults import kill_here
kill_here(sys.argv[1], *map(Path, sys.argv[2:]))
"""


def kill_here(command: str, data: Path, other: Path) -> None:
    """Run a command in a process that dies when the first file is in its place and no row is committed."""
    if command == "merge":
        here("merge", other / "archive.db", "--data", data)
    else:
        archive(data, replace(ARTICLE, url=THREE))


@pytest.mark.parametrize("command", ["merge", "crawl"])
def test_a_file_that_a_killed_run_left_is_removed_by_the_next(
    tmp_path: Path, article: MakeArticle, command: str
) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    archive(mine, article(url=ONE))
    archive(theirs, article(url=TWO))
    before = said(mine)
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, command, str(mine), str(theirs)], capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = [path for path in (mine / "articles").rglob("*.md") if path.stem in ("jam", "rolls")]
    assert len(left) == 1
    archive(mine)
    assert not left[0].exists()
    assert not list((mine / "articles" / HALF_WRITTEN).iterdir())
    assert said(mine) == before == []


def test_a_file_that_nobody_noted_stays(tmp_path: Path, article: MakeArticle) -> None:
    archive(tmp_path, article(url=ONE))
    mine = write(tmp_path / "articles" / "one.techidaily.com" / "mine.md", article(url=TWO))
    (tmp_path / "articles" / HALF_WRITTEN / "pending-1").write_text(
        f"new {hash_of((tmp_path / 'archive.db').read_bytes())} ../archive.db\nnew\n/etc/hostname\n"
    )
    archive(tmp_path)
    assert mine.exists()
    assert (tmp_path / "archive.db").exists()
