"""What the commands share: the archive's folder, and errors in words."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from crawler.seeds import SeedError
from pipelines.errors import ArchiveError

_DAMAGED = 7

data_folder = click.option(
    "--data", default="data", show_default=True, metavar="DIR", help="The folder of the archive."
)


def told(command: Callable[..., None]) -> Callable[..., None]:
    """Turns an expected error into one sentence and its exit code."""

    @wraps(command)
    def in_words(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (ArchiveError, SeedError) as error:
            click.echo(f"alsoread: {error}", err=True)
            sys.exit(error.exit_code)
        except sqlite3.Error as error:
            click.echo(f"alsoread: The catalog is damaged, or no catalog: {error}.", err=True)
            sys.exit(_DAMAGED)

    return in_words
