"""`alsoread search`: articles by words."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from crawler.cli.options import data_folder, host_filter, json_flag, reports_errors, since_filter
from pipelines.archive.connection import open_current


@click.command()
@click.argument("words", nargs=-1, required=True)
@data_folder
@host_filter
@click.option("--tag", metavar="TAG", help="Only articles with this tag.")
@click.option("--author", metavar="NAME", help="Only articles by this author.")
@click.option("--lang", metavar="LANG", help="Only articles in this language, as en.")
@since_filter
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="At most so many."
)
@click.option("--offset", type=click.IntRange(0), default=0, metavar="N", help="Leave out the first N.")
@json_flag
@reports_errors
def search(words: tuple[str, ...], data: str, limit: int, offset: int, as_json: bool, **filters: Any) -> None:
    """Search the articles.

    Articles match that have all WORDS, or other forms of them; those with all of them in the title come first.
    Accents and case don't matter. "Quoted words" match one after the other, and wind* matches window. If few
    articles match, others follow with words that begin so.

    \b
    Examples:
      alsoread search sourdough
      alsoread search '"slow loaf"' --host 'kitchen-*' --since 2024-01-01
      alsoread search 'bild*' --lang de --limit 100 --json
    """
    from crawler.reports.search import print_results, print_results_json
    from pipelines.analysis.search import Filters
    from pipelines.analysis.search import search as find

    query = " ".join(words)
    chosen = Filters(**filters)
    with closing(open_current(Path(data) / "archive.db")) as db:
        results = find(db.conn, query, chosen, limit, offset)
        if as_json:
            print_results_json(results)
        else:
            print_results(db.conn, results, query, chosen, offset)
