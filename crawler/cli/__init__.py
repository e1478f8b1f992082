"""The `alsoread` command: a module for each kind of task."""

from __future__ import annotations

import click

from crawler.cli.crawl import crawl
from crawler.cli.look import diff, extract, history, show, status


@click.group()
@click.version_option(package_name="alsoread")
def main() -> None:
    """Follow the also-read graph of the techidaily blogs and archive every article exactly."""


for command in (crawl, status, show, history, diff, extract):
    main.add_command(command)
