"""Alarms for people: one a line in lists, those of a kind together in summaries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.table import Table
from sqlite_utils import Database

from crawler.reports.terminal import minute, output, plain, print_json
from pipelines.archive import alarms
from pipelines.archive.alarms import Alarm

_NAMED_HOSTS = 3


def print_alarms(db: Database, *, crawl: int | None, kinds: Sequence[str], hosts: Sequence[str]) -> None:
    """Print alarms, the newest run first; those of all runs unless `crawl` names one."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("crawl", justify="right")
    table.add_column("raised (UTC)", no_wrap=True)
    for heading in ("kind", "host", "what"):
        table.add_column(heading, overflow="fold")
    for run, alarm in alarms.select(db, crawl=crawl, kinds=kinds, hosts=hosts):
        table.add_row(
            f"{run['crawl']}", minute(run["raised_at"]), alarm.kind, plain(alarm.host), plain(str(alarm))
        )
    output().print(table if table.row_count else "No alarms.")


def print_alarms_json(db: Database, *, crawl: int | None, kinds: Sequence[str], hosts: Sequence[str]) -> None:
    """Print the same as JSON."""
    found = alarms.select(db, crawl=crawl, kinds=kinds, hosts=hosts)
    print_json({"alarms": [run | asdict(alarm) for run, alarm in found]})


def grouped(found: Iterable[tuple[dict[str, Any], Alarm]], data: str) -> list[str]:
    """Return a message for each kind of alarm of each run: a single one whole, of several their number and hosts."""
    rows = list(found)
    rows.sort(key=lambda row: (-row[0]["crawl"], row[1].kind))  # stable: the order within a kind stays
    groups = groupby(rows, key=lambda row: (row[0]["crawl"], row[1].kind))
    return [_message(crawl, [alarm for _, alarm in group], data) for (crawl, _), group in groups]


def _message(crawl: int, same: Sequence[Alarm], data: str) -> str:
    if len(same) == 1:
        return str(same[0])
    named = [alarm.host for alarm in same if alarm.host]
    hosts = ", ".join(named[:_NAMED_HOSTS]) + (
        f" and {len(named) - _NAMED_HOSTS} more" if named[_NAMED_HOSTS:] else ""
    )
    kind = same[0].kind
    command = f"alsoread alarms --crawl {crawl} --kind {kind} --data {data}"
    return f"{len(same)} alarms of kind {kind}: {hosts or same[0].message}\n  {command}"
