"""A WACZ file has the originals of articles, record by record, with an index and a list of pages."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import pytest
from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]

from pipelines.archive.warc_index import index_of
from tests.site import SEED
from tests.support.commands import Run, alsoread, crawl, here
from tests.support.exports import three_articles
from tests.support.hostile import HTML, Answering, reply, says
from tests.support.programs import WACZ, needs_wacz

KITCHEN = "https://kitchen-notes.techidaily.com/"


def pack(data: Path, target: Path, *options: str) -> ZipFile:
    """A WACZ that is made without a complaint."""
    done = here("wacz", target, "--data", data, *options)
    assert (done.exit_code, done.stderr) == (0, "")
    return ZipFile(BytesIO(target.read_bytes()))


def index(package: ZipFile) -> list[dict[str, str]]:
    lines = gzip.decompress(package.read("indexes/index.cdx.gz")).decode().splitlines()
    assert lines == sorted(lines)
    return [json.loads(line[line.index("{") :]) for line in lines]


def pages(package: ZipFile) -> list[dict[str, Any]]:
    head, *entries = map(json.loads, package.read("pages/pages.jsonl").splitlines())
    assert head["format"] == "json-pages-1.0"
    return entries


def record_at(package: ZipFile, entry: dict[str, str]) -> Any:
    """The record that a line of the index leads to."""
    start, length = int(entry["offset"]), int(entry["length"])
    content = package.read(f"archive/{entry['filename']}")[start : start + length]
    (record,) = ArchiveIterator(BytesIO(content), check_digests="raise")
    return record


def records(package: ZipFile) -> list[tuple[str, str | None]]:
    """Type and address of all records."""
    return [
        (record.rec_type, record.rec_headers.get_header("WARC-Target-URI"))
        for name in package.namelist()
        if name.startswith("archive/")
        for record in ArchiveIterator(BytesIO(package.read(name)))
    ]


def test_a_whole_archive_has_the_files_as_they_are(run: Run, tmp_path: Path) -> None:
    package = pack(run.data, tmp_path / "all.wacz")
    for path in (run.data / "warc").glob("*.warc.gz"):
        assert package.read(f"archive/{path.name}") == path.read_bytes()
        lines = gzip.decompress(package.read("indexes/index.cdx.gz"))
        assert lines == index_of(path).read_bytes()
    articles = run.db.execute("SELECT url, title, body FROM articles ORDER BY url").fetchall()
    assert [(page["url"], page["title"], page["text"]) for page in pages(package)] == articles
    visits = {(line["url"], line["mime"]) for line in index(package)}
    assert all((page["url"], "text/html") in visits for page in pages(package))


def test_a_selection_has_its_own_records_alone(run: Run, tmp_path: Path) -> None:
    package = pack(run.data, tmp_path / "kitchen.wacz", "--host", "kitchen-*")
    wanted = {url for url in run.urls if url.startswith(KITCHEN)}
    assert {page["url"] for page in pages(package)} == wanted
    assert {entry["url"] for entry in index(package)} == wanted
    found = records(package)
    assert found.pop(0) == ("warcinfo", None)
    assert sorted(found) == sorted((kind, url) for url in wanted for kind in ("request", "response"))
    for entry in index(package):
        assert record_at(package, entry).rec_headers.get_header("WARC-Target-URI") == entry["url"]
    long = pack(run.data, tmp_path / "one.wacz", "--where", "words > 150", "--since", "2024-03-01")
    chosen = run.db.execute(
        "SELECT url FROM articles WHERE words > 150 AND date >= '2024-03-01' ORDER BY url"
    )
    assert [page["url"] for page in pages(long)] == [url for (url,) in chosen]


def test_the_description_has_the_hash_of_every_file(run: Run, tmp_path: Path) -> None:
    package = pack(run.data, tmp_path / "all.wacz")
    description = package.read("datapackage.json")
    assert json.loads(description)["wacz_version"] == "1.1.1"
    resources = {entry["path"]: entry for entry in json.loads(description)["resources"]}
    own = {"datapackage.json", "datapackage-digest.json"}
    assert set(package.namelist()) == set(resources) | own
    for path, entry in resources.items():
        content = package.read(path)
        assert (entry["hash"], entry["bytes"]) == (f"sha256:{sha256(content).hexdigest()}", len(content))
        if path.endswith(".gz"):
            assert package.getinfo(path).compress_type == ZIP_STORED
    digest = json.loads(package.read("datapackage-digest.json"))
    assert digest == {"path": "datapackage.json", "hash": f"sha256:{sha256(description).hexdigest()}"}


def test_blocks_of_the_index_are_found_by_their_first_line(run: Run, tmp_path: Path) -> None:
    package = pack(run.data, tmp_path / "all.wacz")
    head, *blocks = package.read("indexes/index.idx").decode().splitlines()
    assert json.loads(head.removeprefix("!meta 0 ")) == {
        "format": "cdxj-gzip-1.0",
        "filename": "index.cdx.gz",
    }
    for block in blocks:
        place = json.loads(block[block.index("{") :])
        content = package.read("indexes/index.cdx.gz")[place["offset"] :][: place["length"]]
        assert gzip.decompress(content).decode().startswith(block[: block.index("{")])
        assert place["digest"] == f"sha256:{sha256(content).hexdigest()}"


@pytest.mark.long
def test_what_a_revisit_refers_to_is_packed(tmp_path: Path) -> None:
    urls = [f"https://one.techidaily.com/{name}/" for name in ("one", "two")]
    with Answering(dict.fromkeys(("/one/", "/two/"), says(reply(HTML)))) as server:
        alsoread("crawl", *urls, "--connect-to", server.url, "--data", tmp_path)
    package = pack(tmp_path, tmp_path.with_suffix(".wacz"), "--where", "url LIKE '%two/'")
    assert [page["url"] for page in pages(package)] == urls[1:]
    assert {(entry["url"], entry["mime"]) for entry in index(package)} in (
        {(urls[0], "text/html"), (urls[1], "warc/revisit")},
        {(urls[1], "text/html")},  # the answer that came first
    )


@pytest.mark.long
def test_later_visits_are_packed_with_the_first(
    run: Run, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = shutil.copytree(run.data, tmp_path / "data")
    monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", "172800")
    crawl(network, data, SEED, "--recrawl", "all")
    package = pack(data, tmp_path / "one.wacz", "--where", f"url = '{SEED}'")
    assert sorted((entry["url"], entry["mime"]) for entry in index(package)) == [
        (SEED, "text/html"),
        (SEED, "warc/revisit"),
    ]
    assert [kind for kind, _ in records(package)].count("warcinfo") == 2


def test_articles_without_an_original_are_named(run: Run, tmp_path: Path) -> None:
    data = shutil.copytree(run.data, tmp_path / "data")
    three_articles(tmp_path / "posts")
    assert here("import", tmp_path / "posts" / "articles", "--data", data).exit_code == 0
    done = here("wacz", tmp_path / "all.wacz", "--data", data)
    assert done.exit_code == 1
    assert done.stdout.startswith(f"{len(run.urls)} articles in ")
    assert len(done.stderr.splitlines()) == 3
    assert "was left out: its original was not kept." in done.stderr
    none = here("wacz", tmp_path / "none.wacz", "--data", data, "--host", "one.*")
    assert (none.exit_code, none.stdout) == (2, "")
    assert "The originals of these articles were not kept" in none.stderr


@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_a_file_that_is_damaged_gives_no_package(run: Run, tmp_path: Path, damage: str) -> None:
    data = shutil.copytree(run.data, tmp_path / "data")
    (path,) = (data / "warc").glob("*.warc.gz")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-2000])
    else:
        path.unlink()
    done = here("wacz", tmp_path / "all.wacz", "--data", data)
    assert (done.exit_code, done.stdout) == ((2, "") if damage == "cut" else (6, ""))
    assert done.stderr.startswith(f"alsoread: {path} ")
    assert [entry.name for entry in tmp_path.iterdir()] == ["data"]


@pytest.mark.long
@needs_wacz
def test_the_validator_of_the_format_finds_nothing(run: Run, tmp_path: Path) -> None:
    for options in ((), ("--host", "kitchen-*")):
        target = tmp_path / f"{len(options)}.wacz"
        pack(run.data, target, *options)
        done = subprocess.run(
            [WACZ, "validate", "--file", target], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout.splitlines()[-1]) == (
            0,
            "Validation succeeded, the passed WACZ is valid",
        )
