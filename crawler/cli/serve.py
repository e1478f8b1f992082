"""`alsoread serve`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from crawler.cli.options import data_folder, reports_errors
from crawler.errors import UsageError
from pipelines.archive.connection import open_current

_PACKAGES = ("datasette", "nh3", "feedgen", "uvicorn")
"""Packages of the extra `serve` that the server imports."""


@click.command()
@click.option(
    "--bind",
    "address",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to serve at.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8088,
    show_default=True,
    help="Port to serve at; 0 is any that is free.",
)
@click.option(
    "--token",
    metavar="TOKEN",
    envvar="ALSOREAD_SERVE_TOKEN",
    help="Token that browsers have to give; by default none, or a new one where --bind is not loopback.",
)
@data_folder
@reports_errors
def serve(address: str, port: int, token: str | None, data: str) -> None:
    """Show the archive in a browser, and search it.

    On this machine only, unless --bind says otherwise: then with a token. Until Ctrl-C; also while a crawl runs.

    \b
    Examples:
      alsoread serve
      alsoread serve --port 9000 --data archives/blogs
      alsoread serve --bind 0.0.0.0
    """
    catalog = Path(data) / "archive.db"
    open_current(catalog).close()
    try:
        from pipelines.serve import guard, server
        from pipelines.serve.application import build
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _PACKAGES:
            raise
        raise UsageError(f"serve needs {package}, which is not installed: install alsoread[serve].") from None

    from crawler.reports.page.contents import gather
    from crawler.reports.page.render import render

    access = guard.access(address, token)
    with closing(server.listen(address, port)) as listening:
        link = server.url_of(listening)

        def ready() -> None:
            query = f"?token={access.token}" if access.token else ""
            click.echo(f"Serving {link}{query}")
            click.echo("Ctrl-C ends it.")

        server.run(build(catalog, access, lambda db: render(gather(db))), listening, ready)
