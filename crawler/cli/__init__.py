"""The `alsoread` command line: a module for each kind of task."""

from __future__ import annotations

import click

from crawler.cli.accept import accept
from crawler.cli.article import diff, extract, history, show
from crawler.cli.crawl import crawl
from crawler.cli.export import export
from crawler.cli.images import images
from crawler.cli.import_ import import_, rebuild
from crawler.cli.merge import merge
from crawler.cli.schedule import maintain, schedule
from crawler.cli.status import status
from crawler.cli.verify import verify


@click.group()
@click.version_option(package_name="alsoread")
def main() -> None:
    """Follow the also-read graph of the techidaily blogs and archive every article exactly."""


_COMMANDS = (
    *(crawl, images, schedule, maintain),
    *(status, show, history, diff, accept, extract),
    *(export, import_, rebuild, verify, merge),
)
for command in _COMMANDS:
    main.add_command(command)
