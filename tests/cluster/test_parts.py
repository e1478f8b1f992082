"""A crawl in parts, each with an archive of its own, finds what one crawl finds."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from tests.site import SEED, Site
from tests.support.archives import differences, disorder
from tests.support.clusters import COORDINATOR, Cluster
from tests.support.commands import Run, alsoread, crawl
from tests.support.killing import WELL, Start, gets_to, last_words, visits

pytestmark = pytest.mark.long

_LEASE_SECONDS = "8"
"""Longer than a coordinator takes to start anew, or another part to start."""
_BOTH = ("1/2", "2/2")


@pytest.fixture(scope="session")
def alone(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Crawls the demo network in one, with some options."""

    @cache
    def run(*options: str) -> Run:
        return crawl(network, tmp_path_factory.mktemp("alone"), SEED, *options)

    return run


@pytest.fixture(autouse=True)
def _short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALSOREAD_LEASE_SECONDS", _LEASE_SECONDS)


@pytest.mark.parametrize(
    ("count", "options"),
    [
        (2, ("--discover", "links")),
        (2, ("--discover", "sitemaps")),
        (2, ("--discover", "links", "--max-depth", "2")),
        (3, ()),
    ],
)
def test_parts_make_what_one_crawl_makes(
    network: Path,
    tmp_path: Path,
    alone: Callable[..., Run],
    cluster: Cluster,
    count: int,
    options: tuple[str, ...],
) -> None:
    parts = [f"{number}/{count}" for number in range(1, count + 1)]
    with Site(network) as site:
        _check_ends([_start(site, tmp_path, cluster, part, *options) for part in parts])
    _check_once(site)
    _check_divided(tmp_path)
    _check_merged(alone(*options), tmp_path)


def test_a_coordinator_that_is_killed_changes_nothing(
    network: Path, tmp_path: Path, alone: Callable[..., Run], cluster: Cluster
) -> None:
    with Site(network) as site:
        crawls = [_start(site, tmp_path, cluster, part, "--delay", "1") for part in _BOTH]
        for far in (3, 6):
            assert gets_to(far, crawls[1], tmp_path / "2")
            os.kill(cluster.wait_for(COORDINATOR, 2)[0], signal.SIGKILL)
            cluster.wait_for(COORDINATOR, 2)
        _check_ends(crawls)
    _check_divided(tmp_path)
    _check_merged(alone(), tmp_path)


def test_links_arrive_that_an_earlier_run_found(
    network: Path, tmp_path: Path, alone: Callable[..., Run], cluster: Cluster
) -> None:
    with Site(network) as site:
        _check_ends([_start(site, tmp_path, cluster, "2/2")])
        _check_ends([_start(site, tmp_path, cluster, part) for part in _BOTH])
    _check_once(site)
    _check_divided(tmp_path)
    _check_merged(alone(), tmp_path)


def test_a_part_ends_without_the_others(network: Path, tmp_path: Path, cluster: Cluster) -> None:
    """One that is interrupted, and one that may fetch no more pages, keep no other from its end."""
    with Site(network) as site:
        slow = _start(site, tmp_path, cluster, "1/2", "--delay", "3")
        limited = _start(site, tmp_path, cluster, "2/2", "--max-pages", "5")
        _check_ends([limited])
        assert visits(tmp_path / "2") == 5
        assert gets_to(1, slow, tmp_path / "1")
        other = _start(site, tmp_path, cluster, "2/2", "--delay", "0.2")
        assert gets_to(6, other, tmp_path / "2")
        slow.send_signal(signal.SIGINT)
        assert last_words(slow) == ""
        assert slow.returncode == 11
        _check_ends([other])


def test_a_part_that_runs_already_is_refused(network: Path, tmp_path: Path, cluster: Cluster) -> None:
    with Site(network) as site:
        crawl = _start(site, tmp_path, cluster, "2/2", "--delay", "3")
        assert gets_to(1, crawl, tmp_path / "2")
        options = (*cluster.options(1), "--part", "2/2", "--connect-to", site.url)
        refused = alsoread("crawl", SEED, *options, "--data", tmp_path / "other")
        status = alsoread("cluster", "status", "--cluster", cluster.address, "--data", tmp_path / "2")
        crawl.send_signal(signal.SIGINT)
        assert last_words(crawl) == ""
    assert refused.returncode == 5
    assert refused.stderr == "alsoread: Part 2/2 is crawled on the cluster already, into another archive.\n"
    assert status.stdout.startswith("Crawl 1: ")


def _start(site: Site, folder: Path, cluster: Cluster, part: str, *options: str) -> subprocess.Popen[str]:
    start = Start([SEED], [*cluster.options(1), "--part", part, *options])
    return start(site, folder / part[0])


def _check_ends(crawls: list[subprocess.Popen[str]]) -> None:
    for started in crawls:
        assert last_words(started) == ""
        assert started.returncode in WELL


def _check_once(site: Site) -> None:
    """Each page was asked for once."""
    pages = [request for request in site.log if not request.path.endswith((".txt", ".xml"))]
    asked = Counter((request.host, request.path) for request in pages)
    assert [page for page, times in asked.items() if times > 1] == []


def _check_divided(folder: Path) -> None:
    """Each part asked some hosts, and each host was asked by one part."""
    fetched = [_fetched_hosts(data) for data in folder.iterdir()]
    assert all(fetched)
    assert sum(map(len, fetched)) == len(set().union(*fetched))


def _check_merged(alone: Run, folder: Path) -> None:
    first, *others = sorted(folder.iterdir())
    done = alsoread("merge", *others, "--data", first)
    assert (done.returncode, done.stderr) == (0, "")
    assert differences(alone.data, first) == []
    assert [disorder(data) for data in (first, *others)] == [[]] * (1 + len(others))


def _fetched_hosts(data: Path) -> set[str]:
    with closing(sqlite3.connect(data / "archive.db")) as db:
        return {host for (host,) in db.execute("SELECT host FROM pages WHERE fetched_at NOT NULL")}
