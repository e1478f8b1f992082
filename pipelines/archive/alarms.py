"""Write and read rows of alarms."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import iso

TRAP = "trap"
"""Kind of an alarm about addresses that may have no end."""
MAX_ADDRESSES = 3
"""Addresses that an alarm shows."""
_RECENT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something to look at: a message, and up to three addresses that show it."""

    kind: str
    """One of docs/alarms.md."""
    message: str
    host: str | None = None
    pages: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {url}" for url in self.pages)])


def insert(db: Database, crawl: int, alarms: Iterable[Alarm], raised_at: str) -> None:
    """Insert the alarms of a crawl, in the caller's transaction."""
    for alarm in alarms:
        db.execute(
            "INSERT INTO alarms (crawl, host, kind, message, pages, raised_at) VALUES (?, ?, ?, ?, ?, ?)",
            [crawl, alarm.host, alarm.kind, alarm.message, json.dumps(alarm.pages), raised_at],
        )


def of_crawl(db: Database, crawl: int) -> list[Alarm]:
    """Return the alarms of a crawl."""
    return [alarm for _, alarm in _select(db, "crawl = :value", crawl)]


def recent(db: Database) -> list[tuple[dict[str, Any], Alarm]]:
    """Return the alarms of the last crawl and of the last seven days, newest first, with `crawl` and two times."""
    week = iso(now() - _RECENT)
    return _select(db, "raised_at >= :value OR crawl = (SELECT max(id) FROM crawls)", week)


def select(
    db: Database, *, crawl: int | None = None, kinds: Sequence[str] = (), hosts: Sequence[str] = ()
) -> list[tuple[dict[str, Any], Alarm]]:
    """Return alarms as `recent` does: of one crawl, of some kinds, or of hosts that match a pattern; else all."""
    rows = _select(db, "crawl = :value OR :value IS NULL", crawl)
    return [
        (run, alarm)
        for run, alarm in rows
        if (not kinds or alarm.kind in kinds)
        and (not hosts or any(fnmatchcase(alarm.host or "", host.lower()) for host in hosts))
    ]


def _select(db: Database, which: str, value: int | str | None) -> list[tuple[dict[str, Any], Alarm]]:
    rows = db.query(
        f"""SELECT crawl, started_at, raised_at, host, kind, message, alarms.pages
            FROM alarms JOIN crawls ON crawls.id = alarms.crawl
            WHERE {which} ORDER BY crawl DESC, alarms.id""",
        {"value": value},
    )
    return [
        (
            {name: row.pop(name) for name in ("crawl", "started_at", "raised_at")},
            Alarm(**row | {"pages": tuple(json.loads(row["pages"]))}),
        )
        for row in rows
    ]
