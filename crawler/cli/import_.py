"""`alsoread import` and `alsoread rebuild`: Markdown and WARC files become an archive's articles."""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler import shutdown
from crawler.cli.options import (
    NOTHING_CHANGED,
    data_folder,
    dry_run_flag,
    json_flag,
    print_result,
    reports_errors,
)
from crawler.errors import UsageError
from crawler.settings import ALSOREAD_READ_TIMEOUT, ALSOREAD_SCOPE, DOWNLOAD_MAXSIZE
from crawler.text import counted, escape_controls
from crawler.urls import canonical_or_none, in_scope
from pipelines.archive.connection import open_readonly

if TYPE_CHECKING:
    from pipelines.importing.recorded import ReplayCounts, Replayer
    from pipelines.importing.run import Imported

_REBUILT = "rebuilt from the files"
_IMPORTED_KINDS = ("new", "changed", "unchanged")
_SOME_REFUSED, _ALL_REFUSED = 1, 2  # exit codes


def _in_scope(_: click.Context, __: click.Parameter, host: str | None) -> str | None:
    """Return a host whose pages the archive takes. Raises a usage error for another."""
    if host is None:
        return None
    url = canonical_or_none(f"https://{host}/")
    if url is None or not in_scope(url, ALSOREAD_SCOPE):
        raise click.BadParameter(f"{host!r} is not a host of {', '.join(ALSOREAD_SCOPE)}.")
    return host


@click.command("import")
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True, path_type=Path)
)
@data_folder
@click.option("--host", metavar="HOST", callback=_in_scope, help="Blog of files that have no address.")
@click.option("--warc/--no-warc", default=True, help="Copy WARC files into the archive. [default: yes]")
@dry_run_flag("Only count what would be imported.")
@json_flag
@reports_errors
def import_(
    paths: tuple[Path, ...], data: str, host: str | None, warc: bool, dry_run: bool, as_json: bool
) -> None:
    """Import Markdown and WARC files, from folders or archives.

    Archives are tar and zip files of Markdown, and WACZ files. Markdown files have front matter. Importing an export
    restores its articles. Sources of a blog are cut as their pages are. The responses in WARC files are read as a
    crawl reads them.

    \b
    Examples:
      alsoread import backup.tar.gz
      alsoread import blog/source/_posts --host howto.techidaily.com
      alsoread import mirror.warc.gz
    """
    reason = None if dry_run else f"import of {', '.join(map(str, paths))}"
    _import(Path(data), paths, host, reason, warc=warc, as_json=as_json)


@click.command()
@data_folder
@json_flag
@reports_errors
def rebuild(data: str, as_json: bool) -> None:
    """Make a new catalog from an archive's Markdown files.

    It has no history: the crawls and revisions of the old one are in the old one alone.

    \b
    Example:
      alsoread rebuild --data archives/blogs
    """
    folder = Path(data)
    if (folder / "archive.db").exists() and not _is_unfinished(folder / "archive.db"):
        raise UsageError(f"{folder / 'archive.db'} exists. Move it away first, or use another --data.")
    if not (folder / "articles").is_dir():
        raise UsageError(f"{folder / 'articles'} does not exist: there is nothing to make a catalog from.")
    _import(folder, [folder / "articles"], None, _REBUILT, as_json=as_json)


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


def _import(
    data: Path,
    paths: Sequence[Path],
    host: str | None,
    reason: str | None,
    *,
    warc: bool = True,
    as_json: bool,
) -> None:
    """Import the files, or only count what an import would do where it has no reason."""
    from crawler.extractors.source import read_source
    from pipelines.importing.parse import Parser
    from pipelines.importing.run import Sources, import_files, preview_import

    failures: list[tuple[str, str]] = []

    def refused(name: str, why: str) -> None:
        if as_json:
            failures.append((name, why))
        else:
            click.echo(escape_controls(f"{name}: {why}"), err=True)

    sources = Sources(
        paths, Parser(host, tuple(ALSOREAD_SCOPE), read_source), replayer=_replayer, keep_warc=warc
    )
    with shutdown.noted():  # the import checks for signals between two commits
        if reason is None:
            done = preview_import(data, sources, refused=refused)
        else:
            done = import_files(data, sources, reason=reason, refused=refused)
    counts = _counts(done)
    imported = counts.total() - counts["refused"]
    exit_code = 0
    if counts["refused"]:
        exit_code = _SOME_REFUSED if imported else _ALL_REFUSED
    if as_json:
        by_kind = {kind: counts[kind] for kind in (*_IMPORTED_KINDS, "refused")}
        print_result({"articles": imported, **by_kind, **_replayed(done)}, failures, exit_code)
    else:
        kinds = ", ".join(f"{counts[kind]} {kind}" for kind in _IMPORTED_KINDS)
        click.echo(
            f"{counted(imported, 'article')}: {kinds}; {counted(counts['refused'], 'file')} could not be used."
        )
        if done.replayed:
            click.echo(_sentence(done.replayed))
        if reason is None:
            click.echo(NOTHING_CHANGED)
    sys.exit(exit_code)


def _replayer() -> Replayer:
    from crawler.spiders.replay import Replay

    return Replay(ALSOREAD_READ_TIMEOUT, DOWNLOAD_MAXSIZE)


def _counts(done: Imported) -> Counter[str]:
    """Return the counts of articles and files by kind."""
    counts = Counter(done.files)
    if done.replayed:
        counts.update({kind: done.replayed.kinds[kind] for kind in _IMPORTED_KINDS})
    return counts


def _replayed(done: Imported) -> dict[str, Any]:
    """Return what JSON says of WARC files."""
    if done.replayed is None:
        return {"responses": 0, "pages": [], "skipped": []}
    kinds, skipped = sorted(done.replayed.kinds.items()), sorted(done.replayed.skipped.items())
    return {
        "responses": done.replayed.responses,
        "pages": [{"result": kind, "count": n} for kind, n in kinds if kind not in _IMPORTED_KINDS],
        "skipped": [{"reason": why, "count": n} for why, n in skipped],
    }


def _sentence(replayed: ReplayCounts) -> str:
    """Return what the summary says of WARC files."""
    kinds, skipped = replayed.kinds, replayed.skipped
    others = [
        f"{count} {kind.replace('_', ' ')}"
        for kind, count in sorted(kinds.items())
        if kind not in _IMPORTED_KINDS
    ]
    reasons = [f"{count} {why}" for why, count in sorted(skipped.items())]
    pages = f"{counted(kinds.total(), 'page')}" + (f" ({', '.join(others)})" if others else "")
    left = f"{skipped.total()} skipped" + (f": {', '.join(reasons)}" if reasons else "")
    return f"{counted(replayed.responses, 'response')} in WARC files: {pages}; {left}."
