"""Every request and response of a run is in WARC files, byte for byte, and found by the catalog."""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]

from pipelines.archive.catalog import Catalog
from pipelines.archive.records import keep
from pipelines.archive.warc import WarcWriter
from pipelines.archive.warc_index import index_of, members
from pipelines.originals.read import content_of
from tests.site import SEED
from tests.support import pictures
from tests.support.commands import Run, alsoread, crawl, here
from tests.support.hostile import COMPRESSED, HTML, Answering, reply, says
from tests.support.originals import exchange, misread

WIRE = b"HTTP/1.1 200 Fine by me\r\ncontent-TYPE:text/html\r\nX-Odd:  two  spaces\r\nTransfer-Encoding: chunked\r\n"


ORIGIN = "https://one.techidaily.com"


def warcs(data: Path) -> list[Path]:
    return sorted((data / "warc").glob("*.warc.gz"))


def catalog_of(data: Path) -> sqlite3.Connection:
    return sqlite3.connect(data / "archive.db")


def size(data: Path) -> int:
    return sum(path.stat().st_size for path in warcs(data))


def said(data: Path, *args: str) -> str:
    return here("verify", *args, "--data", data).stdout


@pytest.fixture
def data(run: Run, tmp_path: Path) -> Path:
    """A copy of the demo network's archive."""
    shutil.copytree(run.data, tmp_path / "data")
    return tmp_path / "data"


def test_a_page_is_fetched_and_kept_compressed(run: Run) -> None:
    assert "\nContent-Encoding: gzip\n" in here("original", SEED, "--headers", "--data", run.data).stdout
    assert here("original", SEED, "--data", run.data).stdout.startswith("<!DOCTYPE html>")


def test_every_request_of_a_crawl_is_kept_with_its_response(run: Run) -> None:
    asked = Counter(f"https://{request.host}{request.path}" for request in run.site.log)
    with closing(catalog_of(run.data)) as db:
        assert Counter(url for (url,) in db.execute("SELECT url FROM warc_records")) == asked
        statuses = db.execute("SELECT DISTINCT status FROM warc_records ORDER BY 1").fetchall()
    assert statuses == [(200,), (301,), (302,), (404,)]


def test_every_article_reads_the_same_from_its_original(run: Run) -> None:
    assert misread(run.data) == []


def test_other_programs_find_the_records_and_their_digests_whole(run: Run) -> None:
    kinds = Counter[str]()
    for path in warcs(run.data):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                record.raw_stream.read()
                kinds[record.rec_type] += 1
    assert kinds["warcinfo"] == len(warcs(run.data))
    assert kinds["request"] == kinds["response"] + kinds["revisit"] == len(run.site.log)


def test_a_file_names_its_run_and_tells_how_it_was_made(run: Run) -> None:
    (path,) = warcs(run.data)
    assert path.name.startswith("alsoread-000001-")
    info = next(members(path)).block.decode()
    assert "crawl: 1\r\n" in info
    assert "software: alsoread/" in info
    assert '"ALSOREAD_DISCOVER": "both"' in info


def test_the_index_leads_to_each_response(run: Run) -> None:
    (path,) = warcs(run.data)
    lines = index_of(path).read_text().splitlines()
    assert lines == sorted(lines)
    assert len(lines) == len(run.site.log)
    assert any(line.startswith("com,techidaily,kitchen-notes)/robots.txt 2") for line in lines)


def test_a_crawl_that_finds_nothing_new_adds_next_to_nothing(
    data: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = size(data)
    monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", "172800")
    again = crawl(network, data, SEED)
    assert len(again.site.log) == 18, "robots.txt and sitemaps of each host"
    with closing(catalog_of(data)) as db:
        newest = "SELECT DISTINCT kind FROM warc_records WHERE file = (SELECT max(id) FROM warc_files)"
        assert db.execute(newest).fetchall() == [("revisit",)]
    assert size(data) - before < 1200 * len(again.site.log)


def test_a_page_that_was_not_modified_refers_to_its_original(
    data: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", "172800")
    again = crawl(network, data, SEED, "--recrawl", "all")
    with closing(catalog_of(data)) as db:
        rows = db.execute(
            "SELECT kind, count(*) FROM warc_records WHERE status = 304 GROUP BY kind"
        ).fetchall()
        assert rows == [("revisit", len(again.urls))]
    fields = [member.fields for member in members(warcs(data)[-1]) if member.fields["warc-type"] == "revisit"]
    unchanged = [field for field in fields if field["warc-profile"].endswith("server-not-modified")]
    assert all(field["warc-refers-to-target-uri"] == field["warc-target-uri"] for field in unchanged)
    assert misread(data) == []


def test_an_article_without_an_original_gets_one_at_its_next_visit(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawl(network, tmp_path, SEED, "--no-warc")
    missing, not_modified = [], []
    for day in (2, 4, 6):
        monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", str(day * 86_400))
        crawl(network, tmp_path, SEED, "--recrawl", "all", *(["--no-warc"] if day == 2 else []))
        with closing(catalog_of(tmp_path)) as db:
            missing.append(db.execute("SELECT count(*) FROM articles WHERE record IS NULL").fetchone()[0])
            query = "SELECT not_modified FROM crawls ORDER BY id DESC LIMIT 1"
            not_modified.append(db.execute(query).fetchone()[0])
    assert missing[0] > missing[1] == missing[2] == 0
    assert not_modified[0] > not_modified[1] < not_modified[2]
    assert misread(tmp_path) == []


def test_the_bytes_are_those_of_the_wire(tmp_path: Path) -> None:
    body = gzip.compress(HTML)
    chunks = (
        b"".join(b"%x;odd=1\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    )
    sent = WIRE + b"Content-Encoding: gzip\r\n\r\n" + chunks
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    with Answering({"/odd/": says(early + sent)}) as server:
        done = alsoread("crawl", f"{ORIGIN}/odd/", "--connect-to", server.url, "--data", tmp_path)
        assert done.returncode in (0, 1), done.stderr
        (asked,) = [hit for hit in server.hits if hit.target == "/odd/"]
    records = [member for path in warcs(tmp_path) for member in members(path)]
    responses = {m.fields["warc-target-uri"]: m for m in records if m.fields["warc-type"] == "response"}
    assert responses[f"{ORIGIN}/odd/"].block == sent
    (request,) = [
        member.block
        for member in records
        if member.fields["warc-type"] == "request" and member.fields["warc-target-uri"] == f"{ORIGIN}/odd/"
    ]
    assert request.startswith(b"GET /odd/ HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n")
    assert b"recording" not in request.lower()
    assert not [name for name in asked.headers if "recording" in name]
    assert here("original", f"{ORIGIN}/odd/", "--data", tmp_path).stdout_bytes == HTML


def test_the_same_payload_is_kept_once(tmp_path: Path) -> None:
    with Answering(dict.fromkeys(("/one/", "/two/"), says(reply(HTML)))) as server:
        seeds = [f"{ORIGIN}/one/", f"{ORIGIN}/two/"]
        alsoread("crawl", *seeds, "--connect-to", server.url, "--data", tmp_path)
    with closing(catalog_of(tmp_path)) as db:
        query = "SELECT kind, count(*) FROM warc_records WHERE url LIKE '%/one/' OR url LIKE '%/two/' GROUP BY kind"
        assert db.execute(query).fetchall() == [("response", 1), ("revisit", 1)]


def test_the_images_of_a_run_are_kept(tmp_path: Path) -> None:
    with pictures.Pictures() as server:
        pictures.archive(tmp_path, [f"{pictures.HOST}/{name}" for name in ("loaf.png", "gone.png")])
        pictures.fetch(tmp_path, server.url)
        asked = Counter(hit.target for hit in server.hits)
    with closing(catalog_of(tmp_path)) as db:
        kept = Counter("/" + url.split("/", 3)[3] for (url,) in db.execute("SELECT url FROM warc_records"))
    assert kept == asked
    assert said(tmp_path) == f"{tmp_path}: no errors.\n"


def test_nothing_is_kept_where_that_is_asked_for(network: Path, tmp_path: Path) -> None:
    done = crawl(network, tmp_path, SEED, "--no-warc", "--max-pages", "3")
    assert len(done.urls) == 3
    assert warcs(tmp_path) == []
    missing = here("original", SEED, "--data", tmp_path)
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert "was not kept" in missing.stderr


def torn(path: Path) -> Iterator[int]:
    """Sizes at which a kill may leave a file: within each of its last records, and between them."""
    ends = [member.location.offset + member.location.length for member in members(path)][-4:]
    for before, end in pairwise(ends):
        yield from (before, before + 1, before + 11, (before + end) // 2, end - 1)


@pytest.mark.long
def test_a_torn_tail_is_cut_off_and_whole_records_get_rows(data: Path) -> None:
    (path,) = warcs(data)
    whole = path.read_bytes()
    for cut in torn(path):
        path.write_bytes(whole[:cut])
        index_of(path).unlink()
        with closing(catalog_of(data)) as db:
            db.execute("UPDATE articles SET record = NULL")
            db.execute("DELETE FROM warc_records WHERE offset + length > ?", [cut])
            db.commit()
        assert here("maintain", "--data", data).exit_code == 0
        ends = [member.location.offset + member.location.length for member in members(path)]
        assert path.stat().st_size == ends[-1] <= cut
        assert said(data) == f"{data}: no errors.\n"
        path.write_bytes(whole)
        index_of(path).unlink()
        assert here("maintain", "--data", data).exit_code == 0
        with closing(catalog_of(data)) as db:
            (count,) = db.execute("SELECT count(*) FROM warc_records").fetchone()
        assert count == sum(member.fields["warc-type"] == "response" for member in members(path))


def test_a_file_without_a_whole_record_does_no_harm(data: Path) -> None:
    (data / "warc" / "alsoread-000009-20260101000000-00001-x.warc.gz").write_bytes(b"\x1f\x8b\x08")
    assert here("maintain", "--data", data).exit_code == 0
    assert said(data) == f"{data}: no errors.\n"


_WRITES = """
import sys
from pathlib import Path
from pipelines.archive.warc import WarcWriter, digest_of
from tests.support.originals import exchange
writer = WarcWriter(Path(sys.argv[1]), 9, {}, shared=True)
for line in sys.stdin:
    writer.append(exchange("https://one.techidaily.com/", line.encode()), digest_of(line.encode()))
    print(flush=True)
"""


def test_a_file_that_another_process_writes_is_closed_when_that_has_ended(data: Path) -> None:
    command = [sys.executable, "-c", _WRITES, str(data / "warc")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        for content in ("one", "two"):
            print(content, file=process.stdin, flush=True)
            process.stdout.readline()
            assert here("maintain", "--data", data).exit_code == 0
            path = max(warcs(data))
            assert not index_of(path).exists()
            assert said(data) == f"{data}: no errors.\n"
        os.truncate(path, path.stat().st_size - 1)
        process.kill()
    assert here("maintain", "--data", data).exit_code == 0
    assert index_of(path).read_text().count("\n") == 2
    assert said(data) == f"{data}: no errors.\n"


def test_a_damaged_original_is_found(data: Path) -> None:
    (path,) = warcs(data)
    with closing(catalog_of(data)) as db:
        offset, url = db.execute(
            "SELECT offset + length / 2, warc_records.url FROM warc_records JOIN articles ON record = warc_records.id"
        ).fetchone()
    content = bytearray(path.read_bytes())
    content[offset] ^= 0xFF
    path.write_bytes(content)
    assert f"{path.name}: the original of {url} at byte" in said(data)
    done = here("original", url, "--data", data)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "does not have the original of" in done.stderr
    assert [url in line for line in misread(data)] == [True]


def test_rows_and_indexes_are_made_of_the_files(data: Path) -> None:
    (path,) = warcs(data)
    index = index_of(path).read_bytes()
    with closing(catalog_of(data)) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("UPDATE warc_records SET offset = offset + 1, length = length - 1 WHERE id % 3 = 0")
        db.execute("DELETE FROM warc_records WHERE id % 7 = 1 AND id NOT IN (SELECT record FROM articles)")
        db.commit()
    index_of(path).write_text("")
    assert "records without a row" in said(data)
    assert here("verify", "--repair", "--data", data).exit_code == 0
    assert said(data) == f"{data}: no errors.\n"
    assert index_of(path).read_bytes() == index
    assert misread(data) == []


def test_a_file_that_is_missing_is_named(data: Path) -> None:
    (path,) = warcs(data)
    path.unlink()
    assert f"warc/{path.name}: is missing" in said(data)
    assert here("original", SEED, "--data", data).exit_code == 2


def test_a_page_is_printed_as_it_came(run: Run) -> None:
    page = here("original", SEED, "--data", run.data).stdout_bytes
    assert page.startswith(b"<!DOCTYPE html>")
    with_headers = here("original", SEED, "--headers", "--data", run.data).stdout_bytes
    assert with_headers.startswith(b"HTTP/1.1 200 OK\r\n")
    assert with_headers.endswith(b"\r\n\r\n" + page)
    robots = here("original", "https://kitchen-notes.techidaily.com/robots.txt", "--data", run.data).stdout
    assert "Disallow: /images/" in robots
    beyond = here("original", SEED, "--version", "2", "--data", run.data)
    assert (beyond.exit_code, beyond.stderr) == (2, f"alsoread: {SEED} has no revision 2; the newest is 1.\n")


def test_a_record_without_a_status_is_kept(catalog: Catalog, tmp_path: Path) -> None:
    writer = WarcWriter(tmp_path / "warc", 1, {})
    odd = exchange("https://one.techidaily.com/odd/", b"x", head="ICY")
    with catalog.db.atomic():
        assert keep(catalog.db, writer, odd) == 1
    writer.close()


@pytest.mark.parametrize("name", COMPRESSED)
def test_every_encoding_is_undone(name: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\n\r\n".encode()
    assert content_of(head, COMPRESSED[name](HTML)) == HTML
    assert content_of(head, b"not what it says") == b"not what it says"
