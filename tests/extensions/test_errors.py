"""A part of the crawl that breaks over a page costs that page's visit, and no more."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from scrapy.exceptions import DropItem

from crawler.items import Visit
from pipelines.archive.connection import open_readonly
from tests.site import SEED, Site

BROKEN = "https://kitchen-notes.techidaily.com/one-pot-lentils/"
DROPPED = "https://kitchen-notes.techidaily.com/tea-time/"

_CRAWL = """
import sys
from crawler.runs.crawl import crawl, settings_with
settings = settings_with({"ALSOREAD_DATA": sys.argv[1], "ALSOREAD_CONNECT_TO": sys.argv[2]})
settings.set("ITEM_PIPELINES", dict(settings["ITEM_PIPELINES"]) | {"tests.extensions.test_errors.Breaks": 50})
sys.exit(crawl([sys.argv[3]], settings).exit_code)
"""


class Breaks:
    """Pipeline: breaks over one page, and drops another."""

    def process_item(self, item: Any) -> Any:
        """The item, in most cases."""
        if isinstance(item, Visit) and item.url == BROKEN:
            raise RuntimeError("a fault of ours")
        if isinstance(item, Visit) and item.url == DROPPED:
            raise DropItem("nobody wants it")
        return item


@pytest.fixture(scope="module")
def states(network: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str | None]]:
    data = tmp_path_factory.mktemp("failsafe")
    with Site(network) as site:
        command = [sys.executable, "-c", _CRAWL, str(data), site.url, SEED]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    with closing(open_readonly(data / "archive.db")) as db:
        pages = db.execute("SELECT url, state, error FROM pages").fetchall()
    return {url: (state, error) for url, state, error in pages}


def test_a_page_that_a_part_breaks_over_says_so(states: dict[str, tuple[str, str | None]]) -> None:
    reason = "internal error; see the log"
    assert states[BROKEN] == ("failed", reason)


def test_a_page_that_is_dropped_says_so(states: dict[str, tuple[str, str | None]]) -> None:
    assert states[DROPPED] == ("failed", "dropped by an item pipeline: nobody wants it")


def test_the_others_are_archived(states: dict[str, tuple[str, str | None]]) -> None:
    assert states[SEED] == ("stored", None)
    assert "due" not in {state for state, _ in states.values()}
