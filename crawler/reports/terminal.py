"""Output of commands: text and tables for a terminal or a pipe, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from crawler.text import CONTROLS, escape_controls

_PIPE_WIDTH = 1000
"""Columns of a table in a pipe, where nothing should be cut."""


def output() -> Console:
    """Return a console on standard output whose tables fit the terminal; in a pipe nothing is cut."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def plain(text: str | None, style: str = "") -> Text:
    """Return foreign text for a console: no markup in it is read, no control character reaches the terminal."""
    return Text(escape_controls(text or ""), style=style)


@contextmanager
def progress(label: str, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error if that is a terminal; yields `update(done, total)`."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not (shown and sys.stderr.isatty()),
    )
    with bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON; what would steer a terminal is escaped as JSON escapes it."""
    text = json.dumps(value, ensure_ascii=False)
    print(CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text))  # noqa: T201
