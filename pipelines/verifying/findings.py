"""What a check of an archive says: what is wrong, where, and what would mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database


class Archive(NamedTuple):
    """An archive that is open: to be read, or to be mended."""

    data: Path
    db: Database

    @property
    def root(self) -> Path:
        """The folder of the articles' files."""
        return self.data / "articles"


Cure = Callable[[Archive], None]
"""Mends what was found in an archive that is open for writing. Raises OSError and sqlite3.Error."""

PUT_FILE = (
    "put the file or folder itself in its place, or take it away: --repair then writes what belongs there"
)
REBUILD = "move archive.db away: `alsoread rebuild` makes a new one from the articles' files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    where: str
    """A file below the archive's folder, an address, or a table with what names its row."""
    what: str
    mend: str
    """What would mend it, in words."""
    cure: Cure | None = None
    """What mends it; None where the archive does not hold the truth any more."""
