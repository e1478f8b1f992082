"""`alsoread import` of WARC and WACZ files: what a crawl archived is archived again, without network."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import brotli  # type: ignore[import-untyped]
import pytest

from pipelines.archive import host_stats
from pipelines.archive.connection import open_readonly
from pipelines.originals.read import read
from tests.site import SEED, Site
from tests.support.archives import damage, differences, disorder, files
from tests.support.commands import Run, crawl, here
from tests.support.imports import history, load
from tests.support.warcs import (
    DATE,
    IDENTICAL,
    NOT_MODIFIED,
    digest,
    http,
    originals,
    page,
    record,
    response,
    write_wacz,
    write_warc,
)

BREAD, JAM = "https://one.techidaily.com/bread/", "https://two.techidaily.com/jam/"
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


def imported(data: Path, *paths: Path | str, code: int = 0) -> dict[str, Any]:
    done = here("import", *paths, "--data", data, "--json")
    assert (done.exit_code, done.stderr) == (code, "")
    values: dict[str, Any] = json.loads(done.stdout)
    for name, key in ("pages", "result"), ("skipped", "reason"):
        values[name] = {each[key]: each["count"] for each in values[name]}
    return values


def rows(data: Path, query: str) -> list[Any]:
    with closing(open_readonly(data / "archive.db")) as db:
        return sorted(db.execute(query))


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


def _chunked(body: bytes) -> bytes:
    parts = [body[start : start + 700] for start in range(0, len(body), 700)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _dialects(url: str) -> dict[str, list[bytes]]:
    """The records of a page at an address, and what belongs to them, as various programs write them."""
    jam = url.replace("bread", "jam")
    return {
        "plain": [response(url, http(page("Bread")))],
        "angle brackets": [response(f"<{url}>", http(page("Bread")))],
        "HTTP/1.0, without a length": [response(url, http(page("Bread"), version="1.0"))],
        "http": [response(f"{url.replace('https', 'http')}?utm=1#top", http(page("Bread")))],
        "chunked, digest of what was in the chunks": [
            response(
                url,
                http(_chunked(page("Bread")), transfer_encoding="chunked"),
                warc_payload_digest=digest(page("Bread")),
            )
        ],
        "said to be chunked, and recorded without": [
            response(url, http(page("Bread"), transfer_encoding="chunked"))
        ],
        "brotli": [response(url, http(brotli.compress(page("Bread")), content_encoding="br"))],
        "said to be brotli, and recorded decoded": [
            response(url, http(page("Bread"), content_encoding="br"))
        ],
        "chunks of gzip": [
            response(
                url,
                http(
                    _chunked(gzip.compress(page("Bread"))),
                    content_encoding="gzip",
                    transfer_encoding="chunked",
                ),
            )
        ],
        "WARC 1.1, bare line feeds in the head": [
            response(url, b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n" + page("Bread"), warc="1.1")
        ],
        "a revisit that refers to a record": [
            response(jam, http(page("Bread")), warc_payload_digest="sha1:X"),
            record(
                "revisit",
                http(b""),
                warc_target_uri=url,
                warc_profile=IDENTICAL,
                warc_refers_to_target_uri=f"<{jam}>",
                warc_refers_to_date=DATE,
            ),
        ],
        "a revisit with the digest of a record": [
            response(
                jam, http(_chunked(page("Bread")), transfer_encoding="chunked"), warc_payload_digest="md5:1"
            ),
            record(
                "revisit",
                http(b"", transfer_encoding="chunked"),
                warc_target_uri=url,
                warc_profile=IDENTICAL,
                warc_payload_digest="md5:1",
            ),
        ],
        "records of other kinds": [
            record("warcinfo", b"software: Wget/1.21\r\n", warc_target_uri=None),
            record("request", b"GET / HTTP/1.1\r\n\r\n", warc_target_uri=url),
            record("resource", b"{}", warc_target_uri="urn:pageinfo:x"),
            response(url, http(page("Bread"))),
            record("metadata", b"outlink: x", warc_target_uri=url),
        ],
    }


@pytest.mark.parametrize("suffix", [".warc", ".warc.gz"])
def test_other_programs_files_are_read(tmp_path: Path, suffix: str) -> None:
    data = tmp_path / "data"
    hosts = {f"https://d{n}.techidaily.com/bread/": name for n, name in enumerate(_dialects(""))}
    warc = [each for url, name in hosts.items() for each in _dialects(url)[name]]
    done = imported(data, write_warc(tmp_path / f"other{suffix}", warc))
    assert done["skipped"] == {}
    query = "SELECT state, status, depth, fetched_at FROM pages WHERE url = '{}'"
    for url, name in hosts.items():
        assert load(data, url).title == "Bread", name
        assert load(data, url).body.startswith("Mix flour and water"), name
        assert rows(data, query.format(url)) == [("stored", 200, 0, "2024-03-01T10:00:00.000Z")], name
    assert len(originals(data)) > len(hosts)
    assert disorder(data) == []


def test_what_a_page_was_not_modified_from_is_still_valid(tmp_path: Path) -> None:
    data = tmp_path / "data"
    not_modified = record(
        "revisit",
        http(b"", "304 Not Modified"),
        warc_target_uri=BREAD,
        warc_profile=NOT_MODIFIED,
        warc_date="2024-04-01T10:00:00Z",
    )
    alone = imported(data, write_warc(tmp_path / "b.warc.gz", [not_modified]))
    assert alone["skipped"] == {"without the response that they repeat": 1}
    both = [response(BREAD, http(page("Bread"))), not_modified]
    done = imported(tmp_path / "both", write_warc(tmp_path / "both.warc.gz", both))
    assert (done["new"], done["pages"]) == (1, {"not_modified": 1})
    assert rows(tmp_path / "both", "SELECT fetched_at FROM pages") == [("2024-04-01T10:00:00.000Z",)]


def test_sitemaps_redirects_and_missing_pages_are_taken_as_in_a_crawl(tmp_path: Path) -> None:
    host = "https://one.techidaily.com"
    names = "".join(f"<url><loc>{host}/{name}/</loc></url>" for name in ("bread", "moved", "gone", "later"))
    sitemap = (
        f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{names}</urlset>'
    )
    warc = [
        response(f"{host}/robots.txt", http(f"Sitemap: {host}/map.xml".encode(), content_type="text/plain")),
        response(f"{host}/map.xml", http(sitemap.encode(), content_type="application/xml")),
        response(f"{host}/bread", http(b"", "301 Moved Permanently", location="/bread/")),
        response(BREAD, http(page("Bread"))),
        response(f"{host}/moved/", http(b"", "301 Moved Permanently", location=JAM)),
        response(f"{host}/gone/", http(b"no", "404 Not Found")),
        response(f"{host}/style.css", http(b"a {}", content_type="text/css")),
        response(f"{host}/favicon.ico", http(b"no", "404 Not Found")),
        response("https://example.org/", http(page("Elsewhere"))),
    ]
    data = tmp_path / "data"
    done = imported(data, write_warc(tmp_path / "a.warc.gz", warc))
    assert (done["responses"], done["new"]) == (9, 1)
    assert done["pages"] == {"not_article": 1, "gone": 1}
    assert done["skipped"] == {"not pages of articles": 2, "out of scope": 1}
    assert rows(data, "SELECT url, state, moved_to NOT NULL FROM pages") == [
        (BREAD, "stored", 0),
        (f"{host}/gone/", "gone", 0),
        (f"{host}/later/", "due", 0),
        (f"{host}/moved/", "not_article", 1),
        (JAM, "due", 0),
    ]


def _good() -> bytes:
    return response(BREAD, http(page("Bread")))


UNUSABLE_RECORDS = {
    "no valid address or date": [
        response("nothing", http(page("A"))),
        response("https://[::1/", http(page("A"))),
        response("dns:one.techidaily.com", b"1.2.3.4"),
        response(JAM, http(page("A")), warc_date="yesterday"),
        record("response", http(page("A"))),
    ],
    "not HTTP": [
        response(JAM, b""),
        response(JAM, b"\0" * 2000),
        response(JAM, page("A")),
        response(JAM, b"HTTP/1.1 OK\r\n\r\n" + page("A")),
    ],
    "too large": [response(JAM, http(b"x" * 25 * 2**20))],
    "without the response that they repeat": [
        record(
            "revisit", http(b""), warc_target_uri=JAM, warc_profile=IDENTICAL, warc_payload_digest="sha1:Y"
        )
    ],
}


def test_responses_that_can_not_be_used_are_skipped(tmp_path: Path) -> None:
    data = tmp_path / "data"
    bad = [each for listed in UNUSABLE_RECORDS.values() for each in listed]
    done = imported(data, write_warc(tmp_path / "a.warc.gz", [*bad, _good()]))
    assert (done["new"], done["skipped"]) == (
        1,
        {why: len(listed) for why, listed in UNUSABLE_RECORDS.items()},
    )
    assert disorder(data) == []


HUGE = record("response", b"x", warc_target_uri=JAM, content_length="999999999999")
NO_LENGTH = record("response", b"x", warc_target_uri=JAM, content_length="-1")
DAMAGED_TAILS = {
    "cut gzip": (gzip.compress(_good())[:-40], "the file ends in the middle of a record"),
    "huge Content-Length": (gzip.compress(HUGE), "the file ends in the middle of a record"),
    "no Content-Length": (gzip.compress(NO_LENGTH), "a record without a valid Content-Length ('-1')"),
    "not gzip": (b"\x1f\x8b\x08" + b"\xff" * 100, "what is there is not valid gzip"),
    "not a record": (gzip.compress(b"hello\r\n\r\n"), "what is there is not a record of a WARC file"),
    "an endless head": (
        gzip.compress(b"WARC/1.0\r\n" + b"a: b\r\n" * 30_000),
        "what is there is not a record",
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("tail", DAMAGED_TAILS)
def test_what_stands_before_a_damage_is_imported(tmp_path: Path, tail: str) -> None:
    path = write_warc(tmp_path / "a.warc.gz", [_good()])
    whole = path.stat().st_size
    content, why = DAMAGED_TAILS[tail]
    path.write_bytes(path.read_bytes() + content)
    data = tmp_path / "data"
    for outcome in ("1 new, 0 changed, 0 unchanged", "0 new, 0 changed, 1 unchanged"):
        done = here("import", path, "--data", data)
        assert done.exit_code == 1
        assert done.stdout.startswith(f"1 article: {outcome}; 1 file could not be used.\n")
        assert done.stderr.startswith(f"{path}: at byte {whole:,}: {why}")
        assert done.stderr.endswith("; what stands before that is imported\n")
        assert done.stderr.count("\n") == 1
    assert (data / "warc" / "a.warc.gz").stat().st_size == whole
    assert disorder(data) == []


def test_files_that_are_no_warc_files_leave_an_archive_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.warc.gz").write_bytes(b"hello")
    (tmp_path / "b.warc").write_bytes(b"")
    (tmp_path / "c.wacz").write_bytes(b"PK\3\4 and no more")
    (tmp_path / "d.warc").symlink_to(tmp_path / "b.warc")
    write_wacz(tmp_path / "e.wacz")
    data = tmp_path / "data"
    done = here("import", tmp_path, "--data", data)
    assert done.exit_code == 2
    assert dict(line.split(": ", 1) for line in done.stderr.splitlines()) == {
        f"{tmp_path}/a.warc.gz": "at byte 0: what is there is not a record of a WARC file",
        f"{tmp_path}/b.warc": "at byte 0: it has no records",
        f"{tmp_path}/c.wacz": "can't be read as a WACZ file: File is not a zip file",
        f"{tmp_path}/d.warc": "a symbolic link, which is not followed",
        f"{tmp_path}/e.wacz": "has no WARC files",
    }
    assert disorder(data) == []


def test_nothing_is_written_outside_of_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.wacz"
    path.parent.mkdir()
    bomb = gzip.compress(record("resource", b"\0" * 30 * 2**20)) + gzip.compress(_good())
    with ZipFile(path, "w") as packed:
        packed.writestr("../../out.warc.gz", gzip.compress(_good()))
        packed.writestr("/etc/.cron.warc.gz", gzip.compress(response(JAM, http(page("Jam")))))
        packed.writestr("archive/bomb.warc", b"WARC/1.0\r\n" + b"\0" * 50 * 2**20, ZIP_DEFLATED)
        packed.writestr("archive/record.warc.gz", bomb)
    before = set(tmp_path.rglob("*"))
    data = tmp_path / "data"
    done = here("import", path, "--data", data)
    assert done.stderr == f"{path}/archive/bomb.warc: unpacks to more than 200 times its size\n"
    assert done.exit_code == 1
    assert {path for path in tmp_path.rglob("*") if data not in (path, *path.parents)} == before
    names = sorted(path.name for path in (data / "warc").glob("*.warc.gz"))
    assert names == ["cron.warc.gz", "out.warc.gz", "record.warc.gz"]
    assert disorder(data) == []


@pytest.mark.long
def test_files_of_one_name_have_places_of_their_own(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for url in (BREAD, JAM):
        warc = write_warc(tmp_path / "rec.warc.gz", [response(url, http(page("Bread")))])
        for _ in range(2):
            imported(data, warc)
    names = sorted(path.name for path in (data / "warc").glob("*.warc.gz"))
    assert len(names) == 2
    assert names[0] == "rec.warc.gz"
    assert re.fullmatch(r"rec~[0-9a-f]{8}\.warc\.gz", names[1])
    assert Counter(file for _, file, _, _ in originals(data)) == Counter(names)
    assert disorder(data) == []


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


class _Proxied(Site):
    """Answers as a proxy, which is asked for whole addresses."""

    def answer(self, host: str, path: str, headers: Any) -> Any:
        return super().answer(host, re.sub(r"^http://[^/]+", "", path), headers)


@pytest.fixture
def wget() -> str:
    path = shutil.which("wget")
    if path is None:
        pytest.skip("wget is missing: it is in the Debian package wget")
    return path


def test_what_wget_records_gives_the_same_articles(
    run: Run, network: Path, tmp_path: Path, wget: str
) -> None:
    listed = tmp_path / "addresses"
    listed.write_text("".join(url.replace("https:", "http:") + "\n" for url in sorted(run.urls)))
    with _Proxied(network) as site:
        command = [wget, "--quiet", "--delete-after", f"--input-file={listed}", "--warc-file=mirror"]
        subprocess.run([*command, "-e", f"http_proxy={site.url}"], check=True, cwd=tmp_path, timeout=60)
    data = tmp_path / "data"
    done = imported(data, tmp_path / "mirror.warc.gz")
    assert done["new"] == len(run.urls)
    assert files(data) == files(run.data)
    assert len(originals(data)) == len(run.urls)
    assert disorder(data) == []
