"""`alsoread notify`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from crawler.cli.options import data_folder, reports_errors
from crawler.config.file import FILE_NAME, read_config
from crawler.errors import UsageError
from crawler.exit_codes import ALARMS


@click.command()
@data_folder
@click.option("--test", is_flag=True, help="Send a test message to each of notify.urls.")
@reports_errors
def notify(data: str, test: bool) -> None:
    """Test who is notified of runs: send them a message.

    Each address gets a line that says whether it was reached, without its secrets. The exit code is 1 if one was not.

    \b
    Example:
      alsoread notify --test
    """
    from crawler.reports.notify import send_test

    if not test:
        raise click.UsageError("Give --test: notifications of runs are sent by themselves.")
    folder = Path(data)
    urls = read_config(folder)["notify.urls"]
    if not urls:
        raise UsageError(f"{folder / FILE_NAME} has no notify.urls: nobody is notified.")
    sent = list(send_test(urls, folder))
    for sentence, _ in sent:
        click.echo(sentence)
    if not all(reached for _, reached in sent):
        sys.exit(ALARMS)
