"""A crawl on a cluster is as polite as one without: the server's log tells."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import defaultdict
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest

from crawler.frontier.turns import VALID_SECONDS
from tests.site import SEED, Site
from tests.support.clusters import COORDINATOR, WORKER, Cluster
from tests.support.killing import Start, gets_to, last_words

pytestmark = pytest.mark.long

_DELAY_SECONDS = 2
_SLOW = ("--delay", str(_DELAY_SECONDS), "--max-pages", "30")
_RATE = 10
_CONNECTING_SECONDS = 0.02
"""What a busy machine may take longer over one connection than over another."""


def test_a_host_rests_for_its_delay_also_when_it_goes_to_another_worker(
    network: Path, tmp_path: Path, cluster: Cluster
) -> None:
    data = tmp_path / "data"
    with Site(network) as site:
        crawl = Start([SEED], [*cluster.options(2), *_SLOW])(site, data)
        for visits, kind in ((5, WORKER), (10, COORDINATOR), (15, WORKER)):
            assert gets_to(visits, crawl, data)
            with suppress(ProcessLookupError):
                os.kill(cluster.wait_for(kind)[0], signal.SIGKILL)
        last_words(crawl)
    came = defaultdict(list)
    for request in site.log:
        came[request.host].append(request.at)
    gaps = [later - moment for times in came.values() for moment, later in pairwise(sorted(times))]
    assert len(gaps) > 30
    assert min(gaps) >= 0.95 * _DELAY_SECONDS


def test_the_rate_holds_for_all_workers_of_two_crawls(
    network: Path, tmp_path: Path, cluster: Cluster
) -> None:
    """Also when the process ends that shares it out."""
    start = Start([SEED], [*cluster.options(2), "--rate", str(_RATE)])
    one, other = tmp_path / "one", tmp_path / "other"
    with Site(network) as site:
        crawl, beside = start(site, one), start(site, other)
        assert gets_to(15, crawl, one)
        os.kill(cluster.wait_for("SharedRate")[0], signal.SIGKILL)
        assert last_words(crawl) == last_words(beside) == ""
    assert crawl.returncode == beside.returncode == 1
    came = sorted(request.at for request in site.log)
    assert len(came) > 140
    for first, moment in enumerate(came):
        for count, last in enumerate(came[first:], 1):
            assert count <= _RATE * (last - moment + _CONNECTING_SECONDS) + 1


def test_a_share_of_the_rate_that_is_not_given_back_ends_by_itself() -> None:
    pytest.importorskip("ray", reason="ray is not installed (the extra `cluster`)")
    from crawler.cluster.rate import SharedRate

    async def take_three() -> float:
        rate = SharedRate()
        first = await rate.take_share(0)
        await rate.take_share(0)
        began = monotonic()
        await rate.give_back(first)  # it comes too late: the second is in use
        await rate.take_share(0)
        return monotonic() - began

    assert asyncio.run(asyncio.wait_for(take_three(), 30)) > 2 * VALID_SECONDS - _CONNECTING_SECONDS
