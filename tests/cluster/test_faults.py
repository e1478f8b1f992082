"""A crawl on a cluster loses nothing when its processes end: kills, stops, and the end of the whole cluster."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from time import sleep

import pytest

from crawler.urls import canonical
from tests.site import SEED, Site
from tests.site.server import Reply
from tests.support.archives import damage, differences, disorder
from tests.support.clusters import COORDINATOR, SHARED, WORKER, Cluster, ray_cluster
from tests.support.commands import Run, alsoread
from tests.support.killing import WELL, Start, gets_to, last_words
from tests.support.originals import misread

pytestmark = pytest.mark.long

_LEASE_SECONDS = "8"
"""Longer than the coordinator takes to start anew."""
_DELAY = ("--delay", "0.25")
"""Makes the crawl of the demo network last for some seconds."""
Fault = Callable[[Cluster, Random], None]


def kill_worker(cluster: Cluster, random: Random) -> None:
    _kill(random.choice(cluster.wait_for(WORKER)))


def kill_coordinator(cluster: Cluster, _: Random) -> None:
    """Kill the coordinator; what the workers have then is not lost."""
    _kill(cluster.wait_for(COORDINATOR)[0])
    cluster.wait_for(COORDINATOR)


def stop_worker(cluster: Cluster, random: Random) -> None:
    """Stop a worker for longer than its lease."""
    worker = random.choice(cluster.wait_for(WORKER))
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGSTOP)
        sleep(float(_LEASE_SECONDS) + 1)
        os.kill(worker, signal.SIGCONT)


_SOME = [kill_worker, kill_coordinator, stop_worker]


@pytest.mark.parametrize(
    ("faults", "toml"),
    [
        pytest.param(_SOME, "", id="some"),
        pytest.param(_SOME * 2, SHARED, id="some, of workers that write the records"),
        pytest.param([kill_worker] * 30 + [kill_coordinator] * 5 + [stop_worker] * 2, "", id="many"),
    ],
)
def test_nothing_is_lost(
    network: Path,
    tmp_path: Path,
    run: Run,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    faults: list[Fault],
    toml: str,
) -> None:
    monkeypatch.setenv("ALSOREAD_LEASE_SECONDS", _LEASE_SECONDS)
    random = Random(len(faults))  # noqa: S311 - nothing is to be kept secret
    random.shuffle(faults := faults.copy())
    delay = ("--delay", "3" if len(faults) < 10 else "5")
    start = Start([SEED], [*cluster.options(2), *delay])
    data = _data(tmp_path, toml)
    with Site(network) as site:
        crawl = start(site, data)
        for number, fault in enumerate(faults, 1):
            if not gets_to(50 * number // (len(faults) + 1), crawl, data):
                break
            fault(cluster, random)
            assert damage(data) == []
        else:
            number += 1
        said = last_words(crawl)
    assert (crawl.returncode in WELL, said) == (True, "")
    assert number == len(faults) + 1, "all faults came before the end"
    assert differences(run.data, data) == []
    assert disorder(data) == []
    assert misread(data) == []
    asked = Counter(_pages(site))
    assert asked.keys() == _asked_by(run)
    (log,) = data.glob("logs/*.log")
    in_flight = sum(map(int, re.findall(r"(\d+) pages? given out again", log.read_text())))
    assert asked.total() - len(asked) <= in_flight


def test_a_coordinator_with_very_many_seeds_starts_anew(
    network: Path, tmp_path: Path, cluster: Cluster
) -> None:
    """Ray keeps large arguments of an actor elsewhere than small ones."""
    seeds = tmp_path / "seeds.txt"
    names = Random(1)  # noqa: S311 - that can't be compressed much
    seeds.write_text("".join(f"{SEED}{names.randbytes(60).hex()}/\n" for _ in range(2_000)))
    data = _data(tmp_path, "")
    options = (*cluster.options(1), "--max-pages", "30", "--delay", "0.2", "--discover", "links")
    with Site(network) as site:
        crawl = Start([str(seeds)], [*options])(site, data)
        assert gets_to(5, crawl, data)
        _kill(cluster.wait_for(COORDINATOR)[0])
        said = last_words(crawl)
    assert (crawl.returncode in WELL, said) == (True, "")
    with closing(sqlite3.connect(data / "archive.db")) as db:
        query = "SELECT sum(fetched_at NOT NULL), count(*) FROM pages"
        assert db.execute(query).fetchone() == (30, 2_000)


@pytest.mark.parametrize("toml", ["", SHARED])
def test_the_end_of_the_cluster_interrupts_and_the_same_command_resumes(
    network: Path, tmp_path: Path, run: Run, toml: str
) -> None:
    data = _data(tmp_path, toml)
    with Site(network) as site:
        with ray_cluster() as cluster:
            crawl = Start([SEED], [*cluster.options(2), *_DELAY])(site, data)
            assert gets_to(10, crawl, data)
            cluster.kill()
            said = last_words(crawl)
        assert crawl.returncode == 11
        assert said.endswith("alsoread: The Ray cluster is gone; run the same command to resume.\n")
        assert damage(data) == []
        with ray_cluster() as cluster:
            options = (*cluster.options(1), "--quiet", "--connect-to", site.url)
            done = alsoread("crawl", SEED, *options, "--data", data, patience=120)
    assert (done.returncode, done.stderr) == (run.code, "")
    assert differences(run.data, data) == []
    assert disorder(data) == []
    assert misread(data) == []


class Deadly(Site):
    """Kills the worker that asks for a page."""

    path = "/Tea-Time/"
    kills = 0
    cluster: Cluster

    def answer(self, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        if path == self.path:
            self.kills += 1
            for worker in self.cluster.processes(WORKER):
                _kill(worker)
        return super().answer(host, path, headers)


def test_a_page_that_ends_three_workers_is_failed(network: Path, tmp_path: Path, cluster: Cluster) -> None:
    data = tmp_path / "data"
    with Deadly(network) as site:
        site.cluster = cluster
        done = alsoread(
            "crawl", SEED, *cluster.options(1), "--connect-to", site.url, "--data", data, patience=120
        )
    assert done.returncode in WELL, done.stderr
    with closing(sqlite3.connect(data / "archive.db")) as db:
        failed = db.execute("SELECT url, error FROM pages WHERE state = 'failed'").fetchall()
    assert failed == [("https://kitchen-notes.techidaily.com/Tea-Time/", "3 workers ended while they had it")]
    assert site.kills == 3
    assert disorder(data) == []


def test_a_second_crawl_of_an_archive_is_refused(network: Path, tmp_path: Path, cluster: Cluster) -> None:
    data = tmp_path / "data"
    with Site(network) as site:
        slowly = ("--delay", "5")  # it goes on while two other commands start
        crawl = Start([SEED], [*cluster.options(1), *slowly])(site, data)
        assert gets_to(1, crawl, data)
        on_cluster = alsoread("crawl", SEED, *cluster.options(1), "--connect-to", site.url, "--data", data)
        without = alsoread("crawl", SEED, "--connect-to", site.url, "--data", data)
        crawl.send_signal(signal.SIGINT)
        assert last_words(crawl) == ""
    assert crawl.returncode == 11
    assert on_cluster.returncode == without.returncode == 5
    assert on_cluster.stderr == f"alsoread: Another crawl of {data} runs on the cluster.\n"


def _data(folder: Path, toml: str) -> Path:
    """A data folder with settings."""
    data = folder / "data"
    data.mkdir()
    (data / "alsoread.toml").write_text(toml)
    return data


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):  # it has just ended
        os.kill(process, signal.SIGKILL)


def _pages(site: Site) -> list[str]:
    """The pages that were asked for, in order."""
    return [
        canonical(f"https://{request.host}{request.path}")
        for request in site.log
        if not request.path.endswith((".txt", ".xml"))
    ]


def _asked_by(run: Run) -> set[str]:
    return set(_pages(run.site))
