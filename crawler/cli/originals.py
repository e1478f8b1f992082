"""Commands that read what was fetched: `alsoread original` and `alsoread reextract`."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from crawler import shutdown
from crawler.cli.options import (
    NOTHING_CHANGED,
    archive_options,
    data_folder,
    dry_run_flag,
    host_filter,
    json_flag,
    print_result,
    reports_errors,
    since_filter,
    where_filter,
)
from crawler.exit_codes import ALARMS
from crawler.text import counted, escape_controls
from pipelines.archive import articles, lookup, quarantine, records
from pipelines.archive.connection import open_current


@click.command()
@click.argument("page")
@click.option("--headers", is_flag=True, help="Print the status line and the headers too.")
@click.option("--version", type=click.IntRange(1), metavar="N", help="The revision N of `alsoread history`.")
@click.option("--quarantined", is_flag=True, help="The version that waits for `alsoread accept`.")
@data_folder
@reports_errors
def original(page: str, headers: bool, version: int | None, quarantined: bool, data: str) -> None:
    """Print a page as it was fetched.

    PAGE is an article, as for `alsoread show`, or any address that was fetched, such as a robots.txt. Only transfer
    encoding and compression are removed. On a terminal, control characters are made visible.

    \b
    Examples:
      alsoread original sharpen-a-knife > page.html
      alsoread original https://howto.techidaily.com/sharpen-a-knife/ --version 1
      alsoread original https://howto.techidaily.com/robots.txt --headers
    """
    from pipelines.originals.read import read

    with closing(open_current(Path(data) / "archive.db")) as db:
        if quarantined:
            record = quarantine.record_of(db, articles.load(db, lookup.find(db, page)).url)
        elif version or (found := records.last_at(db, page)) is None:
            record = records.of_article(db, lookup.find(db, page), version)
        else:
            record = found
        response = read(db, Path(data), record)
    output = (response.head if headers else b"") + response.content
    if sys.stdout.isatty():
        click.echo(escape_controls(output.decode(errors="replace")))
    else:
        sys.stdout.buffer.write(output)


@click.command()
@host_filter
@since_filter
@where_filter
@click.option(
    "--older-than-extractor",
    "older_only",
    is_flag=True,
    help="Only articles that an older version of the extractors read.",
)
@archive_options("cluster.address", "cluster.workers")
@data_folder
@dry_run_flag("Only show what would change.")
@json_flag
@reports_errors
def reextract(
    hosts: tuple[str, ...],
    since: str | None,
    where: str | None,
    older_only: bool,
    data: str,
    dry_run: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Read archived articles from their originals again.

    After an update of alsoread, articles come out as if they had been fetched with it; nothing is fetched.
    It first shows what changes. An article that would lose its title, all its images or more than a quarter of its
    words is quarantined.

    \b
    Examples:
      alsoread reextract --dry-run
      alsoread reextract --older-than-extractor
      alsoread reextract --host 'howto.*' --where "author IS NULL"
      alsoread reextract --cluster 192.168.1.10:6379
    """
    from crawler.reports.reextract import preview_values, print_preview, print_warnings
    from crawler.reports.terminal import progress
    from crawler.runs.reextract import ReextractionRun
    from pipelines.archive.selection import ArticleFilter

    # Not that of alsoread.toml: one machine can always do it, whether the cluster is there or not.
    cluster, workers = settings["ALSOREAD_CLUSTER"], settings["ALSOREAD_WORKERS"]
    if workers and not cluster:
        raise click.UsageError("--workers needs --cluster.")
    chosen = ArticleFilter(hosts=hosts, since=since, where=where)
    with (
        shutdown.noted(),  # the run looks for signals
        ReextractionRun(
            Path(data), chosen, older_only=older_only, dry_run=dry_run, cluster=cluster, processes=workers
        ) as run,
    ):
        with progress("Reading", not as_json) as watch:
            preview = run.preview(watch)
        if not as_json:
            print_preview(preview)
        if not dry_run:
            with progress("Writing", not as_json) as watch:
                run.write(preview, watch)
    exit_code = ALARMS if preview.failures or preview.quarantined else 0
    if as_json:
        print_result(preview_values(preview), preview.failures, exit_code)
    else:
        click.echo(NOTHING_CHANGED if dry_run else f"{counted(preview.changed, 'article')} written.")
        print_warnings(preview, data)
    sys.exit(exit_code)
