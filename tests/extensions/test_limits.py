"""What ends a run before its work is done: what it says, its exit code, and that the next run goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.site import SEED, Site, build

DEMO = Path(__file__).parents[2] / "data" / "demo"
SLOW = ["--delay", "0.2"]  # of the demo's hosts, some need more than a second


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    network = tmp_path_factory.mktemp("network")
    build(DEMO, network)
    with Site(network) as site:
        yield site


def settings(data: Path, text: str) -> None:
    data.mkdir(exist_ok=True)
    (data / "alsoread.toml").write_text(text, encoding="utf-8")


def crawl(site: Site, data: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "crawler", "crawl", SEED, *args]
    command += ["--data", str(data), "--connect-to", site.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return done


def hours(start: timedelta, end: timedelta) -> str:
    """Quiet hours around this moment, in local time."""
    now = datetime.now()
    return f'[limits]\nquiet_hours = ["{now + start:%H:%M}-{now + end:%H:%M}"]\n'


@pytest.mark.long
def test_bytes_that_are_spent_and_then_quiet_hours_end_a_run_and_the_next_goes_on(
    site: Site, tmp_path: Path
) -> None:
    settings(tmp_path, '[limits]\nbytes = "20 kB"\n')
    cut = crawl(site, tmp_path, *SLOW)
    assert "Crawl 1 stopped (size limit reached) after" in cut.stdout
    assert cut.returncode in (0, 1)
    asked = len(site.log)

    settings(tmp_path, hours(timedelta(hours=-2), timedelta(hours=2)))
    quiet = crawl(site, tmp_path)
    assert "Crawl 2 stopped (quiet hours) after" in quiet.stdout
    assert (quiet.returncode, len(site.log)) == (0, asked), "nothing was asked for"

    settings(tmp_path, hours(timedelta(hours=2), timedelta(hours=-2)))
    rest = crawl(site, tmp_path, "--json", "--max-time", "0s")
    crawled: dict[str, Any] = json.loads(rest.stdout)
    assert (crawled["crawl"]["outcome"], crawled["articles"], crawled["due"]) == ("finished", 41, 0)


@pytest.mark.long
def test_time_that_is_spent_ends_a_run(site: Site, tmp_path: Path) -> None:
    settings(tmp_path, '[limits]\ntime = "1h"\n')
    done = crawl(site, tmp_path, *SLOW, "--max-time", "0.5 s", "--json")
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["crawl"]["outcome"] == "time", "the option goes over the file"
    assert done.returncode == told["exit_code"] == (1 if told["alarms"] else 0)
    assert 0 < told["articles"] < 41


def test_a_run_ends_before_the_disk_is_full(site: Site, tmp_path: Path) -> None:
    asked = len(site.log)
    settings(tmp_path, '[limits]\ndisk_free = "9000 TB"\n')
    done = crawl(site, tmp_path)
    said = " ".join(done.stdout.split())
    assert "Crawl 1 stopped (disk nearly full) after" in said
    assert "Warning: The run stopped before the disk is full: " in said
    assert " MB are free, 9,000,000,000 MB must stay." in said
    assert (done.returncode, len(site.log)) == (6, asked), "nothing was asked for"


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--max-bytes", "much", '\'much\' is not a size such as "500 MB" or "2 GiB".'),
        ("--max-time", "5", '\'5\' is not a duration such as "10 min" or "12h".'),
    ],
)
def test_a_limit_that_is_none(tmp_path: Path, option: str, value: str, said: str) -> None:
    command = [sys.executable, "-m", "crawler", "crawl", option, value, "--data", str(tmp_path)]
    wide = os.environ | {"COLUMNS": "200"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=wide)
    assert (done.returncode, said in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
