"""`alsoread backup` and `alsoread upgrade`: the catalog as a file, and its schema."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from crawler.cli.options import data_folder, reports_errors
from pipelines.archive.connection import open_readonly, schema_version
from pipelines.archive.lock import open_locked


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@data_folder
@reports_errors
def backup(file: Path, data: str) -> None:
    """Copy the catalog to FILE, also while a crawl runs.

    It has every article: to restore it, copy FILE to DIR/archive.db and run `alsoread verify --repair`, which writes
    the articles' files again.

    \b
    Examples:
      alsoread backup backups/2026-11-28.db
      alsoread backup /mnt/disk/blogs.db --data archives/blogs
    """
    from pipelines.archive.backup import back_up

    size = back_up(Path(data) / "archive.db", file)
    click.echo(f"{file}: {size / 2**20:,.1f} MiB.")


@click.command()
@data_folder
@reports_errors
def upgrade(data: str) -> None:
    """Bring the catalog of an older alsoread up to date.

    Commands that write do this by themselves; here you see how far it is in a large archive.

    \b
    Example:
      alsoread upgrade --data archives/blogs
    """
    path = Path(data) / "archive.db"
    with closing(open_readonly(path)) as db:
        before = schema_version(db)
    with _progress_shown(), open_locked(path) as db:
        after = schema_version(db)
    click.echo(
        f"{path} is up to date: schema {after}."
        if before == after
        else f"{path} was upgraded from schema {before} to schema {after}."
    )


@contextmanager
def _progress_shown() -> Iterator[None]:
    """Print what migrations log: in a large archive they take minutes."""
    logger, handler = logging.getLogger("pipelines.archive.search_index"), logging.StreamHandler()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
