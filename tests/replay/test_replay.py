"""The originals of an archive are shown by pywb, in an environment that is made at the first use."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.site import SEED
from tests.support.browser import Browser, needs_chromium
from tests.support.commands import Run, crawl, here
from tests.support.exports import three_articles

HIDES = "document.querySelector('.preloader').style.display = 'none';"
"""What hides the preloader of a page, where its scripts run to their end."""
FAILS = "anime.timeline();"
"""As in the blogs, where a library is missing that robots.txt keeps out of the archive."""


def environment(cache: Path, **more: str) -> dict[str, str]:
    return os.environ | {"XDG_CACHE_HOME": str(cache)} | more


def command(data: Path, *args: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "crawler", "replay", *args, "--data", str(data)]


@contextmanager
def replayed(data: Path, cache: Path) -> Iterator[str]:
    """Gives the address of a replay, which Ctrl-C ends well."""
    with subprocess.Popen(
        command(data, "--port", "0"), env=environment(cache), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout
            lines = iter(server.stdout)
            address = next(match[1] for line in lines if (match := re.match(r"Serving (\S+),", line)))
            yield address
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=60) == 0
        finally:
            server.kill()


def fetch(url: str) -> str:
    with urlopen(url) as answer:  # noqa: S310 - on loopback
        content: bytes = answer.read()
    return content.decode()


@pytest.mark.long
@needs_chromium
def test_pages_are_shown_with_their_text(network: Path, tmp_path: Path) -> None:
    site = shutil.copytree(network, tmp_path / "site")
    for page in site.rglob("index.html"):
        page.write_text(page.read_text(encoding="utf-8").replace(HIDES, FAILS), encoding="utf-8")
    data = tmp_path / "data"
    assert crawl(site, data, SEED).code == 1
    with replayed(data, tmp_path / "cache") as address, Browser() as browser:
        run = crawl(site, data, SEED, "--recrawl", "all")  # meanwhile
        for url in sorted(run.urls)[:6]:
            text, cover = browser.shown(address + url)
            title, body = run.db.execute("SELECT title, body FROM articles WHERE url = ?", [url]).fetchone()
            assert title in text
            assert max(re.findall(r"[\w ,]+", body), key=len).strip() in text
            assert cover is None
        timemap = fetch(f"{address}timemap/link/{url}")
        visits = re.findall(r'<(\S+)>; rel="memento"', timemap)
        assert len(visits) == 2, "one read, and one that found it unchanged"
        for visit in visits:
            assert title in fetch(visit)
            assert "As fetched on 20" in fetch(visit)
    assert f'<{url}>; rel="original"' in timemap


@pytest.mark.long
def test_an_environment_that_cannot_be_made_leaves_nothing(run: Run, tmp_path: Path) -> None:
    offline = environment(
        tmp_path, PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path)
    )
    done = subprocess.run(command(run.data), env=offline, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert re.fullmatch(
        r"alsoread: pywb can't be installed: .+, and run the same command again\.\n", done.stderr
    )
    assert list((tmp_path / "alsoread").iterdir()) == []


def test_an_archive_without_originals_is_not_served(tmp_path: Path) -> None:
    three_articles(tmp_path)
    done = here("replay", "--data", tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "has no originals" in done.stderr
