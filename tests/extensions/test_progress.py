"""What a person sees while a crawl runs: at any width, and an estimate that is not too good to be true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.extensions.estimate import Pace
from tests.site import SEED, Site
from tests.support.terminal import Screen, chunks_of

BLOCK_COLUMNS = 39
SLOW = ("--delay", "0.1")


@pytest.mark.parametrize(
    "widths",
    [
        [200, 120, 60, 40],
        *(pytest.param(widths, marks=pytest.mark.long) for widths in ([40], [60], [200], [40, 90])),
    ],
)
def test_the_live_block_fits_and_leaves_nothing_behind(
    network: Path, tmp_path: Path, widths: list[int]
) -> None:
    with Site(network) as site:
        screen, most = Screen(min(widths)), 0
        options = ("--max-pages", "12", "--connect-to", site.url, "--data", str(tmp_path))
        for chunk in chunks_of(("crawl", SEED, *SLOW, *options), widths):
            screen.feed(chunk)
            shown = screen.text
            if "Crawl 1" not in shown:
                most = max(most, shown.count("pages done"))
                assert all(len(line) <= BLOCK_COLUMNS for line in shown.splitlines())
    assert most == 1, "there is one block at any moment"
    assert screen.text.startswith("Crawl 1 finished")
    for word in ("pages done", "queued", "a second", "Starting"):
        assert word not in screen.text


def test_a_word_at_once_and_then_the_counts(network: Path, tmp_path: Path) -> None:
    with Site(network) as site:
        options = ("--max-pages", "12", "--connect-to", site.url, "--data", str(tmp_path))
        chunks = list(chunks_of(("crawl", SEED, *SLOW, *options), [80]))
    assert chunks[0].startswith("Starting\r")
    for word in ("pages done", "queued", "a second", "new", "changed", "gone", "failed"):
        assert word in re.sub(r"\x1b\[[\d;]*m", "", "".join(chunks))


def test_an_error_takes_the_place_of_the_first_word(tmp_path: Path) -> None:
    screen = Screen(200)
    for chunk in chunks_of(("crawl", "no.such.example", "--data", str(tmp_path)), [200]):
        screen.feed(chunk)
    assert screen.text.startswith("alsoread: no.such.example: no such file, and not a host")
    assert "Starting" not in screen.text


def test_in_a_pipe_nothing_is_shown_of_a_short_crawl(network: Path, tmp_path: Path) -> None:
    with Site(network) as site:
        command = [sys.executable, "-m", "crawler", "crawl", SEED, "--connect-to", site.url]
        done = subprocess.run(
            [*command, "--data", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
        )
    assert done.stderr == ""


def pace(*samples: tuple[float, int, int]) -> Pace:
    one = Pace()
    for seconds, done, queued in samples:
        one.note(seconds, done, queued)
    return one


@pytest.mark.parametrize(
    ("samples", "queued", "delay", "limit", "growing", "left"),
    [
        ([(1, 5, 0)], {}, 1.0, 4.0, True, None),
        ([(1, 5, 50)], {"a": 50}, 1.0, 4.0, False, None),
        ([(5, 20, 50)], {"a": 50}, 1.0, 4.0, False, "at least 50 s"),
        ([(20, 80, 50), (80, 320, 50)], {"a": 30, "b": 20}, 1.0, 4.0, False, "30 s"),
        ([(20, 80, 500), (80, 320, 420)], {"slow": 420}, 1.0, 4.0, False, "7 min"),
        ([(20, 80, 400), (80, 320, 400)], {str(n): 1 for n in range(400)}, 1.0, 4.0, False, "1 min 40 s"),
        ([(20, 80, 400), (80, 320, 401)], {"a": 401}, 0.0, 0.0, False, "at least 1 min"),
        ([(20, 80, 400), (80, 320, 400)], {"a": 400}, 1.0, 4.0, True, "at least 6 min"),
        ([(20, 80, 400), (80, 80, 400)], {"a": 400}, 1.0, 4.0, False, None),
    ],
)
def test_the_time_left_respects_delays_and_growth(
    samples: list[tuple[float, int, int]],
    queued: dict[str, int],
    delay: float,
    limit: float,
    growing: bool,
    left: str | None,
) -> None:
    estimate = pace(*samples).estimate(queued, lambda _: delay, limit, growing=growing)
    assert (estimate and str(estimate)) == left
