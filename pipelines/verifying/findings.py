"""Findings of an integrity check: what is wrong, where, and how to fix it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database


class Archive(NamedTuple):
    """An archive whose catalog is open: for reading by checks, for writing by repairs."""

    data: Path
    db: Database

    @property
    def root(self) -> Path:
        """The folder of the articles' files."""
        return self.data / "articles"


Repair = Callable[[Archive], None]
"""Repairs a finding in an archive that is open for writing. Raises OSError and sqlite3.Error."""

PUT_FILE = "replace it with the file or folder itself, or remove it: --repair then writes what belongs there"
NO_SOURCE = "nothing else in the archive says what is right"
FILE_IS_MOVED = "the present file is moved to damaged/"
REBUILD = "move archive.db away: `alsoread rebuild` makes a new one from the articles' files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    where: str
    """A file below the archive's folder, an address, or a table with what names its row."""
    what: str
    hint: str
    """How to fix it, for people."""
    repair: Repair | None = None
    """Fixes it; None where the archive does not hold the truth any more."""
