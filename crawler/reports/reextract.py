"""Re-extraction: what it changes, with samples."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from crawler.items import Article
from crawler.reports.history import print_diff_lines
from crawler.reports.terminal import output
from crawler.runs.reextract import Change, Preview
from crawler.runs.reread import Problem
from crawler.text import counted, escape_controls

_MAX_LISTED = 20
"""Articles that are named one by one."""


def print_preview(preview: Preview) -> None:
    """Print what would change: counts, fields, samples and what would be quarantined."""
    for sample in preview.samples:
        print_diff_lines(sample.diff)
        if sample.more_lines:
            click.echo(f"({counted(sample.more_lines, 'more line')})")
    if preview.changed > len(preview.samples):
        click.echo(f"({counted(preview.changed - len(preview.samples), 'more changed article')})")
    if preview.fields:
        fields = Table("articles", "changed field", box=None, padding=(0, 2), header_style="dim")
        for name in Article.__dataclass_fields__:
            if count := preview.fields[name]:
                fields.add_row(f"{count:,}", name)
        output().print(fields)
        click.echo(f"Words: {_in_words(preview.words)}. Images: {_in_words(preview.images)}.")
    without = ""
    if preview.without_original:
        without = f"; {counted(preview.without_original, 'article has', 'articles have')} no original"
    click.echo(
        f"{counted(preview.changed, 'article')} to change, {len(preview.quarantined):,} to quarantine, "
        f"{preview.unchanged:,} unchanged{without}."
    )


def _in_words(change: Change) -> str:
    return f"{change.gained:,} gained, {change.lost:,} lost"


def print_warnings(preview: Preview, data: str) -> None:
    """Print on standard error which articles are quarantined, and which can't be re-extracted."""
    _print_problems(preview.failures, "can't be re-extracted")
    _print_problems(preview.quarantined, "loses too much; the archived copy is kept")
    if preview.quarantined:
        click.echo(f"To accept one: alsoread accept ADDRESS --data {data}", err=True)


def _print_problems(problems: list[Problem], what: str) -> None:
    for url, reason in problems[:_MAX_LISTED]:
        click.echo(escape_controls(f"Warning: {url} {what}: {reason.rstrip('.')}."), err=True)
    if rest := problems[_MAX_LISTED:]:
        click.echo(f"Warning: the same holds for {counted(len(rest), 'more article')}.", err=True)


def preview_values(preview: Preview) -> dict[str, Any]:
    """Return the same for programs, without the failures."""
    return {
        "changed": preview.changed,
        "unchanged": preview.unchanged,
        "without_original": preview.without_original,
        "fields": dict(preview.fields),
        "words": asdict(preview.words),
        "images": asdict(preview.images),
        "quarantined": [problem._asdict() for problem in preview.quarantined],
        "samples": [
            {"url": sample.url, "diff": "\n".join(sample.diff), "more_lines": sample.more_lines}
            for sample in preview.samples
        ],
    }
