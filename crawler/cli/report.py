"""`alsoread report`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from crawler.cli.options import check_outside, data_folder, reports_errors, unwinding
from crawler.text import counted
from pipelines.archive.connection import open_current


@click.command()
@click.option(
    "--out",
    default="report.html",
    show_default=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page; a report that is there is replaced.",
)
@data_folder
@reports_errors
def report(out: Path, data: str) -> None:
    """Write what the archive holds to one HTML page.

    It shows growth, hosts, languages, changes, links and alarms as charts and tables, in any browser and without a
    network. Nothing in it is loaded from elsewhere; docs/report.md says what each part means.

    \b
    Examples:
      alsoread report
      alsoread report --out blogs.html --data archives/blogs
    """
    from crawler.reports.page import write

    check_outside(out, Path(data))
    with unwinding(), closing(open_current(Path(data) / "archive.db")) as db:
        contents = write(db, out)
    totals = contents.totals
    click.echo(
        f"{out}: {counted(totals['articles'], 'article')} of {counted(totals['hosts'], 'host')}, "
        f"{out.stat().st_size / 2**20:,.1f} MiB."
    )
