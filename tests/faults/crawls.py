"""Visits rows twice, in two crawls, and says what came of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import frontmatter
import pytest

from pipelines.archive.connection import open_readonly
from tests.faults.row import CHANGED, DOMAIN, UNKNOWN, Copy
from tests.faults.table import ROWS
from tests.support.archives import damage, disorder, files
from tests.support.commands import alsoread
from tests.support.hostile import Answer, Hit, Hostile

_TWO_DAYS = str(2 * 86400)
_ENDED_WELL = (0, 1)


class Faults(Hostile):
    """Answers as the rows say, each on a host of its own; any other page of such a host is a good one."""

    visit = 0

    def answer(self, hit: Hit) -> Answer:
        row = ROWS.get(hit.host.partition(".")[0])
        if row is None:
            return super().answer(hit)
        if hit.target == "/robots.txt":
            return row.robots[self.visit]
        if hit.target == "/post/":
            return (row.first, row.second)[self.visit]
        return CHANGED


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a row."""

    state: str
    reason: str | None
    copy: Copy | str
    asks: int
    """How often the page was asked for on the first visit."""
    title: str | None
    body: str
    metadata: dict[str, Any]
    """The front matter of the archived file, as another program reads it."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Both crawls: the result of each row, and what is wrong with the whole."""

    results: dict[str, Result]
    wrong: list[str]


def visit_twice(data: Path, names: Iterable[str]) -> Visits:
    """Crawl the rows of these ids, and all of them again two days later."""
    rows = {name: ROWS[name] for name in names}
    (data / "seeds.txt").write_text("".join(f"{row.page}\n" for row in rows.values()))
    wrong: list[str] = []
    copies: list[dict[str, bytes]] = []
    with Faults() as server, pytest.MonkeyPatch.context() as patch:
        for server.visit in (0, 1):
            again = ("--recrawl", "all") if server.visit else ()
            patch.setenv("ALSOREAD_CLOCK_OFFSET", _TWO_DAYS if server.visit else "0")
            options = (*again, "--quiet", "--connect-to", server.url, "--data", data)
            done = alsoread("crawl", data / "seeds.txt", *options, patience=300)
            if done.returncode not in _ENDED_WELL:
                wrong.append(f"exit code {done.returncode}")
            wrong += [line for line in (done.stdout + done.stderr).splitlines() if "Traceback" in line]
            wrong += [*damage(data), *disorder(data), *_accounts(data)]
            copies.append(files(data))
            if not server.visit:
                asks = Counter((hit.host, hit.target) for hit in server.hits)
        wrong += [f"asked for: {hit.host}" for hit in server.hits if not hit.host.endswith(f".{DOMAIN}")]
    for log in (data / "logs").glob("*.log"):
        wrong += [f"{log.name}: {line}" for line in log.read_text().splitlines() if "Traceback" in line]
    with closing(open_readonly(data / "archive.db")) as db:
        pages = {row["url"]: row for row in db.query("SELECT * FROM pages LEFT JOIN articles USING (id)")}
    results = {
        name: _result(pages.get(row.judged), copies, asks[row.host, "/post/"]) for name, row in rows.items()
    }
    return Visits(results, wrong)


def _result(page: dict[str, Any] | None, copies: list[dict[str, bytes]], asks: int) -> Result:
    if page is None:
        return Result(UNKNOWN, None, "none", asks, None, "", {})
    before, after = (files.get(page["path"]) for files in copies)
    copy: Copy = "none"
    if after is not None:
        copy = "first" if after == before else "second"
    metadata = frontmatter.loads(after.decode()).metadata if after is not None else {}
    return Result(page["state"], page["error"], copy, asks, page["title"], page["body"] or "", metadata)


def _accounts(data: Path) -> list[str]:
    """Where the counts of an archive do not agree; each page is a row, and a row has one state."""
    with closing(open_readonly(data / "archive.db")) as db:
        counts = dict(db.execute("SELECT state, count(*) FROM pages GROUP BY state"))
        articles = db.execute("SELECT count(*) FROM articles").fetchone()[0]
        stored = "SELECT count(*) FROM pages JOIN articles USING (id) WHERE state = 'stored'"
        archived = db.execute(stored).fetchone()[0]
        due = "SELECT url FROM pages WHERE state = 'due' OR state <> 'stored' AND error IS NULL"
        sums = """SELECT id FROM crawls WHERE
                  pages <> new + changed + unchanged + not_modified + not_article + gone + refused + failed"""
        beyond = db.execute(sums).fetchall()
        wrong = [f"no reason: {url}" for (url,) in db.execute(due)]
    wrong += [f"crawl {crawl} does not account for all of its pages" for (crawl,) in beyond]
    if counts["stored"] != archived:
        wrong.append(f"{counts['stored']} pages are stored, {archived} of {articles} articles are theirs")
    return wrong
