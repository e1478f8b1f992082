"""Commands that write, each with an archive to begin with: for tests that break them off and start them again."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.faults.pages import NEWS, TEXT, page
from tests.support.exports import three_articles
from tests.support.originals import quarantine
from tests.support.rereading import copy_half_read


@dataclass(frozen=True)
class Job:
    """A command over the demo network's archive, and what it begins with."""

    args: Sequence[str]
    begin: Callable[[Path, Path], object] = shutil.copytree
    """Makes the archive that it works on, of the one of a crawl."""
    done: Sequence[int] = (0,)
    """Exit codes of one that is done."""
    noted: bool = False
    """Whether it notes each time that it ran."""

    def command(self, *, site: str, other: Path, data: Path) -> list[str]:
        """What is typed; `other`: the archive of a crawl."""
        return [*(arg.format(site=site, other=other, data=data) for arg in self.args), "--data", str(data)]


def _quarantined(other: Path, data: Path) -> None:
    """Make an archive that has another page of some articles in quarantine."""
    shutil.copytree(other, data)
    quarantine(data, *((url, page(TEXT + NEWS, title=url).encode()) for url in _URLS))


def _damaged(other: Path, data: Path) -> None:
    """Make an archive in which the rows of all articles have lost their titles."""
    shutil.copytree(other, data)
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        db.execute("UPDATE articles SET title = NULL")


_URLS = [
    f"https://paper-crafts.techidaily.com/{slug}/"
    for slug in ("a-box-without-glue", "fold-a-simple-boat", "marbled-paper-at-home")
]
JOBS = {
    "images": Job(["images", "--connect-to", "{site}", "--rate", "20"]),
    "import": Job(["import", "{other}/articles"], lambda _, data: three_articles(data)),
    "import-warc": Job(["import", "{other}/warc"], lambda _, data: three_articles(data)),
    "rebuild": Job(
        ["rebuild"],
        lambda other, data: shutil.copytree(other / "articles", data / "articles"),
        done=(0, 2),  # a catalog that is whole is not made anew
    ),
    "reextract": Job(["reextract"], copy_half_read),
    "merge": Job(["merge", "{other}/archive.db"], lambda _, data: three_articles(data)),
    "export": Job(["export", "{data}-exported", "--for", "hugo"]),
    "wacz": Job(["wacz", "{data}.wacz"], done=(0, 2)),  # what exists is not written again
    "bag": Job(["bag", "{data}-bag"], done=(0, 2)),
    "maintain": Job(["maintain"], noted=True),
    "verify": Job(["verify", "--repair"], _damaged),
    "accept": Job(
        ["accept", *_URLS], _quarantined, done=(0, 2)
    ),  # what was accepted is in quarantine no more
}
