"""A running `alsoread serve`, and the archive that it shows in the tests."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import Image, Link, Visit, iso
from pipelines.images.paths import path_of
from pipelines.images.rows import put_copy
from tests.conftest import ARTICLE
from tests.site.pictures import png
from tests.support.exports import BREAD, JAM, ROLLS, make_archive

HOSTILE = "https://two.techidaily.com/hostile/"
GONE = "https://two.techidaily.com/gone/"
COPIED, NOT_COPIED = "https://pictures.example/loaf.png", "https://pictures.example/butter.png"
_RUNS = "document.title = 'hacked'"
HOSTILE_TEXT = f'</title><script>{_RUNS}</script><img src=x onerror="{_RUNS}">'
HOSTILE_BODY = f"""\
# {HOSTILE_TEXT}

<script>{_RUNS}</script><svg onload="{_RUNS}"></svg><iframe src="javascript:{_RUNS}"></iframe>
<a href="javascript:{_RUNS}" onclick="{_RUNS}">press</a><style>body {{ display: none }}</style>
<link rel="stylesheet" href="https://evil.example/a.css"><base href="https://evil.example/">
<meta http-equiv="refresh" content="0; url=https://evil.example/">
<form action="https://evil.example/"><input autofocus onfocus="{_RUNS}"></form>

<table><tr><td><img src="https://evil.example/a.png" onerror="{_RUNS}"><math><mtext></mtext></math></td></tr></table>

[press](javascript:{_RUNS.replace(" ", "")}) ![a picture](https://evil.example/b.png) <https://evil.example/>
"""


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    headers: HTTPMessage
    text: str


def archive(data: Path) -> Path:
    """Make an archive of bread, which changed once, of what it leads to, and of a hostile article."""
    links = [Link(ROLLS, "Rolls"), Link(JAM, "Jam"), Link(GONE, "A page that is gone")]
    body = f"### Flour\n\nUse *strong* flour, as for [rolls]({ROLLS}#dough)."
    bread = replace(ARTICLE, body=body, images=[], also_read=links)
    rolls = replace(ARTICLE, url=ROLLS, title="Rolls", tags=["rolls"], also_read=[], images=[], body="Rolls.")
    jam = replace(rolls, url=JAM, title="Jam", author="Bo", also_read=[Link(BREAD, "Bread")], body="Jam.")
    hostile = replace(
        rolls,
        url=HOSTILE,
        title=HOSTILE_TEXT,
        author=HOSTILE_TEXT,
        tags=[HOSTILE_TEXT],
        description=HOSTILE_TEXT,
        body=HOSTILE_BODY,
    )
    gone = Visit(url=GONE, state="gone", status=404, reason="the server answers 404 Not Found")
    make_archive(data, bread, rolls, jam, hostile, gone)
    changed = f"{body} Or weak flour.\n\n![A loaf]({COPIED})\n\n![Butter]({NOT_COPIED})"
    make_archive(
        data, replace(bread, body=changed, images=[Image(COPIED, "A loaf"), Image(NOT_COPIED, "Butter")])
    )
    content, place = png("loaf"), path_of(COPIED, "image/png")
    (data / "images" / place).parent.mkdir(parents=True)
    (data / "images" / place).write_bytes(content)
    with closing(Database(data / "archive.db")) as db, db.atomic():
        put_copy(db, COPIED, place, "image/png", content, fetched_at=iso(now()), status=200)
    return data


def command(data: Path) -> list[str]:
    """Serves an archive at a free port. A warning is an error, but for the databases that Datasette leaves open."""
    warnings = ["-W", "error", "-W", "ignore:unclosed database:ResourceWarning"]
    return [sys.executable, *warnings, "-m", "crawler", "serve", "--port", "0", "--data", str(data)]


@contextmanager
def served(data: Path, *options: str) -> Iterator[str]:
    """Give the address of a server, with its token if it has one; Ctrl-C ends it well."""
    with subprocess.Popen(
        [*command(data), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout
            assert server.stderr
            serving = re.fullmatch(r"Serving (\S+)\n", server.stdout.readline())
            assert serving, server.stderr.read()
            yield serving[1]
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=60) == 0
            assert server.stderr.read() == ""
        finally:
            server.kill()


def request(address: str, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    """Send a request to a server; underscores in the names of headers are hyphens."""
    netloc = urlsplit(address).netloc
    with closing(HTTPConnection(netloc, timeout=60)) as connection:
        connection.request(
            method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode("utf-8", "replace"))
