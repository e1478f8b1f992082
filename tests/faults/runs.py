"""Crawls over the table: each fault on a host of its own, so that none is left alone for the failures of another."""

from __future__ import annotations

import asyncio
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

from tests.commands import alsoread, opened
from tests.faults.pages import GOOD
from tests.faults.table import FAULTS
from tests.hostile import Answer, Hit, Hostile, reply, says

_HEALTHY = says(reply(GOOD))


class Outcome(NamedTuple):
    """What a crawl came to for one page."""

    state: str
    reason: str
    body: str | None
    """The archived article; None where there is none."""


class FaultServer(Hostile):
    """Answers the page of `fN.techidaily.com` with the N-th fault, or, while it is `healthy`, as it should."""

    healthy = False

    def _answer(self, hit: Hit) -> Answer:
        if hit.target != "/a-post/":
            return super()._answer(hit)
        number = int(hit.host.partition(".")[0].removeprefix("f"))
        return _HEALTHY if self.healthy else _sends(FAULTS[number].answer)


def _sends(answer: bytes) -> Answer:
    async def send(_: Hit, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    return send


def url(number: int) -> str:
    """The page of a fault."""
    return f"https://f{number}.techidaily.com/a-post/"


def visit(server: FaultServer, data: Path, *options: str) -> CompletedProcess[str]:
    """One crawl over all pages of the table."""
    seeds = data.with_suffix(".txt")
    seeds.write_text("".join(f"{url(number)}\n" for number in range(len(FAULTS))))
    asked = ("--connect-to", server.url, "--discover", "links", "--max-pages", str(len(FAULTS)), *options)
    return alsoread("crawl", seeds, "--data", data, *asked)


def outcomes(data: Path) -> list[Outcome]:
    """What became of each page of the table."""
    query = """SELECT pages.url, state, coalesce(error, ''), body FROM pages LEFT JOIN articles USING (id)
               WHERE pages.url LIKE '%/a-post/'"""
    rows = opened(data).execute(query).fetchall()
    found = {address: Outcome(*rest) for address, *rest in rows}
    return [found[url(number)] for number in range(len(FAULTS))]
