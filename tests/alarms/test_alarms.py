"""What fails in silence is told: in the run where it happens, by host, and never without a cause."""

from __future__ import annotations

import json
import random
import re
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.clock import now
from crawler.items import Article, FoundPages, Quarantine, Visit, iso
from pipelines.alarms.run import hosts_to_judge, judge_run
from pipelines.archive import alarms, host_stats
from pipelines.archive.alarms import Alarm
from pipelines.archive.catalog import Catalog
from pipelines.archive.store import Store
from tests.conftest import ARTICLE, DEMO
from tests.site import SEED, build
from tests.support.commands import Run, crawl, here
from tests.support.originals import quarantine

HOST = "one.techidaily.com"
NO_TEXT = Quarantine("no-text", "0")
KITCHEN, FIXES = "kitchen-notes.techidaily.com", "small-fixes.techidaily.com"


class Days:
    """An archive that is crawled once a day, without a network."""

    def __init__(self, catalog: Catalog, clock: pytest.MonkeyPatch) -> None:
        self.catalog, self.db, self.clock = catalog, catalog.db, clock
        self.db.execute("UPDATE crawls SET outcome = 'finished'")

    def crawl(
        self, *items: Visit | FoundPages, outcome: str = "finished", left: dict[str, int] | None = None
    ) -> list[Alarm]:
        """The next day's run; returns what it told."""
        row = next(self.db.query("SELECT * FROM crawls ORDER BY id DESC LIMIT 1"))
        crawl = row["id"] + 1
        self.clock.setattr("crawler.clock.AHEAD", timedelta(days=crawl))
        started_at = iso(now())
        self.db.table("crawls").insert(row | {"id": crawl, "started_at": started_at, "outcome": outcome})
        store = Store(self.db, self.catalog.data, scope=["techidaily.com"], retry_delays=[], crawl=crawl)
        assert not [result for result in store.commit(items) if isinstance(result, Exception)]
        if outcome != "killed":
            with self.db.atomic():
                judged = hosts_to_judge(self.db, crawl, left or {})
                alarms.insert(self.db, crawl, judge_run(self.db, crawl, judged, whole=True), started_at)
                host_stats.mark_judged(self.db, judged)
        return alarms.of_crawl(self.db, crawl)


@pytest.fixture
def days(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(catalog, monkeypatch)


def read(number: int, host: str = HOST, **changes: Any) -> Visit:
    """A page that was read."""
    values = {name: getattr(ARTICLE, name) for name in Article.__slots__}
    body = "Word by word. " * 30 + str(number)
    article = Article(**values | {"url": f"https://{host}/{number}/", "body": body} | changes)
    return Visit(url=article.url, state="stored", status=200, article=article, seconds=0.1)


def test_few_pages_of_many_are_no_sample_of_a_host_and_are_judged_with_the_next_run(days: Days) -> None:
    days.crawl(*(read(n, host="other.techidaily.com") for n in range(60)))
    listless = [read(n, also_read=[]) for n in range(60)]
    assert days.crawl(*listless[:20], outcome="shutdown", left={HOST: 40}) == []
    (row,) = days.db.query("SELECT * FROM host_runs WHERE host = ? AND NOT judged", [HOST])
    assert row["without_also_read"] == 20
    (alarm,) = days.crawl(*listless[20:40], outcome="time", left={HOST: 20})
    assert alarm.kind == "also_read"
    assert alarm.message == f"{HOST}: 40 of 40 pages have no also-read list; elsewhere it is 0 of 60."
    assert days.crawl(*listless[40:]) == []
    assert not list(days.db.query("SELECT * FROM host_runs WHERE NOT judged"))


def test_an_interrupted_run_that_has_seen_half_of_a_host_judges_it(days: Days) -> None:
    days.crawl(*(read(n, host="other.techidaily.com") for n in range(60)))
    pages = [read(n, also_read=[]) for n in range(20)]
    (alarm,) = days.crawl(*pages, outcome="shutdown", left={HOST: 20})
    assert alarm.kind == "also_read"


def test_what_holds_however_little_was_seen_is_reported_once(days: Days) -> None:
    days.crawl(read(0), FoundPages(pages=[], host=HOST))
    unread = FoundPages(pages=[], host=HOST, unread=True)
    (alarm,) = days.crawl(read(1), unread, outcome="shutdown", left={HOST: 40})
    assert alarm.kind == "sitemap"
    assert days.crawl(read(2), unread) == []


@pytest.mark.long
def test_sixty_quiet_days_with_weekly_bursts_are_silent(days: Days) -> None:
    chance = random.Random(1)  # noqa: S311
    hosts = [f"host-{n}.techidaily.com" for n in range(4)]
    posts = dict.fromkeys(hosts, 20)

    def page(number: int, host: str) -> Visit:
        listless: dict[str, Any] = {"also_read": []} if chance.random() < 0.05 else {}
        return read(number, host, body=f"Text {chance.random()} " * chance.randint(20, 200), **listless)

    for number in range(60):
        items: list[Visit | FoundPages] = []
        for host in hosts:
            new = range(posts[host], posts[host] + (chance.randint(1, 6) if number % 7 == 0 else 0))
            posts[host] = new.stop
            known = (
                range(20) if number == 0 else chance.sample(range(new.start), k=6 if number % 7 == 0 else 1)
            )
            items.append(
                FoundPages(pages=[(f"https://{host}/{n}/", None) for n in range(new.stop)], host=host)
            )
            items += [page(n, host) for n in [*known, *new]]
        items.append(Visit(url=f"https://{hosts[0]}/{number % 20}/", state="failed", reason="no answer"))
        assert days.crawl(*items) == []


def named(number: int) -> FoundPages:
    return FoundPages(pages=[(f"https://{HOST}/{n}/", None) for n in range(number)], host=HOST)


def lost(number: int, **facts: Any) -> Visit:
    return Visit(**{"url": f"https://{HOST}/{number}/", "state": "failed", "reason": "no answer", **facts})


@pytest.mark.parametrize(
    ("items", "kind", "shown"),
    [
        ([FoundPages(pages=[], host=HOST, unread=True)], "sitemap", []),
        ([named(9)], "sitemap", []),
        ([named(0)], "sitemap", []),
        ([lost(n) for n in range(5)], "down", [0, 1, 2]),
        ([read(30), *(lost(n) for n in range(5))], "failures", [0, 1, 2]),
        ([read(30), *(lost(n, state="gone", status=404) for n in range(5))], "gone", [0, 1, 2]),
        ([lost(n, status=200, quarantine=NO_TEXT) for n in range(9, 4, -1)], "quarantine", [5, 6, 7]),
        ([replace(read(n), reason="cut-off: …") for n in (0, 30, 31)], "flagged", [30, 31]),
        ([lost(n, status=200, state="not_article") for n in range(30, 34)], "body", [30, 31, 32]),
        ([read(n, author=None) for n in range(30, 33)], "author", [30, 31, 32]),
        ([read(n, also_read=[]) for n in range(4)], "also_read", [0, 1, 2]),
        ([read(n, author="Lv7") for n in range(4)], "author", [0, 1, 2]),
        ([read(n, extractor="generic") for n in (7, 8)], "template", [7, 8]),
        ([read(n, body="Short.") for n in range(30, 35)], "length", [30, 31, 32]),
        ([read(n, body="Home. " * 90) for n in range(30, 41)], "same_text", [30, 31, 32]),
        ([replace(read(n), seconds=4.0) for n in range(3)], "slow", [0, 1, 2]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_is_told_in_its_run_with_its_pages_and_not_in_the_next(
    days: Days, items: list[Visit | FoundPages], kind: str, shown: list[int]
) -> None:
    assert days.crawl(named(30), *(read(n) for n in range(30))) == []
    (alarm,) = days.crawl(*items)
    assert (alarm.kind, alarm.host) == (kind, HOST)
    assert alarm.pages == tuple(f"https://{HOST}/{n}/" for n in shown)
    assert days.crawl(*items) == []


def test_a_host_that_stopped_to_publish_is_told(days: Days) -> None:
    for week in range(6):
        told = [days.crawl(named(10 + week)) for _ in range(7)]
        assert not any(told)
    told = [days.crawl(named(15)) for _ in range(30)]
    (alarm,) = (alarm for run in told for alarm in run)
    assert (alarm.kind, alarm.host) == ("quiet", HOST)
    assert re.fullmatch(r".* has brought no new page for 2[12] days, longer than ever\.", alarm.message)


def test_a_run_that_was_killed_is_told_and_its_faults_are_judged_by_the_next(days: Days) -> None:
    assert days.crawl(*(read(n) for n in range(10))) == []
    days.crawl(read(1, author=None), outcome="killed")
    told = days.crawl(read(2, author=None))
    assert [(alarm.kind, alarm.message) for alarm in told] == [
        ("killed", "Crawl 3 was killed; this one goes on."),
        ("author", f"{HOST}: 2 of 2 articles read again lost the author."),
    ]
    assert told[1].pages == (f"https://{HOST}/1/", f"https://{HOST}/2/")


@pytest.fixture(scope="module")
def changed(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run in which one host shows no author and date any more, and another one no text."""
    folder = tmp_path_factory.mktemp("changed")
    shutil.copytree(DEMO, folder / "source")
    shutil.copytree(run.data, folder / "data")
    retouch(
        folder / "source",
        FIXES,
        {r".*(published_time|article:author|span class=.name).*\n": "", r".*<strong>Author.*\n": ""},
    )
    retouch(folder / "source", KITCHEN, {r"\{\{ content.html \| safe \}\}": "<p>Loading the text</p>"})
    build(folder / "source", folder / "network")
    with pytest.MonkeyPatch.context() as later:
        later.setenv("ALSOREAD_CLOCK_OFFSET", str(2 * 86400))
        return crawl(folder / "network", folder / "data", SEED)


def retouch(source: Path, host: str, changes: dict[str, str]) -> None:
    """Gives a host a template of its own, and its posts a later date."""
    template = source / "templates" / host
    shutil.copytree(source / "templates" / "redefine", template)
    text = (template / "post.html").read_text(encoding="utf-8")
    for old, new in changes.items():
        text, count = re.subn(old, new, text)
        assert count
    (template / "post.html").write_text(text, encoding="utf-8")
    config = source / host / "_config.yml"
    config.write_text(
        config.read_text(encoding="utf-8").replace("theme: redefine", f"theme: {host}"), encoding="utf-8"
    )
    for post in (source / host).glob("*.md"):
        text = re.sub(
            r"^updated: 2024", "updated: 2025", post.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        post.write_text(text, encoding="utf-8")


def status(data: Path, *args: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(here("status", "--data", data, "--json", *args).stdout)
    return answer


def test_a_template_that_changes_is_told_in_that_run_with_host_field_and_addresses(changed: Run) -> None:
    assert changed.code == 1
    told = {(row["host"], row["kind"]): row for row in status(changed.data)["alarms"] if row["crawl"] == 2}
    assert set(told) == {(FIXES, "author"), (FIXES, "date"), (KITCHEN, "quarantine")}
    assert told[FIXES, "date"]["message"] == f"{FIXES}: 8 of 8 articles read again lost the date."
    for (host, _), row in told.items():
        assert len(row["pages"]) == 3
        assert all(url.startswith(f"https://{host}/") for url in row["pages"])
        assert all(url in changed.out for url in row["pages"])
        assert f"Warning: {row['message']}" in changed.out
        assert "Warning (crawl 2): " in here("status", "--data", changed.data).stdout


def test_no_good_article_is_overwritten_and_the_page_is_kept_to_be_looked_at(run: Run, changed: Run) -> None:
    files = {
        path.relative_to(run.data): path.read_bytes() for path in run.data.glob(f"articles/{KITCHEN}/*.md")
    }
    assert {path: (changed.data / path).read_bytes() for path in files} == files
    failed = {row["url"]: row for row in status(changed.data, "--failed")["pages"]}
    assert len(failed) == len(files) == 10
    assert re.fullmatch(
        r"shrunk: the text shrank from \d+ words to 3; the archived copy is kept", failed[SEED]["error"]
    )
    assert failed[SEED]["quarantined"]
    assert "<p>Loading the text</p>" in here("original", SEED, "--quarantined", "--data", changed.data).stdout
    command = f"alsoread original {SEED} --quarantined --data {changed.data}"
    assert command in here("status", "--data", changed.data, "--failed").stdout


def test_a_page_that_was_looked_at_and_is_right_is_accepted(changed: Run, tmp_path: Path) -> None:
    shutil.copytree(changed.data, tmp_path, dirs_exist_ok=True)
    done = here("accept", SEED, "--data", tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Accepted: {SEED}, now 3 words.")
    assert here("show", SEED, "--data", tmp_path).stdout.endswith("\n\nLoading the text\n")
    assert "-Good bread does not ask for much work." in here("diff", SEED, "--data", tmp_path).stdout
    assert "<p>Loading the text</p>" in here("original", SEED, "--data", tmp_path).stdout
    again = here("accept", SEED, "--data", tmp_path)
    assert again.exit_code == 2
    assert again.stderr == (f"alsoread: {SEED} is not quarantined; see `alsoread status --failed`.\n")


def test_the_pages_of_a_host_are_accepted_together_but_for_those_that_are_no_articles(
    changed: Run, tmp_path: Path
) -> None:
    shutil.copytree(changed.data, tmp_path, dirs_exist_ok=True)
    quarantine(tmp_path, (SEED, b"<html><body></body></html>"))
    done = here("accept", "--host", "kitchen-*", "--data", tmp_path)
    assert (done.exit_code, done.stdout.count("Accepted: ")) == (2, 9)
    assert [row["url"] for row in status(tmp_path, "--failed")["pages"]] == [SEED]
    none = here("accept", "--host", FIXES, "--data", tmp_path)
    assert (none.exit_code, none.stderr) == (2, f"alsoread: No page of {FIXES} is quarantined.\n")


def test_a_kept_page_that_is_no_article_can_not_be_accepted(changed: Run, tmp_path: Path) -> None:
    shutil.copytree(changed.data, tmp_path, dirs_exist_ok=True)
    quarantine(tmp_path, (SEED, b"<html><body></body></html>"))
    done = here("accept", SEED, "--data", tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "has no article with text." in done.stderr


@pytest.mark.long
def test_a_host_that_is_mended_and_the_quiet_runs_after_it_are_silent(
    network: Path, changed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(changed.data, tmp_path, dirs_exist_ok=True)
    for days in (3, 4):
        monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", str(days * 86400))
        run = crawl(network, tmp_path, SEED, "--retry-failed")
        assert (run.code, "Warning" in run.out) == (0, False)
    assert status(tmp_path, "--failed")["pages"] == []
    assert list((tmp_path / "look").rglob("*.html")) == []
