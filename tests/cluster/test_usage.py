"""What a person sees of a cluster: its state, and one sentence where it can't be used."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crawler.cluster.wire import InvalidItem, pack, unpack
from crawler.errors import UsageError
from crawler.frontier.remote import Claim, Report, Supply, Tally
from crawler.items import FoundPages, Visit
from pipelines.archive.records import KeptRecord, KeptRecords, Row
from pipelines.archive.store import Item
from pipelines.archive.warc import Location, with_record
from tests.conftest import ARTICLE
from tests.site import SEED, Site
from tests.support.clusters import Cluster, coordinator
from tests.support.commands import Run, alsoread, here
from tests.support.json_docs import SECTIONS, documented_keys
from tests.support.killing import Start, gets_to, last_words
from tests.support.originals import exchange

VISIT = Visit(url=ARTICLE.url, state="stored", status=200, article=ARTICLE, seconds=1, exchanges=[])

RECORD = Row(SEED, "2026-01-01T00:00:00.000Z", 200, "response", "text/html", "sha1:A")


@pytest.mark.long
def test_the_status_of_a_crawl_that_runs(network: Path, tmp_path: Path, cluster: Cluster) -> None:
    data = tmp_path / "data"
    asked = ("cluster", "status", "--cluster", cluster.address, "--data", data)
    with Site(network) as site:
        crawl = Start([SEED], [*cluster.options(2), "--delay", "3"])(site, data)
        assert gets_to(3, crawl, data)
        shown = alsoread(*asked).stdout
        values = json.loads(alsoread(*asked, "--json").stdout)
        running = (data / "metrics-cluster.prom").read_text(encoding="utf-8")
        crawl.send_signal(signal.SIGINT)
        assert last_words(crawl) == ""
    assert crawl.returncode == 11
    assert re.search(r"^alsoread_cluster_workers\{archive=\".+\"\} 2\.0$", running, re.MULTILINE)
    assert not (data / "metrics-cluster.prom").exists()
    assert re.fullmatch(
        r"Crawl 1: (1 page|(?!1 )\d+ pages) done, \d+ queued, [\d.]+ a second\n"
        r"  workers          2\n"
        r"  hosts leased     [1-9]\n"
        r"  pages leased     \d+, the oldest for [\d.]+ s\n"
        r"  results waiting  \d+\n"
        r"  results fenced   0\n",
        shown,
    )
    assert documented_keys("alsoread cluster status", values) == set(SECTIONS["alsoread cluster status"])
    assert (values["crawl"]["id"], values["cluster"]["workers"]) == (1, 2)
    assert values["crawl"]["pages"] >= 3
    ended = alsoread(*asked, "--json")
    sentence = f"No crawl of {data} runs on the cluster."
    assert (ended.returncode, ended.stderr) == (2, f"alsoread: {sentence}\n")
    assert json.loads(ended.stdout) == {"error": sentence, "exit_code": 2}


@pytest.mark.long
def test_no_cluster_at_the_address(tmp_path: Path, cluster: Cluster) -> None:  # noqa: ARG001 - Ray is there
    done = alsoread("crawl", SEED, "--cluster", "127.0.0.1:1", "--data", tmp_path)
    assert done.returncode == 2
    assert done.stderr == "alsoread: No Ray cluster can be used at 127.0.0.1:1: Connection refused.\n"


def test_ray_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_DEDUP_LOGS_SKIP_REGEX"):
        monkeypatch.setenv(name, "0")  # set for Ray in the process of the command, which is this one
    done = here("reextract", "--dry-run", "--cluster", "127.0.0.1:1", "--data", run.data)
    assert done.exit_code == 2
    assert (
        done.stderr == "alsoread: --cluster needs ray, which is not installed: install alsoread[cluster].\n"
    )


def test_a_worker_of_another_version_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"^Worker 3 runs alsoread 0\.1\.0, the crawl .*: install the same version"
    ):
        asyncio.run(coordinator(tmp_path, tmp_path).admit("3", "0.1.0"))


def test_the_archive_is_on_another_node(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not on the node of the cluster that the crawl was started on"):
        asyncio.run(coordinator(tmp_path, tmp_path / "elsewhere").open())


def test_an_error_that_may_lose_a_lease_ends_the_crawl(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()

    async def take_from_a_broken_catalog() -> tuple[Supply | None, str]:
        crawl = coordinator(tmp_path, tmp_path)
        await crawl.open()
        with closing(sqlite3.connect(tmp_path / "archive.db")) as db:
            db.execute("DROP TABLE pages")
        await crawl.join("1", "first", Claim([], [], {}))
        supply = await crawl.take("1", "first", 1, 8, Report([], {}, Tally({}, 0, 0, {}), []))
        stats = await crawl.close("shutdown")
        return supply, stats["archive/disk_error"]

    supply, error = asyncio.run(take_from_a_broken_catalog())
    assert supply == Supply([], [], [], is_over=True)
    assert "no such table" in error


@pytest.mark.parametrize(
    "item",
    [
        VISIT,
        Visit(url=ARTICLE.url, state="failed", reason="no answer", exchanges=[]),
        FoundPages(pages=[(ARTICLE.url, ARTICLE.updated), (SEED, None)], host="one.techidaily.com"),
        exchange(SEED, b"<p>text</p>"),
        with_record(exchange(SEED, b"<p>text</p>")),
        KeptRecords([KeptRecord(RECORD, Location("alsoread-1.warc.gz", 0, 1))]),
    ],
    ids=lambda item: type(item).__name__,
)
def test_items_arrive_as_they_were_sent(item: Item) -> None:
    assert unpack(pack(item)) == item


@pytest.mark.parametrize(
    "packed",
    [
        ("Visit", ("https://one.techidaily.com/",)),
        ("Visit", (1, *pack(VISIT)[1][1:])),
        ("Path", ("/etc/passwd",)),
        ("FoundPages", ([("https://one.techidaily.com/", "yesterday")], 0, None, False, False, None)),
        ("KeptRecords", ([((*RECORD[:3], "request", *RECORD[4:]), ("alsoread-1.warc.gz", 0, 1))],)),
        None,
    ],
)
def test_what_is_no_item_is_refused(packed: object) -> None:
    with pytest.raises(InvalidItem):
        unpack(packed)  # type: ignore[arg-type]
