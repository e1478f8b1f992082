"""Commands that hand originals over: `alsoread wacz`, `alsoread bag` and `alsoread replay`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from crawler.cli.options import (
    check_outside,
    data_folder,
    host_filter,
    json_flag,
    print_result,
    reports_errors,
    since_filter,
    unwinding,
    where_filter,
)
from crawler.errors import UsageError
from crawler.exit_codes import ALARMS
from crawler.reports.terminal import progress
from crawler.text import counted, escape_controls
from pipelines.archive.connection import open_current
from pipelines.archive.lock import open_locked
from pipelines.archive.selection import ArticleFilter
from pipelines.archive.warc import FOLDER

_NEWEST = "SELECT url FROM articles WHERE record IS NOT NULL ORDER BY changed_at DESC, id DESC LIMIT 1"
_MISSING_REASON = "its original was not kept"
_MAX_LISTED = 5
"""Articles that are named one by one."""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@data_folder
@reports_errors
def bag(folder: Path, data: str) -> None:
    """Copy the whole archive to a BagIt package, and validate it.

    It has the catalog, the articles, copies of images and the WARC files with their indexes; alsoread.toml stays out,
    as it may have passwords. No crawl can run meanwhile. Any BagIt program validates the package again.

    \b
    Examples:
      alsoread bag handover/blogs-2026
      alsoread bag /mnt/disk/blogs --data archives/blogs
    """
    from pipelines.originals.bag import make

    check_outside(folder, Path(data))
    with unwinding(), open_locked(Path(data) / "archive.db") as db:
        contents = make(db, Path(data), folder)
    click.echo(
        f"{counted(contents.files, 'file')} in {folder}, {contents.size / 2**20:,.1f} MiB: {contents.description} "
        "The package is valid."
    )


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@host_filter
@since_filter
@where_filter
@data_folder
@json_flag
@reports_errors
def wacz(
    file: Path, hosts: Sequence[str], since: str | None, where: str | None, data: str, as_json: bool
) -> None:
    """Pack articles as they were fetched into a WACZ file.

    It has every visit of their pages and images, and all others too if no option chooses articles.
    ReplayWeb.page and other programs show it without a server; docs/handover.md says how.

    \b
    Examples:
      alsoread wacz blogs.wacz
      alsoread wacz kitchen.wacz --host 'kitchen-*' --since 2024-08-01
      alsoread wacz long.wacz --where 'words > 2000'
    """
    from pipelines.originals.wacz import pack

    check_outside(file, Path(data))
    chosen = ArticleFilter(hosts=hosts, since=since, where=where)
    with (
        unwinding(),
        closing(open_current(Path(data) / "archive.db")) as db,
        progress("Packing", not as_json) as watch,
    ):
        packed = pack(db, Path(data), file, chosen, watch)
    exit_code = ALARMS if packed.missing else 0
    size = file.stat().st_size
    if as_json:
        counts = {"pages": packed.pages, "records": packed.records, "bytes": size}
        print_result(counts, ((url, _MISSING_REASON) for url in packed.missing), exit_code)
    else:
        records = counted(packed.records, "record")
        click.echo(f"{counted(packed.pages, 'article')} in {file}: {records}, {size / 2**20:,.1f} MiB.")
        for url in packed.missing[:_MAX_LISTED]:
            click.echo(f"Warning: {escape_controls(url)} was left out: {_MISSING_REASON}.", err=True)
        if more := packed.missing[_MAX_LISTED:]:
            click.echo(f"Warning: the same holds for {counted(len(more), 'more article')}.", err=True)
    sys.exit(exit_code)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8089,
    show_default=True,
    help="Port on this machine's loopback; 0 is any that is free.",
)
@data_folder
@reports_errors
def replay(port: int, data: str) -> None:
    """Show archived pages in a browser, as they were fetched.

    pywb serves them, on this machine only, until Ctrl-C. It is installed at the first use, apart from alsoread. What
    a running crawl fetched is shown once that has ended.

    \b
    Examples:
      alsoread replay
      alsoread replay --port 9000 --data archives/blogs
    """
    from crawler.replay.environment import python_of_pywb
    from crawler.replay.server import serve

    with closing(open_current(Path(data) / "archive.db")) as db:
        example = db.execute(_NEWEST).fetchone()
    if example is None or not any((Path(data) / FOLDER).glob("*.cdxj")):
        raise UsageError(
            f"{data} has no originals: they are kept by crawls, unless they run with --no-warc, and shown once a "
            "crawl has ended."
        )

    def ready(address: str) -> None:
        click.echo(f"Serving {address}, for example {address}{escape_controls(example[0])}")
        click.echo("Ctrl-C ends it.")

    with unwinding():
        python = python_of_pywb(click.echo)
    serve(python, Path(data), port, ready)
