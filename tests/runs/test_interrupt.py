"""Ctrl-C and SIGTERM: once, and what is under way is finished; twice, and the crawl stops where it stands."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site import SEED, Site
from tests.support.hostile import Hostile
from tests.support.interrupting import SILENT, outcome, wait_for


def start(data: Path, server: str, *seeds: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "crawler", "crawl", *seeds, "--data", str(data), "--connect-to", server]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def pages(site: Site) -> list[tuple[str, str]]:
    """What was asked for but robots.txt and sitemaps."""
    return [(sent.host, sent.path) for sent in site.log if not sent.path.endswith((".txt", ".xml"))]


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_once_finishes_what_is_under_way(network: Path, tmp_path: Path, number: signal.Signals) -> None:
    data = tmp_path / "data"
    with Site(network) as site:
        with start(data, site.url, SEED) as crawl:
            wait_for(lambda: len(site.log) > 8)
            crawl.send_signal(number)
            out, err = crawl.communicate(timeout=30)
        assert crawl.returncode == 11
        assert "interrupted after" in " ".join(out.split())
        assert "Traceback" not in err
        assert outcome(data)[:2] == ("shutdown", len(pages(site))), "what was asked for is settled"
        assert outcome(data)[2] < 41
        with start(data, site.url, SEED) as crawl:
            crawl.communicate(timeout=60)
        assert outcome(data)[2] == 41
    assert len(pages(site)) == len(set(pages(site))), "no page was asked for twice"


def test_twice_stops_at_once(tmp_path: Path) -> None:
    with Hostile() as server, start(tmp_path, server.url, SILENT) as crawl:
        wait_for(lambda: "/silent/" in {hit.target for hit in server.hits})
        crawl.send_signal(signal.SIGINT)
        log = next(tmp_path.glob("logs/*.log"))
        wait_for(lambda: "Interrupted: " in log.read_text())
        crawl.send_signal(signal.SIGINT)
        out, err = crawl.communicate(timeout=10)  # the page would hold it up for 30 seconds
    assert crawl.returncode == 13
    assert "stopped at once after" in " ".join(out.split())
    assert "Traceback" not in err
    assert outcome(tmp_path) == ("forced", 0, 0)
