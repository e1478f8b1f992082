"""A crawl on a cluster leaves the archive that a crawl without one leaves."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipelines.archive.warc import FOLDER
from pipelines.archive.warc_index import index_of
from tests.site import SEED
from tests.support.archives import differences, disorder
from tests.support.clusters import SHARED, Cluster
from tests.support.commands import Run, crawl
from tests.support.originals import misread

pytestmark = pytest.mark.long

_LATER = str(30 * 86400)
_SUMMED = (
    "articles",
    "due",
    "new",
    "not_article",
    "gone",
    "refused",
    "failed",
    "alarms",
    "exit_code",
    "outcome",
)
Crawls = tuple[Run, Run]
"""A first crawl, and one that revisits all pages a month later."""


@pytest.fixture(scope="session")
def alone(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Crawls]:
    """Crawls the demo network without a cluster, by a way to discover pages."""

    @cache
    def crawls(discover: str) -> Crawls:
        return _crawl_twice(network, tmp_path_factory.mktemp("alone"), SEED, "--discover", discover)

    return crawls


@pytest.mark.parametrize(
    ("workers", "discover"), [(1, "both"), (2, "both"), (4, "links"), (4, "sitemaps"), (4, "both")]
)
def test_any_number_of_workers_leaves_the_same_archive(
    network: Path,
    tmp_path: Path,
    alone: Callable[[str], Crawls],
    cluster: Cluster,
    workers: int,
    discover: str,
) -> None:
    together = _crawl_twice(network, tmp_path, SEED, "--discover", discover, *cluster.options(workers))
    _check(alone(discover), together)
    assert _pages(together[0]) == _pages(alone(discover)[0]), "each page is asked for once"


@pytest.mark.parametrize("discover", ["links", "sitemaps"])
def test_one_host_gives_the_same_archive(
    network: Path, tmp_path: Path, cluster: Cluster, discover: str
) -> None:
    """The smallest of the network, or of the folder that ALSOREAD_PAGES names, with a folder for each host."""
    sites = Path(os.environ.get("ALSOREAD_PAGES", network))
    host = min(sites.glob("*.*"), key=lambda folder: len(list(folder.iterdir()))).name
    options = (host, "--host", host, "--discover", discover)
    patience = 1200
    alone = _crawl_twice(sites, tmp_path / "alone", *options, patience=patience)
    together = _crawl_twice(sites, tmp_path / "together", *options, *cluster.options(4), patience=patience)
    assert alone[0].urls
    _check(alone, together)


def test_workers_that_write_the_records_leave_the_same_archive(
    network: Path, tmp_path: Path, alone: Callable[[str], Crawls], cluster: Cluster
) -> None:
    together = _crawl_twice(network, tmp_path, SEED, *cluster.options(2), toml=SHARED)
    _check(alone("both"), together)
    for one, other in zip(alone("both"), together, strict=True):
        assert _records(one) == _records(other)
        assert misread(other.data) == []
        assert all(index_of(path).is_file() for path in (other.data / FOLDER).glob("*.warc.gz"))


def test_the_summary_is_the_same(network: Path, tmp_path: Path, cluster: Cluster) -> None:
    with_json = crawl(network, tmp_path / "one", SEED, "--json")
    on_cluster = crawl(network, tmp_path / "two", SEED, "--json", *cluster.options(2))
    one, two = json.loads(with_json.out), json.loads(on_cluster.out)
    assert one.keys() == two.keys()
    assert {name: one.get(name) for name in _SUMMED} == {name: two.get(name) for name in _SUMMED}


def _crawl_twice(network: Path, data: Path, *options: str, patience: float = 60, toml: str = "") -> Crawls:
    (data / "first").mkdir(parents=True)
    (data / "first" / "alsoread.toml").write_text(toml)
    first = crawl(network, data / "first", *options, patience=patience)
    shutil.copytree(first.data, data / "again")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ALSOREAD_CLOCK_OFFSET", _LATER)
        return first, crawl(network, data / "again", *options, "--recrawl", "all", patience=patience)


def _check(alone: Crawls, together: Crawls) -> None:
    for one, other in zip(alone, together, strict=True):
        assert other.code == one.code, other.err
        assert differences(one.data, other.data) == []
        assert disorder(other.data) == []


def _records(done: Run) -> Counter[tuple[Any, ...]]:
    """The records of pages, those of each run by themselves; of others each worker has its own."""
    return Counter(
        done.db.execute(
            """SELECT substr(name, 1, 15), url, status, kind, type, digest FROM warc_records
               JOIN warc_files ON warc_files.id = file WHERE url NOT GLOB '*.[tx][xm][tl]'"""
        )
    )


def _pages(done: Run) -> list[tuple[str, str]]:
    return sorted(
        (request.host, request.path)
        for request in done.site.log
        if not request.path.endswith((".txt", ".xml"))
    )
