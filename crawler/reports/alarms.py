"""Alarms for people: one a line in lists, those of a kind together in summaries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from sqlite_utils import Database

from crawler.clock import minute
from crawler.reports.terminal import output, plain, print_json
from crawler.text import counted
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


def grouped(found: Iterable[tuple[dict[str, Any], Alarm]], data: str) -> list[tuple[int, str]]:
    """Return crawls and messages: one for the hosts with the same kind of alarm in a crawl, one for any other."""
    groups: dict[tuple[int, str, str], list[Alarm]] = {}
    for run, alarm in found:
        own = "" if alarm.host else alarm.message  # an alarm of the run itself is one of a kind
        groups.setdefault((run["crawl"], alarm.kind, own), []).append(alarm)
    return [(crawl, _message(crawl, same, data)) for (crawl, _, _), same in groups.items()]


def _message(crawl: int, same: Sequence[Alarm], data: str) -> str:
    if len(same) == 1:
        return str(same[0])
    named = [alarm.host or "" for alarm in same]
    hosts = ", ".join(named[:_NAMED_HOSTS]) + (
        f" and {len(named) - _NAMED_HOSTS} more" if named[_NAMED_HOSTS:] else ""
    )
    kind = same[0].kind
    command = f"alsoread alarms --crawl {crawl} --kind {kind} --data {data}"
    return f"{counted(len(same), 'alarm')} of kind {kind}: {hosts}\n  {command}"
