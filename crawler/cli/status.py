"""`alsoread status` and `alsoread alarms`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from crawler.cli.options import data_folder, host_filter, json_flag, reports_errors
from pipelines.archive.connection import open_readonly


@click.command()
@data_folder
@click.option("--failed", is_flag=True, help="List the failed pages with their last errors.")
@click.option("--all", "show_all", is_flag=True, help="With --failed: all of them, not only the first 50.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --failed all pages.")
@reports_errors
def status(data: str, failed: bool, show_all: bool, as_json: bool) -> None:
    """Show what the archive holds.

    \b
    Examples:
      alsoread status
      alsoread status --failed --all
      alsoread status --json --data archives/blogs
    """
    from crawler.reports.failures import print_failures, print_failures_json
    from crawler.reports.status import print_status, print_status_json

    if show_all and not failed:
        raise click.UsageError("--all needs --failed.")
    with closing(open_readonly(Path(data) / "archive.db")) as db:
        if failed and as_json:
            print_failures_json(db)
        elif failed:
            print_failures(db, data, show_all)
        elif as_json:
            print_status_json(db, data)
        else:
            print_status(db, data)


@click.command()
@data_folder
@click.option("--crawl", type=click.IntRange(1), metavar="N", help="Only those of crawl N.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only those of this kind; repeatable.")
@host_filter
@json_flag
@reports_errors
def alarms(
    data: str, crawl: int | None, kinds: tuple[str, ...], hosts: tuple[str, ...], as_json: bool
) -> None:
    """List what runs found that a person should look at.

    The newest run comes first; docs/alarms.md has the kinds.

    \b
    Examples:
      alsoread alarms --crawl 12
      alsoread alarms --kind quarantine --host 'howto.*'
    """
    from crawler.reports.alarms import print_alarms, print_alarms_json

    with closing(open_readonly(Path(data) / "archive.db")) as db:
        (print_alarms_json if as_json else print_alarms)(db, crawl=crawl, kinds=kinds, hosts=hosts)
