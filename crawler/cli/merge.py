"""`alsoread merge`."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.cli.options import data_folder, reports_errors
from pipelines.archive.connection import open_locked


@click.command()
@click.argument("others", nargs=-1, required=True, type=click.Path(path_type=Path))
@data_folder
@reports_errors
def merge(others: tuple[Path, ...], data: str) -> None:
    """Merge other archives into this one.

    OTHERS are their folders or archive.db files, which are only read.

    \b
    Examples:
      alsoread merge /mnt/laptop/data
      alsoread merge old.db --data archive
    """
    from pipelines.merging.merge import merge as merge_archive

    folder = Path(data)
    with open_locked(folder / "archive.db") as db:
        for other in [_catalog_of(path) for path in others]:
            merged = merge_archive(db, folder, other)
            counts = ", ".join(f"{count:,} {kind}" for kind, count in merged._asdict().items())
            click.echo(f"{other}: {counts}.")


def _catalog_of(path: Path) -> Path:
    return path / "archive.db" if path.is_dir() else path
