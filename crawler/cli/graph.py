"""`alsoread graph`."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.options import check_outside, data_folder, host_filter, reports_errors, unwinding
from crawler.text import counted
from pipelines.archive.connection import open_current

if TYPE_CHECKING:
    from pipelines.analysis.graph_formats import Kind


@click.command()
@click.option(
    "--format",
    "kind",
    type=click.Choice(["graphml", "gexf", "csv", "dot"]),
    default="graphml",
    show_default=True,
    help="Format of the file.",
)
@host_filter
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output.",
)
@data_folder
@reports_errors
def graph(kind: Kind, hosts: tuple[str, ...], out: Path | None, data: str) -> None:
    """Write the also-read graph for Gephi, Graphviz and other programs.

    Its nodes are the articles, with their PageRank and other measures; its edges are the links of their current
    also-read lists from one article to another. docs/analysis.md explains them.

    \b
    Examples:
      alsoread graph --format gexf --out blogs.gexf
      alsoread graph --format dot --host 'kitchen-*' --out kitchen.dot
      alsoread graph --format csv > links.csv
    """
    from pipelines.analysis.graph_export import GraphExport
    from pipelines.archive.selection import ArticleFilter
    from pipelines.archive.whole import written_whole

    if out:
        check_outside(out, Path(data))
    with unwinding(), closing(open_current(Path(data) / "archive.db")) as db:
        export = GraphExport(db, ArticleFilter(hosts=hosts))
        if out is None:
            export.write(kind, sys.stdout.buffer)
            return
        with written_whole(out) as half, half.open("xb") as file:
            export.write(kind, file)
    click.echo(f"{counted(export.articles, 'article')} and {counted(export.links, 'link')} in {out}.")
