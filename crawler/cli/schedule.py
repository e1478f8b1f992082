"""The commands of an archive that nobody watches: `alsoread schedule` and `alsoread maintain`."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.crawl import crawl
from crawler.cli.options import Quantity, data_folder, told
from crawler.config.units import parse_duration

if TYPE_CHECKING:
    from crawler.config.file import Config
    from crawler.service.schedule import Plan

_DURATION = Quantity("DURATION", parse_duration)
_SIGNALLED = 128


def _known(_: click.Context, __: click.Parameter, options: tuple[str, ...]) -> tuple[str, ...]:
    """The options of the crawls, if there are such: a mistyped one is to be told now, and not at night."""
    crawl.make_parser(click.Context(crawl, info_name="crawl")).parse_args(list(options))
    return options


@click.command()
@click.argument("options", nargs=-1, type=click.UNPROCESSED, callback=_known, metavar="[-- CRAWL-OPTIONS]")
@data_folder
@click.option(
    "--cron", metavar="LINE", help='When, as in a crontab: "17 3 * * *" is daily at 3:17, local time.'
)
@click.option("--every", type=_DURATION, help="The time from one start to the next, such as 12h.")
@click.option("--jitter", type=_DURATION, help="Put each start off by a random part of this time.")
@click.option("--next", "upcoming", type=click.IntRange(1), metavar="N", help="Only tell the next N starts.")
@click.option(
    "--once", is_flag=True, help="Only make up what is due now, and end with that crawl's exit code."
)
@told
def schedule(
    options: tuple[str, ...],
    data: str,
    cron: str | None,
    every: timedelta | None,
    jitter: timedelta | None,
    upcoming: int | None,
    once: bool,
) -> None:
    """Crawl when it is time, as a service in the foreground.

    Without options as [schedule] of DIR/alsoread.toml has it. Seeds and options of the crawls come last, after "--".
    """
    from crawler.config.file import read_config
    from crawler.service import service
    from crawler.service.child import Crawls

    if cron and every:
        raise click.UsageError("--cron and --every don't go together.")
    if upcoming and once:
        raise click.UsageError("--next and --once don't go together.")
    plan = _plan(read_config(Path(data)), cron, every, jitter)
    if upcoming:
        _tell(plan, Path(data), upcoming)
        return
    crawls = Crawls(Path(data), options)
    code = service.once(plan, crawls) if once else service.serve(plan, crawls)
    sys.exit(code if code >= 0 else _SIGNALLED - code)


def _plan(config: Config, cron: str | None, every: timedelta | None, jitter: timedelta | None) -> Plan:
    from crawler.service.schedule import Plan

    given = config.schedule
    if cron or every:
        given = replace(given, cron=cron, every=every)
    if jitter is not None:
        given = replace(given, jitter=jitter)
    try:
        return Plan.by(given, config.limits.quiet_hours)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _tell(plan: Plan, data: Path, number: int) -> None:
    from crawler import clock
    from crawler.service.schedule import last_run, shown

    jitter, exact = plan.jitter, replace(plan, jitter=timedelta())
    first, reason = exact.first_start(last_run(data), clock.now())
    click.echo(f"{shown(first)}  {reason}".rstrip())
    for start in islice(exact.starts(first), number - 1):
        click.echo(shown(start))
    if jitter:
        click.echo(f"Each start is put off by up to {jitter}.")


@click.command()
@data_folder
@click.option("--if-due", is_flag=True, help="Only when the last time was a week ago.")
@told
def maintain(data: str, if_due: bool) -> None:
    """Tidy the archive up: its database, its search index, old logs, what killed runs left behind."""
    from crawler.clock import now
    from crawler.config.file import read_config
    from pipelines.archive import maintenance

    folder = Path(data)
    if if_due and not maintenance.is_due(folder / "archive.db"):
        return
    from crawler.extensions.logs import remove_old_logs

    keep = read_config(folder).keep.logs
    for sentence in maintenance.maintain(folder / "archive.db"):
        click.echo(sentence)
    removed = remove_old_logs(folder, keep, now())
    click.echo(f"Logs: {removed} older than {keep.days} days removed.")
