"""Exchanges, and archives that keep them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from crawler.clock import now
from crawler.errors import UsageError
from crawler.items import Exchange, Quarantine, Visit
from crawler.runs.reread import read_original
from pipelines.archive import articles
from pipelines.archive.catalog import Catalog
from pipelines.archive.connection import open_readonly
from pipelines.archive.warc import FOLDER


def exchange(url: str, content: bytes, head: str = "HTTP/1.1 200 OK\r\ncontent-type: text/html") -> Exchange:
    """A request and a response with this content."""
    path = "/" + url.split("/", 3)[3]
    return Exchange(
        url=url,
        request=f"GET {path} HTTP/1.1\r\nHost: {url.split('/')[2]}\r\n\r\n".encode(),
        response=f"{head}\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content,
        began_at=now(),
        ip="127.0.0.1",
    )


def quarantine(data: Path, *pages: tuple[str, bytes]) -> None:
    """Quarantine another page of archived articles, each given by its address."""
    catalog = Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[600, 600])
    catalog.begin_crawl()
    for url, html in pages:
        doubt = Quarantine("shrunk", None)
        catalog.add(
            Visit(
                url=url,
                state="failed",
                status=200,
                reason="shrunk: by much",
                quarantine=doubt,
                exchanges=[exchange(url, html)],
            )
        )
    catalog.end_crawl("finished", requests={"page": len(pages)})
    catalog.close()


def damage_original(data: Path, url: str) -> tuple[str, int]:
    """Overwrite a part of the original of an article, and return the name of its file and its offset there."""
    with closing(open_readonly(data / "archive.db")) as db:
        name, offset = db.execute(
            """SELECT name, offset FROM articles JOIN warc_records ON warc_records.id = record
               JOIN warc_files ON warc_files.id = file WHERE articles.url = ?""",
            [url],
        ).fetchone()
    with (data / FOLDER / name).open("r+b") as file:
        file.seek(offset + 100)
        file.write(bytes(100))
    return name, offset


def misread(data: Path) -> list[str]:
    """Articles of which the original is missing or damaged, or reads otherwise than the archive has it."""
    found = []
    with closing(open_readonly(data / "archive.db")) as db:
        for page, url, record in db.execute("SELECT id, url, record FROM articles").fetchall():
            if record is None:
                found.append(f"{url} has no original")
                continue
            try:
                article = read_original(db, data, url, record).article
            except UsageError as error:
                found.append(str(error))
                continue
            if article != articles.load(db, page):
                found.append(f"{url} reads otherwise")
    return found
