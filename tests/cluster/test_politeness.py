"""A crawl on a cluster is as polite as one without: the server's log tells."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest

from tests.site import SEED, Site
from tests.site.server import Reply
from tests.support.clusters import WORKER, Cluster
from tests.support.commands import alsoread
from tests.support.killing import Start, gets_to, last_words

pytestmark = pytest.mark.long

_DELAY_SECONDS = 0.5
_RATE = 10
_JITTER_SECONDS = 0.02
"""What a busy machine may add between two requests that are sent in time."""


class Timed(Site):
    """Notes when each request came; it answers at once."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.came: list[tuple[float, str]] = []

    def answer(self, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        self.came.append((monotonic(), host))
        return super().answer(host, path, headers)


def test_a_host_rests_for_its_delay_also_when_it_goes_to_another_worker(
    network: Path, tmp_path: Path, cluster: Cluster
) -> None:
    data = tmp_path / "data"
    with Timed(network) as site:
        crawl = Start([SEED], [*cluster.options(2), "--delay", str(_DELAY_SECONDS)])(site, data)
        assert gets_to(10, crawl, data)
        with suppress(ProcessLookupError):
            os.kill(cluster.wait_for(WORKER, 2)[0], signal.SIGKILL)
        last_words(crawl)
    times = defaultdict(list)
    for moment, host in site.came:
        times[host].append(moment)
    gaps = [later - moment for came in times.values() for moment, later in pairwise(sorted(came))]
    assert len(gaps) > 50
    # Scrapy varies the delay of a host that has no Crawl-delay, from half of it up.
    assert min(gaps) >= 0.95 * 0.5 * _DELAY_SECONDS


def test_the_rate_holds_for_all_workers_together(network: Path, tmp_path: Path, cluster: Cluster) -> None:
    with Timed(network) as site:
        done = alsoread(
            "crawl",
            SEED,
            *cluster.options(4),
            "--rate",
            str(_RATE),
            "--connect-to",
            site.url,
            "--data",
            tmp_path,
        )
    assert done.returncode == 1, done.stderr
    came = sorted(moment for moment, _ in site.came)
    assert len(came) > 70
    for first, moment in enumerate(came):
        for count, last in enumerate(came[first:], 1):
            assert count <= _RATE * (last - moment + _JITTER_SECONDS) + 1
