"""`alsoread import` of WARC files of other programs: what they write of pages, in their dialects, and damaged."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import brotli  # type: ignore[import-untyped]
import pytest

from tests.site import Site
from tests.support.archives import disorder, files
from tests.support.commands import Run, here
from tests.support.imports import load
from tests.support.warcs import (
    DATE,
    IDENTICAL,
    NOT_MODIFIED,
    digest,
    http,
    imported,
    originals,
    page,
    record,
    response,
    rows,
    write_wacz,
    write_warc,
)

BREAD, JAM = "https://one.techidaily.com/bread/", "https://two.techidaily.com/jam/"


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
