"""The commands as a person gives them, and what a crawl left behind."""

from __future__ import annotations

import atexit
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner, Result
from sqlite_utils import Database

from tests.site import Site
from tests.support import forked


def alsoread(*args: str | Path, patience: float = 60) -> subprocess.CompletedProcess[str]:
    """Runs a command in a process of its own, where a warning is an error, for `patience` seconds at most."""
    return forked.run([*map(str, args)], patience)


def here(*args: str | Path) -> Result:
    """Runs a command in this process, which takes no time to start; a crawl that gets as far as to fetch can't."""
    from crawler.cli import main

    return CliRunner().invoke(main, list(map(str, args)), prog_name="alsoread", catch_exceptions=False)


class Run(NamedTuple):
    """A crawl that ended: what it printed, its exit code, its archive, and the site with its log."""

    data: Path
    code: int
    out: str
    err: str
    site: Site

    @property
    def db(self) -> Database:
        return opened(self.data)

    @property
    def urls(self) -> set[str]:
        return {url for (url,) in self.db.execute("SELECT url FROM articles")}


def crawl(network: Path, data: Path, *args: str, patience: float = 60) -> Run:
    """Crawls a network of hosts that is served meanwhile, for `patience` seconds at most."""
    with Site(network) as site:
        done = alsoread("crawl", *args, "--connect-to", site.url, "--data", data, patience=patience)
    return Run(data, done.returncode, done.stdout, done.stderr, site)


@cache
def opened(data: Path) -> Database:
    """The catalog of an archive; the tests' end closes it."""
    db = Database(data / "archive.db")
    atexit.register(db.close)
    return db
