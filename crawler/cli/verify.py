"""The commands that look after archives: is one what it should be, and several made one."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from crawler.cli.options import data_folder, reports_errors
from crawler.reports.terminal import print_json
from crawler.text import escape_controls
from pipelines.archive.catalog import hold, is_held
from pipelines.verifying.findings import Finding

_SOMETHING_WRONG = 1


@click.command()
@data_folder
@click.option("--repair", "mend", is_flag=True, help="Mend what can be; nothing is deleted.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@reports_errors
def verify(data: str, mend: bool, as_json: bool) -> None:
    """Look whether the archive is what it should be: exit code 1 where something is wrong."""
    from pipelines.verifying.verify import repair
    from pipelines.verifying.verify import verify as look

    folder = Path(data)
    if is_held(folder / "archive.db") and not mend:
        click.echo("alsoread: A crawl is running: what it wrote in the last minute is passed over.", err=True)
    mended = _told(repair(folder), "Mended: ", as_json) if mend else []
    left = _told(look(folder), "", as_json)
    if as_json:
        print_json({"mended": mended, "found": left})
    elif left:
        click.echo(f"{data}: {_findings(left)}{' left' if mend else ''}.")
    else:
        click.echo(f"{data}: all well{f', {_findings(mended)} mended' if mended else ''}.")
    sys.exit(_SOMETHING_WRONG if left else 0)


@click.command()
@click.argument("others", nargs=-1, required=True, type=click.Path(path_type=Path))
@data_folder
@reports_errors
def merge(others: tuple[Path, ...], data: str) -> None:
    """Take other archives into this one: OTHERS are their archive.db, which are only read."""
    from pipelines.merging.merge import merge as take_in

    folder = Path(data)
    with hold(folder / "archive.db") as db:
        for other in others:
            brought = take_in(db, folder, other)
            parts = ", ".join(f"{count:,} {kind}" for kind, count in brought._asdict().items())
            click.echo(f"{other}: {parts}.")


def _told(findings: Iterable[Finding], kind: str, as_json: bool) -> list[dict[str, Any]]:
    """Each finding as a line where no JSON is wanted; all of them for programs."""
    facts = []
    for finding in findings:
        if not as_json:
            line = f"{kind}{finding.where}: {finding.what}"
            click.echo(escape_controls(line if kind else f"{line}; to mend it: {finding.mend}"))
        facts.append({"where": finding.where, "what": finding.what, "mend": finding.mend})
    return facts


def _findings(facts: list[dict[str, Any]]) -> str:
    return "1 finding" if len(facts) == 1 else f"{len(facts):,} findings"
