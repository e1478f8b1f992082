"""`alsoread import` of WARC and WACZ files: what a crawl archived is archived again, without network."""

from __future__ import annotations

import gzip
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pipelines.archive import host_stats
from pipelines.archive.connection import open_readonly
from pipelines.originals.read import read
from tests.site import SEED
from tests.support.archives import damage, differences, disorder, files
from tests.support.commands import Run, crawl
from tests.support.imports import history, load
from tests.support.warcs import (
    http,
    imported,
    originals,
    page,
    response,
    rows,
    write_wacz,
    write_warc,
)

BREAD = "https://one.techidaily.com/bread/"
NOT_EQUAL = ("timed_visits", "seconds", "new_pages")
"""Counts of hosts that an import can't have: how long servers took is not recorded. Where a sitemap and a link name
a page at about the same moment, the order of the commits decided which of them brought it: so it is with
`pages.found_on` too. Of a run, `requests` and `bytes` are those of the network, and its alarms are not raised again.
A page that could not be fetched has no response: it is due."""
_SIGNALS_SEED = 7


@pytest.fixture(scope="module")
def warc(run: Run) -> Path:
    """The file of the demo network's crawl."""
    (path,) = (run.data / "warc").glob("*.warc.gz")
    return path


def test_an_archive_filled_from_its_own_files_equals_the_crawled_one(
    run: Run, warc: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    done = imported(data, warc)
    assert (done["articles"], done["new"], done["skipped"]) == (41, 41, {})
    assert done["pages"] == {"gone": 1, "not_article": 16, "refused": 1}
    assert differences(run.data, data) == damage(data) == disorder(data) == []
    counts = [name for name in host_stats.COUNTS if name not in NOT_EQUAL]
    for compared in (
        f"SELECT host, {', '.join(counts)} FROM host_runs",
        "SELECT new, changed, unchanged, not_modified, not_article, gone, refused, failed, fetched FROM crawls",
        "SELECT url, (SELECT url FROM pages AS other WHERE other.id = pages.found_on) FROM pages WHERE NOT listed",
        "SELECT url, fetched_at, status, kind, type, digest, offset, length FROM warc_records",
    ):
        assert rows(data, compared) == rows(run.data, compared), compared
    assert originals(data) == originals(run.data)
    for path in (run.data / "warc").iterdir():
        assert path.is_dir() or (data / "warc" / path.name).read_bytes() == path.read_bytes()


def test_times_are_those_of_the_records(warc: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    imported(data, warc)
    query = """SELECT archived_at, changed_at, pages.fetched_at, warc_records.fetched_at
               FROM articles JOIN pages USING (id) JOIN warc_records ON warc_records.id = record"""
    times = rows(data, query)
    assert len(times) == 41
    assert all(len(set(row)) == 1 for row in times)


def test_importing_files_again_changes_nothing(run: Run, warc: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(run.data, data)
    for path in (warc, data / "warc" / warc.name):
        done = imported(data, path)
        assert (done["articles"], done["unchanged"], done["pages"]) == (41, 41, {})
        assert done["skipped"] == {"not newer than what the archive has": 17}
        assert differences(run.data, data) == disorder(data) == []
    assert len(list((data / "warc").glob("*.warc.gz"))) == 1


@pytest.mark.long
def test_the_files_of_several_crawls_give_their_revisions(network: Path, tmp_path: Path) -> None:
    site, crawled, data = tmp_path / "site", tmp_path / "crawled", tmp_path / "data"
    shutil.copytree(network, site)
    crawl(site, crawled, SEED)
    path = site / SEED.removeprefix("https://") / "index.html"
    path.write_text(path.read_text(encoding="utf-8").replace("<p>", "<p>Edited. ", 1), encoding="utf-8")
    crawl(site, crawled, SEED, "--recrawl", "all")
    warcs = sorted((crawled / "warc").glob("*.warc.gz"), reverse=True)
    assert len(warcs) == 2
    done = imported(data, *warcs)
    assert (done["new"], done["changed"]) == (41, 1)
    assert done["pages"]["not_modified"] > 0
    assert differences(crawled, data) == disorder(data) == []
    assert len(history(data, SEED)) == 2


@pytest.mark.long
def test_an_older_file_gives_an_older_revision(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for date, title in (("2024-03-03", "Third"), ("2024-03-01", "First"), ("2024-03-02", "Second")):
        moment = f"{date}T10:00:00Z"
        warc = [response(BREAD, http(page(title)), warc_date=moment)]
        imported(data, write_warc(tmp_path / f"{title}.warc.gz", warc))
    assert [title for title, _ in history(data, BREAD)] == ["First", "Second", "Third"]
    assert load(data, BREAD).title == "Third"
    assert disorder(data) == []


def _plain(warc: Path, folder: Path) -> Path:
    path = folder / warc.with_suffix("").name
    path.write_bytes(gzip.decompress(warc.read_bytes()))
    return path


def _one_member(warc: Path, folder: Path) -> Path:
    path = folder / warc.name
    path.write_bytes(gzip.compress(gzip.decompress(warc.read_bytes())))
    return path


def _wacz(warc: Path, folder: Path) -> Path:
    return write_wacz(folder / "crawl.wacz", warc)


def _folder(warc: Path, folder: Path) -> Path:
    shutil.copy(warc, folder)
    return folder


@pytest.mark.long
@pytest.mark.parametrize("form", [_plain, _one_member, _wacz, _folder])
def test_files_of_any_form_become_files_of_the_archive(
    run: Run, warc: Path, tmp_path: Path, form: Any
) -> None:
    data, given = tmp_path / "data", tmp_path / "given"
    given.mkdir()
    imported(data, form(warc, given))
    assert files(data) == files(run.data)
    assert originals(data) == originals(run.data)
    with closing(open_readonly(data / "archive.db")) as db:
        for url, id_ in db.execute("SELECT url, record FROM articles").fetchall():
            assert read(db, data, id_).url == url
    assert differences(run.data, data) == [] or form in (_plain, _one_member)
    assert disorder(data) == []


def test_without_copies_the_archive_has_the_articles_alone(run: Run, warc: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    imported(data, _one_member(warc, tmp_path), "--no-warc")
    assert files(data) == files(run.data)
    assert not (data / "warc").exists()
    assert rows(data, "SELECT count(*), count(record) FROM articles") == [(41, 0)]
    assert disorder(data) == []


def test_a_dry_run_counts_and_changes_nothing(run: Run, warc: Path, tmp_path: Path) -> None:
    done = imported(tmp_path / "none", _plain(warc, tmp_path), "--dry-run")
    assert (done["new"], done["pages"]) == (41, {"gone": 1, "not_article": 16})
    assert not (tmp_path / "none").exists()
    done = imported(run.data, warc, "--dry-run")
    assert (done["new"], done["unchanged"]) == (0, 41)


@pytest.mark.long
def test_an_import_that_is_killed_again_and_again_ends_like_any_other(
    run: Run, warc: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-m", "crawler", "import", str(_plain(warc, tmp_path)), "--data", str(data)]
    random = Random(_SIGNALS_SEED)  # noqa: S311 - nothing is to be kept secret
    for _ in range(6):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            process.wait(random.uniform(0.5, 4))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if process.stdout:
            process.stdout.close()
        assert damage(data) == []
    imported(data, command[4])
    assert files(data) == files(run.data)
    assert originals(data) == originals(run.data)
    assert disorder(data) == []
    left = [path.name for path in (data / "warc").iterdir() if path.is_file()]
    assert sorted(left) == sorted([warc.name, warc.name.replace(".warc.gz", ".cdxj")])


@pytest.mark.long
def test_markdown_and_warc_files_are_one_run(run: Run, warc: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    posts = run.data / "articles" / "kitchen-notes.techidaily.com"
    done = imported(data, posts, warc)
    assert (done["new"], done["responses"]) == (41, 76)
    assert rows(data, "SELECT id, reason, outcome FROM crawls") == [
        (1, f"import of {posts}, {warc}", "imported")
    ]
    assert files(data) == files(run.data)
    assert disorder(data) == []
