"""`alsoread merge`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from crawler.cli.options import (
    NOTHING_CHANGED,
    data_folder,
    dry_run_flag,
    json_flag,
    print_error,
    print_result,
    reports_errors,
)
from crawler.errors import AlsoreadError
from crawler.text import counted
from pipelines.analysis.update import update_analyses
from pipelines.archive.connection import open_current
from pipelines.archive.lock import open_locked


@click.command()
@click.argument("others", nargs=-1, required=True, type=click.Path(path_type=Path))
@data_folder
@dry_run_flag("Only count what would be merged.")
@json_flag
@reports_errors
def merge(others: tuple[Path, ...], data: str, dry_run: bool, as_json: bool) -> None:
    """Merge other archives into this one.

    OTHERS are their folders or archive.db files, which are only read.

    \b
    Examples:
      alsoread merge /mnt/laptop/data
      alsoread merge old.db --data archive
    """
    from pipelines.merging.merge import merge as merge_archive

    folder = Path(data)
    if dry_run:
        open_current(folder / "archive.db").close()  # opening it for writing would upgrade an older one
    merged: list[dict[str, Any]] = []
    failures: list[tuple[str, str]] = []
    exit_code = 0
    with open_locked(folder / "archive.db") as db:
        for other in map(_catalog_of, others):
            try:
                counts = merge_archive(db, folder, other, dry_run=dry_run)._asdict()
            except AlsoreadError as error:  # what was merged before stays
                print_error(error)
                failures.append((str(other), str(error)))
                exit_code = error.exit_code
                break
            merged.append({"archive": str(other), **counts})
            if not as_json:
                click.echo(f"{other}: {', '.join(_in_words(counts))}.")
        if merged and not dry_run:
            update_analyses(db)
    if as_json:
        print_result({"merged": merged}, failures, exit_code)
    elif dry_run:
        click.echo(NOTHING_CHANGED)
    sys.exit(exit_code)


def _in_words(counts: Mapping[str, int]) -> Iterator[str]:
    for kind, count in counts.items():
        yield counted(count, kind.removesuffix("s"), kind)


def _catalog_of(path: Path) -> Path:
    return path / "archive.db" if path.is_dir() else path
