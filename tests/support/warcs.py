"""WARC files as other programs write them, record by record."""

from __future__ import annotations

import gzip
import json
from base64 import b32encode
from collections.abc import Iterable
from contextlib import closing
from hashlib import sha1
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from pipelines.archive.connection import open_readonly
from tests.support.commands import here

DATE = "2024-03-01T10:00:00Z"
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"


def digest(payload: bytes) -> str:
    return f"sha1:{b32encode(sha1(payload, usedforsecurity=False).digest()).decode()}"


def record(kind: str, block: bytes, **fields: str | None) -> bytes:
    """A record, with fields by their names in snake case; None leaves one out that is there by default."""
    defaults = {"warc_type": kind, "warc_date": DATE, "warc_record_id": "<urn:uuid:1>"}
    version = fields.pop("warc", "1.0")
    values: dict[str, str | None] = {**defaults, "content_length": str(len(block)), **fields}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in values.items() if value is not None]
    return "\r\n".join([f"WARC/{version}", *lines, "", ""]).encode() + block + b"\r\n\r\n"


def http(body: bytes, status: str = "200 OK", version: str = "1.1", **headers: str) -> bytes:
    """The response to a request, with headers by their names in snake case."""
    values = {"content_type": "text/html", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in values.items()]
    return "\r\n".join([f"HTTP/{version} {status}", *lines, "", ""]).encode() + body


def response(url: str, message: bytes, **fields: str | None) -> bytes:
    defaults: dict[str, str | None] = {
        "warc_target_uri": url,
        "content_type": "application/http; msgtype=response",
    }
    return record("response", message, **defaults | fields)


def page(title: str, text: str = "Mix flour and water, and wait for a day. " * 30) -> bytes:
    """A page that holds an article."""
    return f"""<!doctype html><html lang="en"><head><title>{title}</title>
<meta property="og:type" content="article"></head>
<body><article><h1>{title}</h1><p>{text}</p></article></body></html>""".encode()


def write_warc(path: Path, records: Iterable[bytes]) -> Path:
    """Write a file: one gzip member a record for `.gz`, else as it is."""
    packed = path.suffix == ".gz"
    path.write_bytes(b"".join(gzip.compress(each, mtime=0) if packed else each for each in records))
    return path


def write_wacz(path: Path, *warcs: Path) -> Path:
    with ZipFile(path, "w") as packed:
        for warc in warcs:
            packed.write(warc, f"archive/{warc.name}")
        packed.writestr("datapackage.json", json.dumps({"profile": "data-package"}), ZIP_DEFLATED)
    return path


def originals(data: Path) -> list[tuple[str, str, str, str]]:
    """The address of every article, and the file, status and kind of the record that it was read from."""
    query = """SELECT articles.url, name, status, kind FROM articles
               JOIN warc_records ON warc_records.id = record JOIN warc_files ON warc_files.id = file"""
    with closing(open_readonly(data / "archive.db")) as db:
        return sorted(db.execute(query))


def imported(data: Path, *paths: Path | str, code: int = 0) -> dict[str, Any]:
    """What an import of files says, with the counts of pages and of what was skipped by their names."""
    done = here("import", *paths, "--data", data, "--json")
    assert (done.exit_code, done.stderr) == (code, "")
    values: dict[str, Any] = json.loads(done.stdout)
    for name, key in ("pages", "result"), ("skipped", "reason"):
        values[name] = {each[key]: each["count"] for each in values[name]}
    return values


def rows(data: Path, query: str) -> list[Any]:
    """The rows of a query of an archive, sorted."""
    with closing(open_readonly(data / "archive.db")) as db:
        return sorted(db.execute(query))
