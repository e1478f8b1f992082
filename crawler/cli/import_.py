"""`alsoread import` and `alsoread rebuild`: Markdown files become an archive's articles."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import click

from crawler import shutdown
from crawler.cli.options import data_folder, reports_errors
from crawler.errors import UsageError
from crawler.text import counted, escape_controls
from pipelines.archive.connection import open_readonly

_REBUILT = "rebuilt from the files"
_SOME_REFUSED, _ALL_REFUSED = 1, 2  # exit codes


@click.command("import")
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True, path_type=Path)
)
@data_folder
@click.option("--host", metavar="HOST", help="Blog of files that have no address.")
@reports_errors
def import_(paths: tuple[Path, ...], data: str, host: str | None) -> None:
    """Import Markdown with front matter: files, folders, tar or zip archives.

    Importing an export restores its articles. Sources of a blog are cut as their pages are.
    """
    _import(Path(data), paths, host, f"import of {', '.join(map(str, paths))}")


@click.command()
@data_folder
@reports_errors
def rebuild(data: str) -> None:
    """Make a new catalog from an archive's Markdown files."""
    folder = Path(data)
    if (folder / "archive.db").exists() and not _is_unfinished(folder / "archive.db"):
        raise UsageError(f"{folder / 'archive.db'} exists. Move it away first, or use another --data.")
    if not (folder / "articles").is_dir():
        raise UsageError(f"{folder / 'articles'} does not exist: there is nothing to make a catalog from.")
    _import(folder, [folder / "articles"], None, _REBUILT)


def _is_unfinished(path: Path) -> bool:
    """Return whether an interrupted rebuild made a catalog, perhaps one without any table yet."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as bare:
        tables = bare.execute(
            "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '%sqlite\\_%' ESCAPE '\\'"
        )
        if tables.fetchone()[0] == 0:
            return True
    query = "SELECT count(*) FROM crawls WHERE reason IS NOT ? OR outcome = 'imported'"
    with closing(open_readonly(path)) as db:
        # One that was interrupted while it made its tables has no run, and may lack columns.
        return not db.table("crawls").count or bool(db.execute(query, [_REBUILT]).fetchone()[0] == 0)


def _import(data: Path, paths: tuple[Path, ...] | list[Path], host: str | None, reason: str) -> None:
    from crawler.extractors.source import read_source
    from crawler.settings import ALSOREAD_SCOPE
    from pipelines.importing.run import import_files

    with shutdown.noted():  # the import checks for signals between two commits
        counts = import_files(
            data,
            paths,
            reason=reason,
            host=host,
            scope=ALSOREAD_SCOPE,
            read_source=read_source,
            refused=lambda name, why: click.echo(escape_controls(f"{name}: {why}"), err=True),
        )
    if not counts:
        raise UsageError(f"No Markdown files in {', '.join(map(str, paths))}.")
    imported = counts.total() - counts["refused"]
    click.echo(
        f"{counted(imported, 'article')}: {counts['new']:,} new, {counts['changed']:,} changed, "
        f"{counts['unchanged']:,} unchanged; "
        f"{counted(counts['refused'], 'file')} could not be used."
    )
    if counts["refused"]:
        sys.exit(_SOME_REFUSED if imported else _ALL_REFUSED)
