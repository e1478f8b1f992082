"""A crawl that is killed with `kill -9` time and again, and begun again each time, until it ends by itself."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, NamedTuple

from crawler.urls import canonical
from tests.site import Request, Site
from tests.support.archives import damage

_PATIENCE = 120.0
"""Seconds that a crawl may take, and the processes of one that was killed."""
_KILLED = -signal.SIGKILL
WELL = (0, 1)
"""Exit codes of a crawl that got to its end: without alarms, and with some."""
_ANEW = ("/robots.txt", ".xml")
_LOOK = 0.01
"""Seconds between two looks at how far a crawl is."""
_SPREAD = 0.03
"""Seconds over which kills are spread once the crawl is far enough: a few commits."""


class Start(NamedTuple):
    """How a crawl is started, the same each time."""

    seeds: Sequence[str]
    options: Sequence[str] = ()

    def __call__(self, site: Site, data: Path) -> subprocess.Popen[str]:
        """The crawl. Its processes share its output, which so ends with the last of them."""
        command = [sys.executable, "-W", "error", "-m", "crawler", "crawl", *self.seeds, *self.options]
        command += ["--quiet", "--connect-to", site.url, "--data", str(data)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Undisturbed(NamedTuple):
    """A crawl that nobody kills: what one that is killed is measured by."""

    data: Path
    visits: int
    """Pages that it settles."""
    starts: float
    """Seconds until it has settled the first."""
    seconds: float


class Run(NamedTuple):
    """One run of a crawl that is killed."""

    code: int
    seconds: float
    visits: int
    """Pages that this run and those before it settled."""
    lost: int
    """Pages that it asked for and had not settled when it ended: those in flight."""
    twice: int
    """Pages that it asked for and a run before had asked for already."""
    wrong: list[str]
    """What it left damaged, what its processes said, and what it asked for although it was done."""

    @property
    def killed(self) -> bool:
        return self.code == _KILLED


def undisturbed(start: Start, network: Path, data: Path) -> Undisturbed:
    """Crawls to the end. Raises AssertionError where that does not go well."""
    with Site(network) as site:
        began = monotonic()
        crawl = start(site, data)
        gets_to(1, crawl, data)
        starts = monotonic() - began
        said = last_words(crawl)
        assert crawl.returncode in WELL, said
        return Undisturbed(data, visits(data), starts, monotonic() - began)


def killed(
    start: Start, network: Path, data: Path, whole: Undisturbed, *, kills: int, seed: int
) -> Iterator[Run]:
    """Kills a crawl that often, on its whole way from start to end; the last run ends by itself.

    About half of the runs begin while the processes of the one before may still be at work.
    """
    random = Random(seed)  # noqa: S311 - nothing is to be kept secret
    done: set[str] = set()
    left: list[subprocess.Popen[str]] = []
    with Site(network) as site:
        try:
            while True:
                first, began = len(site.log), monotonic()
                kill = _moment(random, visits(data), whole, kills) if kills else None
                crawl = start(site, data)
                left.append(crawl)
                if kill and gets_to(kill.visits, crawl, data) and not _ends(crawl, within=kill.after):
                    crawl.kill()
                code = crawl.wait(_PATIENCE)
                seconds = monotonic() - began
                wrong = [*damage(data), *_half_written(data, whole.data), *_needless(site.log[first:], done)]
                done = _done(data)
                at_once = code == _KILLED and random.random() < 0.5
                ended, left = (left[:-1], left[-1:]) if at_once else (left, [])
                wrong += [line for each in ended for line in last_words(each).splitlines()]
                before, asked = set(_pages(site.log[:first])), _pages(site.log[first:])
                lost = len(set(map(_url, asked)) - done)
                yield Run(code, seconds, visits(data), lost, sum(page in before for page in asked), wrong)
                if code == _KILLED:
                    kills -= 1
                elif not kills:
                    return
        finally:
            for crawl in left:
                crawl.kill()
                last_words(crawl)


class _Kill(NamedTuple):
    visits: int
    """Pages that are settled."""
    after: float
    """Seconds after that, which make the moment a random one."""


def _moment(random: Random, now: int, whole: Undisturbed, kills: int) -> _Kill:
    """The next of so many moments on the way from here to the end; one in four comes while the crawl starts."""
    if kills == 1:
        return _Kill(whole.visits, random.uniform(0, _SPREAD))
    far = min(now + 1 + int(random.uniform(0, 2 * (whole.visits - now) / kills)), whole.visits)
    if far <= now or random.random() < 0.25:
        return _Kill(0, random.uniform(0, whole.starts))
    return _Kill(far, random.uniform(0, _SPREAD))


def gets_to(far: int, crawl: subprocess.Popen[str], data: Path) -> bool:
    """Waits until so many pages are settled; False where the crawl ends before."""
    while visits(data) < far:
        if _ends(crawl, within=_LOOK):
            return False
    return True


def _ends(crawl: subprocess.Popen[str], within: float) -> bool:
    try:
        crawl.wait(within)
    except subprocess.TimeoutExpired:
        return False
    return True


def last_words(crawl: subprocess.Popen[str]) -> str:
    """What the crawl and its processes said, once all of them have ended. Raises TimeoutExpired if one does not."""
    return crawl.communicate(timeout=_PATIENCE)[0]


def _done(data: Path) -> set[str]:
    """The pages that are not due any more."""
    return {url for (url,) in _query(data, "SELECT url FROM pages WHERE state NOT IN ('due', 'failed')")}


def visits(data: Path) -> int:
    """How many pages all crawls so far have settled."""
    return sum(count for (count,) in _query(data, "SELECT pages FROM crawls"))


def _query(data: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of a catalog that may not be there yet."""
    path = data / "archive.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        has_tables = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'pages'").fetchone()
        return db.execute(query).fetchall() if has_tables else []


def _half_written(data: Path, whole: Path) -> list[str]:
    """Files under a final name that are not what the undisturbed crawl wrote."""
    root = data / "articles"
    names = [path.relative_to(root) for path in root.rglob("*.md")]
    expected = {name: whole / "articles" / name for name in names}
    return [
        f"not a whole file: {name}"
        for name, file in expected.items()
        if not file.is_file() or file.read_bytes() != (root / name).read_bytes()
    ]


def _pages(log: Sequence[Request]) -> list[tuple[str, str]]:
    """The pages that were asked for, each once: not what every run asks for anew."""
    return list(dict.fromkeys((r.host, r.path) for r in log if not r.path.endswith(_ANEW)))


def _needless(log: Sequence[Request], done: set[str]) -> list[str]:
    return [f"asked for again: {url}" for url in map(_url, _pages(log)) if url in done]


def _url(page: tuple[str, str]) -> str:
    return canonical(f"https://{page[0]}{page[1]}")
