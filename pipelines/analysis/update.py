"""Bring the analyses up to date with the articles, after each command that stores some."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sqlite_utils import Database

from crawler import shutdown
from crawler.errors import AlsoreadError
from pipelines.archive.analyses import count_uncompared
from pipelines.archive.lock import open_locked

if TYPE_CHECKING:
    from pipelines.analysis.near_duplicates import Spread

logger = logging.getLogger(__name__)

_MANY_ARTICLES = 1_000
"""Articles that take seconds to compare."""


def is_installed() -> bool:
    """Return whether the libraries of the analyses are installed."""
    return all(find_spec(library) for library in ("numpy", "rensa", "rustworkx"))


def update_analyses(db: Database, spread: Spread = map) -> None:
    """Update near-duplicates and the graph's measures of an archive that is open for writing, if they are installed.

    `spread`: where texts are prepared to be compared, as by processes of a cluster.

    When a signal comes it ends early; the next update goes on. Raises sqlite3.Error.
    """
    if not is_installed():
        return
    from pipelines.analysis import graph, near_duplicates

    near_duplicates.update(db, spread)
    if not shutdown.is_asked():
        graph.update(db)


def update_archive(
    path: Path,
    say: Callable[[str], object] = logger.info,
    spread: Spread = map,
) -> None:
    """Update the analyses of an archive after a run, by the path of its catalog; `say` hears of a long update.

    `spread` counts for a long one. The run is whole without the analyses: what keeps them from being updated is
    logged, and the next run goes on.
    """
    try:
        with shutdown.noted(), open_locked(path) as db:
            is_long = is_installed() and (count := count_uncompared(db)) >= _MANY_ARTICLES
            if is_long:
                say(f"Comparing {count:,} articles with all others; Ctrl-C leaves the rest to the next run.")
            update_analyses(db, spread if is_long else map)
    except (AlsoreadError, OSError, sqlite3.Error) as error:
        logger.warning("The graph and near-duplicates are not updated: %s", error)
