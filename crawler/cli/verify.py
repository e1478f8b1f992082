"""`alsoread verify`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from crawler.cli.options import data_folder, json_flag, reports_errors
from crawler.exit_codes import ALARMS
from crawler.reports.terminal import print_json
from crawler.text import counted, escape_controls
from pipelines.archive.lock import is_locked
from pipelines.verifying.findings import Finding


@click.command()
@data_folder
@click.option("--repair", "with_repair", is_flag=True, help="Repair what can be repaired; deletes nothing.")
@json_flag
@reports_errors
def verify(data: str, with_repair: bool, as_json: bool) -> None:
    """Check the archive's integrity.

    The exit code is 1 if something is wrong.

    \b
    Examples:
      alsoread verify
      alsoread verify --repair --data archives/blogs
    """
    from pipelines.verifying import verify as verifying

    folder = Path(data)
    is_partial = is_locked(folder / "archive.db") and not with_repair
    if is_partial and not as_json:
        click.echo("alsoread: A crawl is running; skipped what it wrote in the last minute.", err=True)
    repaired: list[Finding] = []
    left: list[Finding] = []
    if with_repair:
        for finding in verifying.repair(folder):
            repaired.append(finding)
            if not as_json:
                click.echo(escape_controls(f"Repaired: {finding.where}: {finding.what}"))
    for finding in verifying.verify(folder):
        left.append(finding)
        if not as_json:
            click.echo(escape_controls(f"{finding.where}: {finding.what}; fix: {finding.hint}"))
    exit_code = ALARMS if left else 0
    if as_json:
        result = {"mended": _as_dicts(repaired), "found": _as_dicts(left), "is_partial": is_partial}
        print_json({**result, "exit_code": exit_code})
    else:
        click.echo(f"{data}: {_conclusion(len(repaired), len(left))}.")
    sys.exit(exit_code)


def _as_dicts(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [{"where": finding.where, "what": finding.what, "mend": finding.hint} for finding in findings]


def _conclusion(repaired: int, left: int) -> str:
    conclusion = counted(left, "finding") if left else "no errors"
    return f"{conclusion}, {repaired:,} repaired" if repaired else conclusion
