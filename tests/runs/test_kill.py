"""A crawl that is killed at any moment, and begun again, comes to the archive of one that nobody disturbed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from crawler.frontier.requests import MAX_UNSETTLED_PAGES
from tests.site import SEED, Site
from tests.support.archives import damage, differences, disorder
from tests.support.killing import WELL, Start, Undisturbed, gets_to, killed, last_words, undisturbed, visits
from tests.support.originals import misread
from tests.support.processes import descendants

pytestmark = pytest.mark.long

START = Start([SEED], ["--rate", "10"])
"""A pace at which there is something left to kill, also for a test that the machine keeps waiting."""
_REDIRECTS = 4
"""Pages of the network that redirect: a second page is asked for, for the first one's sake."""


@pytest.fixture(scope="module")
def whole(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    crawl = undisturbed(START, network, tmp_path_factory.mktemp("whole"))
    assert [*damage(crawl.data), *disorder(crawl.data)] == []
    return crawl


def test_a_crawl_killed_40_times_ends_with_the_same_archive(
    network: Path, whole: Undisturbed, tmp_path: Path
) -> None:
    runs = list(killed(START, network, tmp_path, whole, kills=40, seed=1))
    assert [fault for run in runs for fault in run.wrong] == []
    assert sum(run.killed for run in runs) == 40
    most = MAX_UNSETTLED_PAGES + _REDIRECTS
    assert max(run.lost for run in runs) <= most, "no more than may be fetched and not stored"
    in_mid_crawl = {run.visits for run in runs if 0 < run.visits < whole.visits}
    assert len(in_mid_crawl) >= 3, "twelve pages are a commit, so there are few such moments"
    assert [*disorder(tmp_path), *differences(whole.data, tmp_path), *misread(tmp_path)] == []


def test_a_crawl_whose_writer_is_killed_ends_and_the_next_one_goes_on(
    network: Path, whole: Undisturbed, tmp_path: Path
) -> None:
    with Site(network) as site:
        crawl = START(site, tmp_path)
        assert gets_to(10, crawl, tmp_path)
        (writer,) = (pid for pid in descendants(crawl.pid) if holds(pid, "archive.db"))
        os.kill(writer, signal.SIGKILL)
        assert last_words(crawl) == ""
        assert crawl.returncode == 6
        assert [*damage(tmp_path), *disorder(tmp_path)] == []
        assert visits(tmp_path) < whole.visits
        again = START(site, tmp_path)
        assert last_words(again) == ""
    assert again.returncode in WELL
    assert [*disorder(tmp_path), *differences(whole.data, tmp_path)] == []


def test_a_crawl_whose_readers_are_killed_goes_on(network: Path, whole: Undisturbed, tmp_path: Path) -> None:
    with Site(network) as site:
        crawl = START(site, tmp_path)
        assert gets_to(10, crawl, tmp_path)
        for process in descendants(crawl.pid):  # also the one that they were forked off
            if not holds(process, "archive.db"):
                os.kill(process, signal.SIGKILL)
        assert last_words(crawl) == ""
    assert crawl.returncode in WELL
    assert [*disorder(tmp_path), *differences(whole.data, tmp_path)] == []


def holds(pid: int, name: str) -> bool:
    return any(file.readlink().name == name for file in Path(f"/proc/{pid}/fd").iterdir())
