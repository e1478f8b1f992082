"""The command `alsoread export`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.options import (
    NOTHING_CHANGED,
    check_outside,
    data_folder,
    dry_run_flag,
    host_filter,
    json_flag,
    print_result,
    quiet_flag,
    reports_errors,
    since_filter,
    unwinding,
    where_filter,
)
from crawler.errors import UsageError
from crawler.exit_codes import ALARMS
from crawler.reports.terminal import progress
from crawler.text import counted, escape_controls
from pipelines.archive.connection import open_readonly

if TYPE_CHECKING:
    from pipelines.archive.selection import ArticleFilter
    from pipelines.export.plan import Form
    from pipelines.export.source import Source
    from pipelines.export.sync import Result

_FLAVOURS = ("plain", "hexo", "hugo", "jekyll", "obsidian")
_KEPT_REASON = "was not written by export, or changed since"
_MAX_LISTED = 20
"""Files that are named one by one."""


@click.command()
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
@data_folder
@host_filter
@click.option("--tag", "tags", multiple=True, help="Only articles with this tag; repeatable.")
@click.option("--category", "categories", multiple=True, help="Only articles in this category; repeatable.")
@click.option("--author", "authors", multiple=True, help="Only articles by this author; repeatable.")
@since_filter
@click.option("--changed-since", metavar="RUN|DATE", help="Only articles changed in this run or later.")
@click.option("--search", metavar="WORDS", help="Only articles with all these words.")
@click.option("--unique", is_flag=True, help="Only the canonical one of nearly identical articles.")
@where_filter
@click.option(
    "--for",
    "flavour",
    type=click.Choice(_FLAVOURS),
    default="plain",
    show_default=True,
    help="Program that is to read the files.",
)
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
@dry_run_flag("Only show which files would be written and removed.")
@quiet_flag
@json_flag
@reports_errors
def export(target: Path, data: str, quiet: bool, as_json: bool, **options: Any) -> None:
    """Write articles as Markdown with front matter, or as a table.

    An export into the same DIR again writes only what has changed; docs/export.md has the programs.

    \b
    Examples:
      alsoread export blog --for hugo --images
      alsoread export notes --for obsidian --host 'howto.*' --since 2024-01-01
      alsoread export articles.parquet --format parquet
      alsoread export backup.tar.gz --to tar.gz
    """
    from pipelines.export.source import Source

    _check(target, Path(data), options)
    with unwinding(), closing(open_readonly(Path(data) / "archive.db")) as db:
        source = Source(db, _choice(options))
        form = _form(options, Path(data))
        count = source.count + (sum(1 for _ in source.copies()) if options["images"] else 0)
        with progress("Exporting", not quiet and not as_json) as watch:
            result = _export(source, target, form, options, lambda done: watch(done, count))
    exit_code = ALARMS if result.kept else 0
    if as_json:
        _print_json(source.count, result, exit_code, dry_run=options["dry_run"])
    else:
        if not quiet:
            _print_summary(source.count, target, result, options)
        _print_warnings(target, result.kept)
    sys.exit(exit_code)


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
    for name in ("prune", "dry_run"):
        if options[name] and one_file:
            raise click.UsageError(f"--{name.replace('_', '-')} requires a folder as the target.")
    check_outside(target, data)
    if one_file and target.is_dir():
        raise UsageError(f"{target} is a folder: name a file.")
    if not one_file and target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file: name a folder, or choose --to or --format.")


def _choice(options: dict[str, Any]) -> ArticleFilter:
    from pipelines.archive.selection import ArticleFilter

    return ArticleFilter(**{name: options[name] for name in ArticleFilter.__dataclass_fields__})


def _form(options: dict[str, Any], data: Path) -> Form:
    from pipelines.export.plan import Form

    return Form(
        flavour=options["flavour"],
        path=options["path"],
        local={"local": True, "original": False, None: None}[options["links"]],
        images=data / "images" if options["images"] else None,
    )


def _export(
    source: Source, target: Path, form: Form, options: dict[str, Any], watch: Callable[[int], None]
) -> Result:
    from pipelines.export import run

    if options["form"] != "md":
        return run.to_table(source, target, options["form"], watch)
    if options["packed"]:
        return run.to_packed(source, target, form, options["packed"], watch)
    return run.to_folder(
        source, target, form, prune=options["prune"], dry_run=options["dry_run"], watch=watch
    )


def _print_json(articles: int, result: Result, exit_code: int, *, dry_run: bool) -> None:
    counts: dict[str, Any] = {
        "articles": articles,
        "written": len(result.written),
        "unchanged": result.unchanged,
        "removed": len(result.removed),
        "kept": len(result.kept),
    }
    if dry_run:
        counts |= {"to_write": result.written, "to_remove": result.removed}
    print_result(counts, ((path, _KEPT_REASON) for path in result.kept), exit_code)


def _print_summary(articles: int, target: Path, result: Result, options: dict[str, Any]) -> None:
    if options["form"] != "md" or options["packed"]:
        click.echo(f"{counted(articles, 'article')} in {target}.")
        return
    files, removed = counted(len(result.written), "file"), f"{len(result.removed):,}"
    if options["dry_run"]:
        for action, paths in (("write", result.written), ("remove", result.removed)):
            for path in paths:
                click.echo(f"Would {action} {target / escape_controls(path)}")
        click.echo(
            f"{counted(articles, 'article')} in {target}: {files} to write, {result.unchanged:,} unchanged, "
            f"{removed} to remove, {len(result.kept):,} to keep. {NOTHING_CHANGED}"
        )
    else:
        click.echo(
            f"{counted(articles, 'article')} in {target}: {files} written, {result.unchanged:,} unchanged, "
            f"{removed} removed, {len(result.kept):,} kept."
        )


def _print_warnings(target: Path, kept: Sequence[str]) -> None:
    for path in kept[:_MAX_LISTED]:
        click.echo(f"Warning: {target / escape_controls(path)} {_KEPT_REASON}; left as it is.", err=True)
    if kept[_MAX_LISTED:]:
        click.echo(f"Warning: the same holds for {counted(len(kept) - _MAX_LISTED, 'more file')}.", err=True)
