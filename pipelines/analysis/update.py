"""Bring the analyses up to date with the articles, after each command that stores some."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from sqlite_utils import Database

from crawler import shutdown
from crawler.errors import AlsoreadError
from pipelines.archive.analyses import count_uncompared
from pipelines.archive.lock import open_locked

logger = logging.getLogger(__name__)

_MANY_ARTICLES = 1_000
"""Articles that take seconds to compare."""


def is_installed() -> bool:
    """Return whether the libraries of the analyses are installed."""
    return all(find_spec(library) for library in ("numpy", "rensa", "rustworkx"))


def update_analyses(db: Database) -> None:
    """Update near-duplicates and the graph's measures of an archive that is open for writing, if they are installed.

    When a signal comes it ends early; the next update goes on. Raises sqlite3.Error.
    """
    if not is_installed():
        return
    from pipelines.analysis import graph, near_duplicates

    near_duplicates.update(db)
    if not shutdown.is_asked():
        graph.update(db)


def update_archive(path: Path, say: Callable[[str], object] = logger.info) -> None:
    """Update the analyses of an archive after a run, by the path of its catalog; `say` hears of a long update.

    The run is whole without them: what keeps them from being updated is logged, and the next run goes on.
    """
    try:
        with shutdown.noted(), open_locked(path) as db:
            if is_installed() and (count := count_uncompared(db)) >= _MANY_ARTICLES:
                say(f"Comparing {count:,} articles with all others; Ctrl-C leaves the rest to the next run.")
            update_analyses(db)
    except (AlsoreadError, OSError, sqlite3.Error) as error:
        logger.warning("The graph and near-duplicates are not updated: %s", error)
