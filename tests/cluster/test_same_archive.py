"""A crawl on a cluster leaves the archive that a crawl without one leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.site import SEED
from tests.support.archives import differences, disorder
from tests.support.clusters import Cluster
from tests.support.commands import Run, crawl

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


@pytest.fixture(scope="session")
def revisited(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo network's archive after a second crawl, a month later."""
    data = tmp_path_factory.mktemp("revisited")
    crawl(network, data, SEED)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ALSOREAD_CLOCK_OFFSET", _LATER)
        return crawl(network, data, SEED, "--recrawl", "all")


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_leaves_the_same_archive(
    network: Path,
    tmp_path: Path,
    run: Run,
    revisited: Run,
    cluster: Cluster,
    workers: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_cluster = cluster.options(workers)
    first = crawl(network, tmp_path / "data", SEED, *on_cluster)
    assert first.code == run.code, first.err
    assert differences(run.data, first.data) == []
    assert disorder(first.data) == []
    assert _pages(first) == _pages(run), "each page is asked for once"
    monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", _LATER)
    again = crawl(network, tmp_path / "data", SEED, "--recrawl", "all", *on_cluster)
    assert again.code == revisited.code, again.err
    assert differences(revisited.data, again.data) == []
    assert disorder(again.data) == []


def test_the_summary_is_the_same(network: Path, tmp_path: Path, cluster: Cluster) -> None:
    with_json = crawl(network, tmp_path / "one", SEED, "--json")
    on_cluster = crawl(network, tmp_path / "two", SEED, "--json", *cluster.options(2))
    one, two = json.loads(with_json.out), json.loads(on_cluster.out)
    assert one.keys() == two.keys()
    assert {name: one.get(name) for name in _SUMMED} == {name: two.get(name) for name in _SUMMED}


def _pages(done: Run) -> list[tuple[str, str]]:
    return sorted(
        (request.host, request.path)
        for request in done.site.log
        if not request.path.endswith((".txt", ".xml"))
    )
