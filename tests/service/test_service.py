"""The service with real processes and crawls: starts, missed starts, signals, memory."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest

from crawler.service.schedule import last_crawl
from pipelines.archive.catalog import Catalog
from tests.site import SEED, Site
from tests.support import commands
from tests.support.hostile import Hostile
from tests.support.interrupting import SILENT, wait_for
from tests.support.processes import resident
from tests.support.scheduling import archive_with_a_crawl, ended, limited, line_with, service
from tests.support.webhook import Told

DAY = timedelta(days=1)


def test_once_runs_a_crawl_only_if_one_is_due(run: commands.Run, tmp_path: Path) -> None:
    data = Path(shutil.copytree(run.data, tmp_path / "data"))
    args = ("--once", "--every", "1d", "--")
    code, out, _ = ended(data, *args)
    assert (code, "Nothing is due. The next crawl: " in out, len(out.splitlines())) == (0, True, 1)
    with Site(run.site.root) as site:
        code, out, err = ended(data, *args, SEED, "--connect-to", site.url, ahead=3 * DAY)
    assert (code, err) == (0, "")
    assert "Missed 3 scheduled crawls since crawl 1; one makes up for all." in out
    assert "Crawl 2 ended with exit code 0: all well." in out
    assert "Search index: " in out, "the archive is maintained"
    assert len(run.db.execute("SELECT * FROM crawls").fetchall()) == 1
    code, out, _ = ended(data, *args, ahead=3 * DAY)
    assert (code, "Nothing is due." in out) == (0, True)


def test_a_killed_crawl_is_reported_and_resumed(tmp_path: Path) -> None:
    with Told() as webhook, Hostile() as server:
        (tmp_path / "alsoread.toml").write_text(f'[notify]\nurls = ["{webhook.url}"]\n')
        with service(
            tmp_path, "--once", "--every", "1d", "--", SILENT, "--connect-to", server.url
        ) as running:
            wait_for(lambda: "/silent/" in {hit.target for hit in server.hits})
            crawl = last_crawl(tmp_path)
            assert crawl
            os.kill(crawl.pid, signal.SIGKILL)
            out, err = running.communicate(timeout=30)
        assert running.returncode == 128 + signal.SIGKILL
        assert "Crawl 1 was killed by SIGKILL." in out
        assert err == "alsoread: Crawl 1 was killed by SIGKILL.\n"
        assert [message["title"] for message in webhook.messages] == [
            "alsoread: a scheduled run needs attention"
        ]
        assert webhook.messages[0]["message"].startswith("Crawl 1 was killed by SIGKILL.\nArchive: ")
    _, out, _ = ended(tmp_path, "--every", "1d", "--next", "1")
    assert out.endswith("  Crawl 1 was interrupted; the next one resumes it.\n")


def test_a_crawl_that_can_not_start_is_reported(tmp_path: Path) -> None:
    other = Catalog(tmp_path / "archive.db", scope=[], retry_delays=[])
    other.begin_crawl()
    code, out, err = ended(tmp_path, "--once", "--every", "1d", "--", SEED, ahead=2 * DAY)
    other.end_crawl("finished")
    other.close()
    assert code == 5
    assert "The crawl ended with exit code 5: another crawl or program holds the archive." in out
    assert "is locked by crawl 1" in err
    assert "Search index" not in out, "a locked archive is not waited for"


def test_a_signal_ends_a_waiting_service(tmp_path: Path) -> None:
    archive_with_a_crawl(tmp_path)
    with service(tmp_path, "--every", "1h") as running:
        line_with(running, "The next crawl: ")
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=20)
    assert (running.returncode, err) == (0, "")
    assert out.endswith("  Stopping.\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_a_signal_ends_the_crawl_and_then_the_service(
    network: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with (
        Site(network) as site,
        service(tmp_path, "--every", "1h", "--", SEED, "--connect-to", site.url) as running,
    ):
        wait_for(lambda: len(site.log) > 8)
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (11, "")
    assert "Crawl 1 ended with exit code 11: interrupted." in out
    last = last_crawl(tmp_path)
    assert last
    assert last.outcome == "shutdown"


def test_one_crawl_at_a_time_and_two_signals_end_it_at_once(tmp_path: Path) -> None:
    with Hostile() as server:
        args = ("--every", "1s", "--", SILENT, "--connect-to", server.url)
        with service(tmp_path, *args) as running:
            line_with(running, "Skipped a scheduled crawl: the previous one is still running.")
            wait_for(lambda: "/silent/" in {hit.target for hit in server.hits})
            running.send_signal(signal.SIGTERM)
            log = next(tmp_path.glob("logs/*.log"))
            wait_for(lambda: "Interrupted: " in log.read_text())
            running.send_signal(signal.SIGTERM)
            out, err = running.communicate(timeout=10)  # the page would delay it by 30 seconds
    assert (running.returncode, err) == (13, "")
    assert "Crawl 1 ended with exit code 13: interrupted twice, and stopped at once." in out
    assert "Crawl 2" not in out


def test_starts_missed_while_the_machine_was_asleep_are_made_up_for_once(tmp_path: Path) -> None:
    """A stopped process stands in for a machine asleep. Its crawls take no time."""
    service = """if True:
        import sys; from datetime import timedelta; from pathlib import Path
        from crawler.service.schedule import Plan; from crawler.service.service import serve
        from crawler.service.child import CrawlRunner, print_line
        class Quick(CrawlRunner):
            def run(self):
                print_line("A crawl.")
        serve(Plan(timedelta(seconds=0.5)), Quick(Path(sys.argv[1]), []))"""
    command = [sys.executable, "-c", service, str(tmp_path)]
    with limited(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as running:
        line = ""
        while "Missed" not in line:  # if it was stopped in mid-crawl, it skips one
            line_with(running, "The next crawl: ")
            running.send_signal(signal.SIGSTOP)
            until = monotonic() + 2
            wait_for(lambda until=until: monotonic() > until)  # type: ignore[misc]
            running.send_signal(signal.SIGCONT)
            line = line_with(running, ":")
        missed = re.search(
            r"Missed (\d+) scheduled crawls while the machine was asleep; running one now\.", line
        )
        assert missed
        assert int(missed[1]) >= 3
        line_with(running, "A crawl.")


@pytest.mark.long
def test_the_service_needs_little_memory(network: Path, tmp_path: Path) -> None:
    """Over three runs; bench/service.py measures 200."""
    with Site(network) as site:
        options = (SEED, "--max-pages", "1", "--recrawl", "none", "--discover", "links")
        args = ("--every", "1s", "--", *options, "--connect-to", site.url)
        with service(tmp_path, *args, flags=("-X", "importtime")) as running:
            imported = Thread(target=lambda: names.update(modules(running)))
            names: set[str] = set()
            imported.start()
            for number in (1, 2, 3):
                line_with(running, f"Crawl {number} ended with exit code ")
            assert resident(running.pid) < 80
            running.send_signal(signal.SIGTERM)
            imported.join(timeout=30)
    assert "cronsim" in names
    assert not names & {"scrapy", "twisted", "trafilatura"}


def modules(running: subprocess.Popen[str]) -> set[str]:
    """The packages that a program imports until its end, without those of its child processes."""
    assert running.stderr
    modules = (line.rpartition("|")[2].strip() for line in running.stderr if line.startswith("import time:"))
    return {name.partition(".")[0] for name in modules}
