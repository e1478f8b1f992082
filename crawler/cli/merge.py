"""`alsoread merge`."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.cli.options import data_folder, reports_errors
from crawler.text import counted
from pipelines.archive.connection import open_locked


@click.command()
@click.argument("others", nargs=-1, required=True, type=click.Path(path_type=Path))
@data_folder
@reports_errors
def merge(others: tuple[Path, ...], data: str) -> None:
    """Merge other archives into this one.

    OTHERS are their archive.db files, which are only read.
    """
    from pipelines.merging.merge import merge as merge_archive

    folder = Path(data)
    with open_locked(folder / "archive.db") as db:
        for other in others:
            merged = merge_archive(db, folder, other)
            counts = ", ".join(
                counted(count, kind.removesuffix("s"), kind) for kind, count in merged._asdict().items()
            )
            click.echo(f"{other}: {counts}.")
