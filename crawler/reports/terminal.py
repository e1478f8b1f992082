"""What a command prints to: a terminal or a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crawler.text import CONTROLS


def output() -> Console:
    """Tables fit a terminal; in a pipe nothing is cut."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 1000)


@contextmanager
def progress(what: str, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error where that is a terminal; told how many are done, and of how many."""
    bar = Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not (shown and sys.stderr.isatty()),
    )
    with bar:
        task = bar.add_task("", total=None)
        yield lambda done, count: bar.update(task, completed=done, total=count)


def print_json(facts: Any) -> None:
    """Print facts for programs, in one line; what would steer a terminal as JSON escapes it."""
    text = json.dumps(facts, ensure_ascii=False)
    print(CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))  # noqa: T201


def minute(stamp: str) -> str:
    """A time of the archive, as a person reads it.

    >>> minute("2024-08-16T04:52:24.115Z")
    '2024-08-16 04:52'
    """
    return stamp[:16].replace("T", " ")
