"""The command `alsoread export`."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from crawler import shutdown
from crawler.cli.options import data_folder, host_filter, quiet_flag, reports_errors
from crawler.errors import UsageError
from crawler.exit_codes import INTERRUPTED
from crawler.reports.terminal import progress
from crawler.text import counted, escape_controls
from pipelines.archive.connection import open_readonly

_FLAVOURS = ("plain", "hexo", "hugo", "jekyll", "obsidian")
_KEPT = 1
"""Exit code where files were left as they are."""
_MAX_LISTED = 20
"""Files that are named one by one."""


@click.command()
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
@data_folder
@host_filter
@click.option("--tag", "tags", multiple=True, help="Only articles with this tag; repeatable.")
@click.option("--category", "categories", multiple=True, help="Only articles in this category; repeatable.")
@click.option("--author", "authors", multiple=True, help="Only articles by this author; repeatable.")
@click.option("--since", metavar="DATE", help="Only articles published on this day or later.")
@click.option("--changed-since", metavar="RUN|DATE", help="Only articles changed in this run or later.")
@click.option("--search", metavar="WORDS", help="Only articles with all these words.")
@click.option(
    "--where", metavar="SQL", help="Only articles for which this is true; docs/catalog.md lists the columns."
)
@click.option("--for", "flavour", type=click.Choice(_FLAVOURS), default="plain", show_default=True)
@click.option("--path", metavar="TEMPLATE", help="Paths of the files, as '{host}/{date:%Y}/{slug}.md'.")
@click.option(
    "--links",
    type=click.Choice(["local", "original"]),
    help="Whether links between these articles lead from file to file; not for plain by default.",
)
@click.option(
    "--images", is_flag=True, help="Write the archive's copies of pictures too, and show them in the texts."
)
@click.option("--prune", is_flag=True, help="Remove files of articles that are no longer chosen.")
@click.option("--to", "packed", type=click.Choice(["tar.gz", "zip"]), help="Pack all into one file, DIR.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "jsonl", "csv", "parquet"]),
    default="md",
    show_default=True,
    help="Other than md: write a table to the file DIR.",
)
@quiet_flag
@reports_errors
def export(target: Path, data: str, quiet: bool, **options: Any) -> None:
    """Write the archive's articles to DIR as front-matter Markdown that other programs read."""
    from pipelines.export.source import Source

    _check(target, Path(data), options)
    try:
        with shutdown.steps(_interrupt), closing(open_readonly(Path(data) / "archive.db")) as db:
            source = Source(db, _choice(options))
            form = _form(options, Path(data))
            count = source.count + (sum(1 for _ in source.copies()) if options["images"] else 0)
            with progress("Exporting", not quiet) as watch:
                kept = _export(source, target, form, options, lambda done: watch(done, count), quiet)
    except (KeyboardInterrupt, sqlite3.OperationalError):  # as a query ends that a signal interrupts
        if not shutdown.is_asked():
            raise
        click.echo("alsoread: Interrupted; run the same command to resume.", err=True)
        sys.exit(INTERRUPTED)
    for path in kept[:_MAX_LISTED]:
        click.echo(
            f"Warning: {target / escape_controls(path)} was not written by export, or changed since; left as it is.",
            err=True,
        )
    if kept[_MAX_LISTED:]:
        click.echo(f"Warning: the same holds for {counted(len(kept) - _MAX_LISTED, 'more file')}.", err=True)
    sys.exit(_KEPT if kept else 0)


def _interrupt() -> None:
    raise KeyboardInterrupt  # unwinds what is half written


def _check(target: Path, data: Path, options: dict[str, Any]) -> None:
    """Raise where options exclude each other, or the target is not allowed."""
    one_file = options["packed"] or options["form"] != "md"
    if options["form"] != "md":
        for name, value in (
            ("--to", "packed"),
            ("--path", "path"),
            ("--links", "links"),
            ("--images", "images"),
        ):
            if options[value]:
                raise click.UsageError(f"{name} requires --format md.")
        if options["flavour"] != "plain":
            raise click.UsageError("--for requires --format md.")
    if options["prune"] and one_file:
        raise click.UsageError("--prune requires a folder as the target.")
    if target.absolute().resolve().is_relative_to(data.absolute().resolve()):
        raise UsageError(f"{target} is inside the archive {data}: choose another folder.")
    if one_file and target.is_dir():
        raise UsageError(f"{target} is a folder: name a file.")
    if not one_file and target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file: name a folder, or choose --to or --format.")


def _choice(options: dict[str, Any]) -> Any:
    from pipelines.archive.selection import ArticleFilter

    return ArticleFilter(**{name: options[name] for name in ArticleFilter.__dataclass_fields__})


def _form(options: dict[str, Any], data: Path) -> Any:
    from pipelines.export.plan import Form

    return Form(
        flavour=options["flavour"],
        path=options["path"],
        local={"local": True, "original": False, None: None}[options["links"]],
        images=data / "images" if options["images"] else None,
    )


def _export(
    source: Any, target: Path, form: Any, options: dict[str, Any], watch: Callable[[int], None], quiet: bool
) -> list[str]:
    """Run the export, print its summary, and return the files that were left as they are."""
    from pipelines.export import run

    if options["form"] != "md":
        run.to_table(source, target, options["form"], watch)
    elif options["packed"]:
        run.to_packed(source, target, form, options["packed"], watch)
    else:
        result = run.to_folder(source, target, form, prune=options["prune"], watch=watch)
        if not quiet:
            click.echo(
                f"{counted(source.count, 'article')} in {target}: {counted(result.written, 'file')} written, "
                f"{result.unchanged:,} unchanged, {result.removed:,} removed, {len(result.kept):,} kept."
            )
        return result.kept
    if not quiet:
        click.echo(f"{counted(source.count, 'article')} in {target}.")
    return []
