"""`alsoread init` and `alsoread doctor`: begin an archive, and check what it runs on."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from crawler.cli.options import data_folder, json_flag, reports_errors
from crawler.errors import UsageError
from crawler.exit_codes import ALARMS


@click.command()
@data_folder
@reports_errors
def init(data: str) -> None:
    """Make a folder for an archive, with a commented alsoread.toml.

    It asks nothing and fetches nothing. Every option in the file is commented out, so that the defaults hold.

    \b
    Examples:
      alsoread init
      alsoread init --data archives/blogs
    """
    from crawler.config.file import FILE_NAME
    from crawler.config.template import settings_template

    file = Path(data) / FILE_NAME
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(settings_template())
    except FileExistsError:
        raise UsageError(f"{file} exists: it was left as it is.") from None
    option = "" if data == "data" else f" --data {data}"
    click.echo(f"{file} was written: set `contact` in it, so that sites know whom to write to.")
    click.echo(f"Next: alsoread doctor{option}")
    click.echo(f"      alsoread crawl{option}")


@click.command()
@data_folder
@json_flag
@reports_errors
def doctor(data: str, as_json: bool) -> None:
    """Check the machine and the settings that an archive needs.

    Each line has a check (Python, SQLite, disk, clock, DNS, settings), what was found, and what to do where something
    is wrong. The exit code is 1 if anything is.

    \b
    Examples:
      alsoread doctor
      alsoread doctor --json --data archives/blogs
    """
    from crawler.reports.doctor import check, print_checks, print_checks_json

    checks = check(Path(data))
    (print_checks_json if as_json else print_checks)(checks)
    if not all(check.ok for check in checks):
        sys.exit(ALARMS)
