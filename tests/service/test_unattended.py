"""Sixty days of scheduled crawls, by a clock set ahead: each fault is notified of on its day, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from click.testing import Result

from crawler import clock
from pipelines.archive.connection import open_readonly
from tests.conftest import DEMO
from tests.site import SEED, Site, build
from tests.site.server import Reply
from tests.support.archives import damage, disorder, files
from tests.support.commands import crawl, here
from tests.support.webhook import Told

pytestmark = pytest.mark.long

DAYS = 60
ASLEEP = range(41, 44)
PUBLISHES = range(3, DAYS, 7)
KITCHEN, SERVER, FIXES, CRAFTS = (
    f"{name}.techidaily.com" for name in ("kitchen-notes", "home-server", "small-fixes", "paper-crafts")
)
THREE_PAGES = r".*https://.+https://.+https://"
NOTICES = {
    1: rf"{CRAFTS} uses a template that is not known",
    9: rf"{FIXES}",
    16: rf"{KITCHEN}{THREE_PAGES}",
    23: rf"{SERVER}{THREE_PAGES}",
    30: rf"{KITCHEN}: it takes 2\.\d seconds to answer",
    37: r"was killed by SIGKILL",
    38: r"Crawl \d+ was killed",
    51: r"before the disk is full",
}
"""What the notice of a day says; other days have none."""


class Network(Site):
    """The demo network, with hosts that can fail."""

    down = slow = ""
    """The host that answers 503 to everything; the one that answers slowly."""
    kills: Path | None = None
    """The archive whose crawl is killed when it requests an article."""

    def answer(self, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        if host == self.down:
            return Reply(503, {})
        if host == self.slow and path.endswith("/"):
            Event().wait(2.5)
        if self.kills and path.endswith("/") and path != "/":
            with closing(open_readonly(self.kills / "archive.db")) as db:
                os.kill(db.execute("SELECT pid FROM crawls ORDER BY id DESC").fetchone()[0], signal.SIGKILL)
            self.kills = None
        return super().answer(host, path, headers)


class Rehearsal:
    """An archive of the network, and the URL that is notified of its runs."""

    def __init__(self, folder: Path, network: Network, notices: str) -> None:
        self.source, self.network, self.data = folder / "source", network, folder / "data"
        self.notices = notices
        shutil.copytree(DEMO, self.source)
        self.data.mkdir()
        self.configure()

    def configure(self, disk_free: str = "1 MB") -> None:
        (self.data / "alsoread.toml").write_text(
            f'seeds = ["{SEED}"]\n[schedule]\ncron = "17 3 * * *"\n[limits]\ndisk_free = "{disk_free}"\n'
            f'[notify]\nurls = ["{self.notices}"]\n'
        )

    def publish(self, day: int, *changed: Path) -> None:
        """Rebuilds the network; changed posts get a new `updated`."""
        for post in changed:
            text = post.read_text(encoding="utf-8")
            text = re.sub(r"(?m)^(date: .*)(\nupdated: .*)?$", rf"\1\nupdated: {_date(day)}", text, count=1)
            head, end, also_read = text.partition('\n<span class="atpl-alsoreadstyle">')
            post.write_text(f"{head}\n\nDay {day}.\n{end}{also_read}", encoding="utf-8")
        shutil.rmtree(self.network.root)
        build(self.source, self.network.root)

    def posts(self, host: str) -> list[Path]:
        return sorted((self.source / host).glob("*.md"))

    def add(self, day: int) -> None:
        """Adds a post that no other links to: its host's sitemap names it."""
        text = self.posts(FIXES)[0].read_text(encoding="utf-8")
        text = re.sub(r"(?m)^(date|updated): .*$", rf"\1: {_date(day)}", text)
        (self.source / FIXES / f"news-of-day-{day}.md").write_text(text, encoding="utf-8")

    def spoil(self, host: str, old: str, new: str) -> None:
        """Changes a host's pages as a new template would."""
        for page in (self.network.root / host).glob("*/index.html"):
            page.write_text(
                re.sub(old, new, page.read_text(encoding="utf-8"), flags=re.DOTALL), encoding="utf-8"
            )

    def run(self, day: int, monkeypatch: pytest.MonkeyPatch) -> Result:
        """Runs what cron would start on that day; the crawl is a process of its own."""
        monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", str(day * 86400))
        monkeypatch.setattr(clock, "AHEAD", timedelta(days=day))
        return here("schedule", "--once", "--data", self.data, "--", "--connect-to", self.network.url)


def _date(day: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=day):%Y-%m-%d}T08:00:00.000Z"


def prepare_day(rehearsal: Rehearsal, day: int) -> None:
    """Changes the network before the run of a day."""
    network = rehearsal.network
    network.down = FIXES if day == 9 else ""
    network.slow = KITCHEN if day == 30 else ""
    if day in PUBLISHES:
        rehearsal.add(day)
        rehearsal.publish(day, *(rehearsal.posts(host)[day % 5] for host in (KITCHEN, SERVER, FIXES)))
    elif day == 16:
        rehearsal.publish(day, *rehearsal.posts(KITCHEN))
        rehearsal.spoil(KITCHEN, 'class="article-', 'class="entry-')
    elif day == 23:
        rehearsal.publish(day, *rehearsal.posts(SERVER)[:4])
        rehearsal.spoil(
            SERVER, r'(<div class="article-content .*?>).*?(<div class="post-copyright)', r"\1</div>\2"
        )
    elif day == 30:
        rehearsal.publish(day, *rehearsal.posts(KITCHEN)[:6])
    elif day == 37:
        rehearsal.publish(day, *rehearsal.posts(KITCHEN)[:4])
        network.kills = rehearsal.data
    rehearsal.configure(disk_free="900 TB" if day == 51 else "1 MB")


def test_sixty_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    build(DEMO, tmp_path / "network")
    with Network(tmp_path / "network") as network, Told() as webhook:
        rehearsal = Rehearsal(tmp_path, network, webhook.url)
        for day in (day for day in range(1, DAYS + 1) if day not in ASLEEP):
            prepare_day(rehearsal, day)
            before = files(rehearsal.data) if day == 23 else {}
            webhook.messages.clear()
            done = rehearsal.run(day, monkeypatch)
            notice = "\n".join(f"{sent['title']}\n{sent['message']}" for sent in webhook.messages)
            if day in NOTICES:
                assert re.search(NOTICES[day], notice, re.DOTALL), (day, notice, done.output)
                assert done.exit_code != 0
                capfd.readouterr()
            else:
                quiet = ("", 0, "", "")
                assert (notice, done.exit_code, done.stderr, capfd.readouterr().err) == quiet, (
                    day,
                    done.output,
                )
            if day == ASLEEP.stop:
                assert f"Missed {len(ASLEEP) + 1} scheduled crawls" in done.output
            if day == 23:
                assert files(rehearsal.data) == before
    assert damage(rehearsal.data) == []
    assert disorder(rehearsal.data) == []
    anew = crawl(network.root, tmp_path / "anew", SEED)
    assert files(rehearsal.data) == files(anew.data)
