"""What the commands share: the archive's folder, and errors in words."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from crawler.config.file import read_config
from crawler.errors import ArchiveError
from crawler.frontier.seeds import SeedError
from crawler.reports.terminal import harmless
from pipelines.archive.storage_errors import explain

data_folder = click.option(
    "--data", default="data", show_default=True, metavar="DIR", help="The folder of the archive."
)


def _loopback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from scrapy.settings import BaseSettings

    from crawler.downloader import handler

    try:
        handler.connect_to(BaseSettings({"ALSOREAD_CONNECT_TO": value}))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


connect_to = click.option(
    "--connect-to", metavar="URL", callback=_loopback, help="A loopback server that stands in for every host."
)


class Quantity(click.ParamType[Any]):
    """An option's value as `parse` reads it, which raises ValueError in a sentence; shown as `name`."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self.parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The parsed value; a usage error where it is none."""
        try:
            return self.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def told(command: Callable[..., None]) -> Callable[..., None]:
    """Turns an expected error into one sentence and its exit code; a mistake in the archive's settings is one."""

    @wraps(command)
    def in_words(*args: Any, **kwargs: Any) -> None:
        try:
            if "data" in kwargs:
                read_config(Path(kwargs["data"]))
            command(*args, **kwargs)
        except (ArchiveError, SeedError) as error:
            click.echo(harmless(f"alsoread: {error}"), err=True)
            sys.exit(error.exit_code)
        except (OSError, sqlite3.Error) as error:
            data = Path(kwargs.get("data", "The catalog"))
            explained = explain(error, data if isinstance(error, OSError) else data / "archive.db")
            click.echo(harmless(f"alsoread: {explained}"), err=True)
            sys.exit(explained.exit_code)

    return in_words
