"""`alsoread schedule` and `alsoread maintain`."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.crawl import crawl
from crawler.cli.options import archive_options, data_folder, json_flag, print_result, reports_errors
from crawler.text import counted

if TYPE_CHECKING:
    from crawler.service.schedule import Plan

_SIGNAL_EXIT_CODE = 128
"""Added to the number of the signal that killed a crawl, as a shell does."""


def _check_crawl_options(_: click.Context, __: click.Parameter, options: tuple[str, ...]) -> tuple[str, ...]:
    """Raise a usage error now for an option that no crawl has, and not at night."""
    crawl.make_parser(click.Context(crawl, info_name="crawl")).parse_args(list(options))
    return options


@click.command()
@click.argument(
    "options",
    nargs=-1,
    type=click.UNPROCESSED,
    callback=_check_crawl_options,
    metavar="[-- CRAWL-OPTIONS]",
)
@data_folder
@archive_options("schedule.")
@click.option("--next", "upcoming", type=click.IntRange(1), metavar="N", help="Only print the next N starts.")
@click.option("--once", is_flag=True, help="Run one crawl if one is due, and end with its exit code.")
@json_flag
@reports_errors
def schedule(
    options: tuple[str, ...], data: str, upcoming: int | None, once: bool, as_json: bool, **given: Any
) -> None:
    """Run crawls on a schedule, as a service in the foreground.

    Options go over those of [schedule] in DIR/alsoread.toml. Seeds and options of the crawls come last, after "--".

    \b
    Examples:
      alsoread schedule --cron "17 3 * * *"
      alsoread schedule --every 12h --jitter 10min -- --max-time 2h
      alsoread schedule --every 12h --next 3
    """
    from crawler.config.file import read_config
    from crawler.service import service
    from crawler.service.child import CrawlRunner

    if given["cron"] and given["every"]:
        raise click.UsageError("--cron and --every can't be used together.")
    if upcoming and once:
        raise click.UsageError("--next and --once can't be used together.")
    if as_json and not upcoming:
        raise click.UsageError("--json requires --next.")
    folder = Path(data)
    plan = _plan(read_config(folder), **given)
    if upcoming:
        _print_starts(plan, folder, upcoming, as_json=as_json)
        return
    runner = CrawlRunner(folder, options)
    code = service.run_once(plan, runner) if once else service.serve(plan, runner)
    sys.exit(code if code >= 0 else _SIGNAL_EXIT_CODE - code)


def _plan(
    config: dict[str, Any], cron: str | None, every: timedelta | None, jitter: timedelta | None
) -> Plan:
    from crawler.config.units import parse_quiet_hours
    from crawler.service.schedule import Plan

    when = cron or every or config["schedule.cron"] or config["schedule.every"]
    if not when:
        raise click.UsageError('No schedule is set; try --cron "17 3 * * *" or --every 12h.')
    return Plan(
        when,
        jitter=config["schedule.jitter"] if jitter is None else jitter,
        quiet_hours=tuple(map(parse_quiet_hours, config["limits.quiet_hours"])),
    )


def _print_starts(plan: Plan, data: Path, count: int, *, as_json: bool) -> None:
    from crawler import clock
    from crawler.items import iso
    from crawler.service.schedule import last_crawl, local_time

    without_jitter = replace(plan, jitter=timedelta())
    first, reason = without_jitter.first_start(last_crawl(data), clock.now())
    starts = [first, *islice(without_jitter.starts_after(first), count - 1)]
    if as_json:
        jitter = plan.jitter.total_seconds()
        print_result({"starts": list(map(iso, starts)), "reason": reason, "jitter": jitter}, [], exit_code=0)
        return
    click.echo(f"{local_time(first)}  {reason}".rstrip())
    for start in starts[1:]:
        click.echo(local_time(start))
    if plan.jitter:
        click.echo(f"Each start is delayed by up to {plan.jitter}.")


@click.command()
@data_folder
@click.option("--if-due", is_flag=True, help="Only if the last maintenance was a week ago.")
@json_flag
@reports_errors
def maintain(data: str, if_due: bool, as_json: bool) -> None:
    """Tidy the archive: catalog, search index, old logs, leftovers.

    The service of `alsoread schedule` does this by itself, once a week.

    \b
    Examples:
      alsoread maintain
      alsoread maintain --if-due
    """
    from crawler.clock import now
    from crawler.config.file import read_config
    from pipelines.analysis.update import update_archive
    from pipelines.archive import maintenance

    folder = Path(data)
    if if_due and not maintenance.is_due(folder / "archive.db"):
        if as_json:
            print_result({"maintained": False}, [], exit_code=0)
        return
    from crawler.extensions.logs import remove_old_logs

    keep = read_config(folder)["keep.logs"]
    done = maintenance.maintain(folder / "archive.db")
    update_archive(folder / "archive.db")
    removed = remove_old_logs(folder, keep, now())
    if as_json:
        counts = {name: value for name, value in asdict(done).items() if name != "log_is_read"}
        failures = [("archive.db-wal", "somebody reads the catalog")] if done.log_is_read else []
        print_result({"maintained": True, **counts, "removed_logs": removed}, failures, exit_code=0)
        return
    for sentence in (*done.sentences(), done.log_sentence()):
        click.echo(sentence)
    click.echo(f"Logs: {removed:,} older than {counted(keep.days, 'day')} removed.")
