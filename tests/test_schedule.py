"""`alsoread schedule`: when crawls start, what is made up for, how the service ends. Real processes and crawls."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice
from pathlib import Path
from threading import Thread, Timer
from time import monotonic

import pytest

from bench.service import resident
from crawler.config import Schedule
from crawler.cron import Cron
from crawler.quantities import QuietHours
from crawler.schedule import Plan, Run, last_run
from pipelines.catalog import Catalog
from tests import commands
from tests.hostile import Hostile
from tests.site import SEED, Site
from tests.test_interrupt import SILENT, wait_for

DAY = timedelta(days=1)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def schedule(data: Path, *args: str, ahead: timedelta = timedelta(), zone: str = "UTC") -> list[str]:
    """A service's command, as it is given to the shell."""
    return [
        *environment(ahead, zone),
        sys.executable,
        "-m",
        "crawler",
        "schedule",
        "--data",
        str(data),
        *args,
    ]


def environment(ahead: timedelta, zone: str) -> list[str]:
    return ["env", f"ALSOREAD_CLOCK_OFFSET={ahead.total_seconds()}", f"TZ={zone}"]


def ended(data: Path, *args: str, ahead: timedelta = timedelta(), zone: str = "UTC") -> tuple[int, str, str]:
    """A command's exit code, and what it printed."""
    done = subprocess.run(
        schedule(data, *args, ahead=ahead, zone=zone), capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def limited(running: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is killed at the block's end, or after a minute."""
    limit = Timer(60, running.kill)
    limit.start()
    with running:
        try:
            yield running
        finally:
            limit.cancel()
            running.kill()


def service(
    data: Path, *args: str, flags: tuple[str, ...] = ()
) -> AbstractContextManager[subprocess.Popen[str]]:
    """A service that runs; killed at the end where it did not end itself."""
    command = [sys.executable, *flags, "-m", "crawler", "schedule", "--data", str(data), *args]
    return limited(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))


def line_with(running: subprocess.Popen[str], words: str) -> str:
    """The next line that has the words."""
    assert running.stdout
    for line in running.stdout:
        if words in line:
            return line
    raise AssertionError(f"no line has {words!r}")


def plan(quiet: tuple[QuietHours, ...] = (), **settings: object) -> Plan:
    return Plan.by(Schedule(**settings), quiet)  # type: ignore[arg-type]


def run_of(started_at: datetime, outcome: str | None = "finished", pid: int = 1) -> Run:
    return Run(12, pid, started_at, outcome)


# When


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("17 3 * * 0", ["Sun 29", "Sun 06"]),
        ("17 3 * * 7", ["Sun 29", "Sun 06"]),
        ("17 3 * * 1-5", ["Tue 24", "Wed 25", "Thu 26", "Fri 27", "Mon 30"]),
        ("17 3 * * fri-sun", ["Fri 27", "Sat 28", "Sun 29", "Fri 04"]),
        ("17 3 * * */2", ["Tue 24", "Thu 26", "Sat 28", "Sun 29"]),
        ("17 3 1 * 1", ["Mon 30", "Tue 01", "Mon 07"]),
        ("17 3 1 * *", ["Tue 01", "Fri 01"]),
        ("17 3 29 2 *", ["Tue 29"]),
    ],
)
def test_a_line_means_what_it_means_to_cron(line: str, days: list[str]) -> None:
    starts = Plan(Cron(line).after).starts(NOON)
    assert [f"{start:%a %d}" for start in islice(starts, len(days))] == days


@pytest.mark.parametrize(
    "line",
    ["", "* * * *", "61 * * * *", "* * * * 8", "* * * * 5-1", "* * * * mon;tue", "@daily", "0 0 30 2 *"],
)
def test_a_line_that_is_none(line: str) -> None:
    with pytest.raises(ValueError, match="is no line of a crontab: five fields such as 17 3"):
        Cron(line)


@pytest.mark.parametrize(
    ("day", "starts"),
    [
        (
            "2027-03-27",
            ["Sat 2027-03-27 02:30 CET", "Sun 2027-03-28 03:30 CEST", "Mon 2027-03-29 02:30 CEST"],
        ),
        (
            "2027-10-30",
            ["Sat 2027-10-30 02:30 CEST", "Sun 2027-10-31 02:30 CEST", "Mon 2027-11-01 02:30 CET"],
        ),
    ],
)
def test_the_clock_changes(tmp_path: Path, day: str, starts: list[str]) -> None:
    ahead = datetime.fromisoformat(day).replace(tzinfo=UTC) - datetime.now(UTC)
    archive_with_a_crawl(tmp_path, ahead)
    told = ended(tmp_path, "--cron", "30 2 * * *", "--next", "3", ahead=ahead, zone="Europe/Berlin")
    assert told == (0, "\n".join(starts) + "\n", "")


def archive_with_a_crawl(data: Path, ahead: timedelta = timedelta()) -> None:
    """A crawl that has just ended, so that none is due."""
    code = (
        "import sys; from pathlib import Path; from pipelines.catalog import Catalog\n"
        "Catalog(Path(sys.argv[1]), scope=[], retry_delays=[]).close('finished', requests={}, received=0)"
    )
    command = [*environment(ahead, "UTC"), sys.executable, "-c", code, str(data / "archive.db")]
    subprocess.run(command, check=True)


def test_a_start_is_put_off_by_a_part_of_the_jitter_and_comes_once() -> None:
    daily = plan(cron="17 3 * * *", jitter=timedelta(minutes=20))
    due = daily.after(NOON)
    starts = {daily.start_after(NOON) for _ in range(100)}
    assert len(starts) > 1
    assert all(due <= start < due + timedelta(minutes=20) for start in starts)
    assert {daily.after(start) for start in starts} == {due + DAY}


def test_a_start_in_quiet_hours_waits_for_their_end_and_comes_once() -> None:
    local = NOON.astimezone()
    quiet = QuietHours((local + timedelta(hours=1)).time(), (local + timedelta(hours=5)).time())
    starts = plan((quiet,), every=timedelta(hours=2)).starts(NOON)
    assert [(start - NOON) / timedelta(hours=1) for start in islice(starts, 3)] == [5, 7, 9]
    assert plan((quiet,), every=DAY).first_start(None, NOON + timedelta(hours=2))[0] == NOON + timedelta(
        hours=5
    )


@pytest.mark.parametrize(
    ("last", "hours", "reason"),
    [
        (None, 0, "There was no crawl yet."),
        (run_of(NOON), 12, ""),
        (run_of(NOON - timedelta(hours=11)), 1, ""),
        (run_of(NOON - timedelta(hours=12)), 0, "1 run was missed after crawl 12: one makes up for all."),
        (run_of(NOON - timedelta(hours=40)), 0, "3 runs were missed after crawl 12: one makes up for all."),
        (run_of(NOON - timedelta(hours=1), "shutdown"), 0, "Crawl 12 was cut short: the next one goes on."),
        (run_of(NOON - timedelta(hours=1), None, 2**22), 0, "Crawl 12 was cut short: the next one goes on."),
        (run_of(NOON - timedelta(hours=1), None, os.getpid()), 11, ""),
        (run_of(NOON - timedelta(hours=1), "time"), 11, ""),
        (run_of(NOON + 999 * DAY), 12, ""),
    ],
)
def test_when_the_first_crawl_of_a_service_starts(last: Run | None, hours: int, reason: str) -> None:
    start, why = plan(every=timedelta(hours=12)).first_start(last, NOON)
    assert ((start - NOON) / timedelta(hours=1), why) == (hours, reason)


def test_missed_runs_are_not_counted_for_ever() -> None:
    assert plan(every=timedelta(seconds=1)).missed(NOON, NOON + 999 * DAY) == 1000


def test_an_archive_whose_first_crawl_made_no_table_had_none(tmp_path: Path) -> None:
    assert last_run(tmp_path) is None
    (tmp_path / "archive.db").touch()
    assert last_run(tmp_path) is None


# What a person gives, and is told


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], 'Say when crawls are to start: --cron "17 3 * * *", or --every 12h.'),
        (["--cron", "17 3 * *"], "'17 3 * *' is no line of a crontab"),
        (["--every", "often"], "'often' is no length of time such as 90s, 10 min, 12h or 90 days."),
        (["--every", "0s"], "Say when crawls are to start"),
        (["--every", "1h", "--cron", "1 1 * * *"], "--cron and --every don't go together."),
        (["--every", "1h", "--next", "1", "--once"], "--next and --once don't go together."),
        (["--every", "1h", "--", "--host", "x"], "No such option '--host'"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(tmp_path: Path, args: list[str], said: str) -> None:
    done = commands.here("schedule", "--data", tmp_path, *args)
    assert done.exit_code == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_settings_file_has_a_schedule_and_an_option_wins(tmp_path: Path) -> None:
    archive_with_a_crawl(tmp_path)
    settings = '[schedule]\nevery = "6h"\njitter = "10 min"\n[limits]\nquiet_hours = ["00:00-23:59"]\n'
    (tmp_path / "alsoread.toml").write_text(settings)
    code, out, _ = ended(tmp_path, "--next", "2")
    assert code == 0
    assert [line[-9:] for line in out.splitlines()[:2]] == ["23:59 UTC"] * 2, (
        "each waits for the quiet hours' end"
    )
    assert out.endswith("Each start is put off by up to 0:10:00.\n")
    code, out, _ = ended(tmp_path, "--next", "1", "--cron", "59 23 * * *", "--jitter", "0s")
    assert (code, out[-10:]) == (0, "23:59 UTC\n")


def test_a_damaged_catalog_ends_the_service_at_its_start(tmp_path: Path) -> None:
    (tmp_path / "archive.db").write_text("not a database " * 100)
    code, out, err = ended(tmp_path, "--every", "1h")
    assert (code, out) == (7, "")
    assert "file is not a database" in err


# What runs


def test_once_makes_up_what_is_due_and_no_more(run: commands.Run, tmp_path: Path) -> None:
    data = Path(shutil.copytree(run.data, tmp_path / "data"))
    args = ("--once", "--every", "1d", "--")
    code, out, _ = ended(data, *args)
    assert (code, "Nothing is due. The next crawl: " in out, len(out.splitlines())) == (0, True, 1)
    with Site(run.site.root) as site:
        code, out, err = ended(data, *args, SEED, "--connect-to", site.url, ahead=3 * DAY)
    assert (code, err) == (0, "")
    assert "3 runs were missed after crawl 1: one makes up for all." in out
    assert "Crawl 2 ended with exit code 0: all well." in out
    assert "Search index: " in out, "the archive is maintained"
    assert len(run.db.execute("SELECT * FROM crawls").fetchall()) == 1
    code, out, _ = ended(data, *args, ahead=3 * DAY)
    assert (code, "Nothing is due." in out) == (0, True)


class Told:
    """A web address that is told of alarms."""

    def __enter__(self) -> Told:
        self.messages: list[dict[str, str]] = []
        messages = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"json://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_a_crawl_that_dies_is_told_loudly_and_goes_on_next_time(tmp_path: Path) -> None:
    with Told() as told, Hostile() as server:
        (tmp_path / "alsoread.toml").write_text(f'[notify]\nurls = ["{told.url}"]\n')
        with service(
            tmp_path, "--once", "--every", "1d", "--", SILENT, "--connect-to", server.url
        ) as running:
            wait_for(lambda: "/silent/" in {hit.target for hit in server.hits})
            crawl = last_run(tmp_path)
            assert crawl
            os.kill(crawl.pid, signal.SIGKILL)
            out, err = running.communicate(timeout=30)
        assert running.returncode == 128 + signal.SIGKILL
        assert "Crawl 1 was killed by SIGKILL." in out
        assert err == "alsoread: Crawl 1 was killed by SIGKILL.\n"
        assert [message["title"] for message in told.messages] == ["alsoread: a scheduled run needs a look"]
        assert told.messages[0]["message"].startswith("Crawl 1 was killed by SIGKILL.\nThe archive: ")
    _, out, _ = ended(tmp_path, "--every", "1d", "--next", "1")
    assert out.endswith("  Crawl 1 was cut short: the next one goes on.\n")


def test_a_crawl_that_can_not_begin_is_told(tmp_path: Path) -> None:
    held = Catalog(tmp_path / "archive.db", scope=[], retry_delays=[])
    code, out, err = ended(tmp_path, "--once", "--every", "1d", "--", SEED, ahead=2 * DAY)
    held.close("finished", requests={}, received=0)
    assert code == 5
    assert "The crawl ended with exit code 5: another crawl holds the archive." in out
    assert "is held by crawl 1" in err
    assert "Search index" not in out, "whoever holds the archive is not waited for"


def test_a_service_ends_when_it_has_nothing_to_do(tmp_path: Path) -> None:
    archive_with_a_crawl(tmp_path)
    with service(tmp_path, "--every", "1h") as running:
        line_with(running, "The next crawl: ")
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=20)
    assert (running.returncode, err) == (0, "")
    assert out.endswith("  Stopping.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
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
    last = last_run(tmp_path)
    assert last
    assert last.outcome == "shutdown"


def test_one_at_a_time_and_two_signals_end_it_at_once(tmp_path: Path) -> None:
    with Hostile() as server:
        args = ("--every", "1s", "--", SILENT, "--connect-to", server.url)
        with service(tmp_path, *args) as running:
            line_with(running, "A crawl is due while the last one is still at work: it is left out.")
            wait_for(lambda: "/silent/" in {hit.target for hit in server.hits})
            running.send_signal(signal.SIGTERM)
            log = next(tmp_path.glob("logs/*.log"))
            wait_for(lambda: "Received SIGTERM" in log.read_text())
            running.send_signal(signal.SIGTERM)
            out, err = running.communicate(timeout=10)  # the page would hold it up for 30 seconds
    assert (running.returncode, err) == (13, "")
    assert "Crawl 1 ended with exit code 13: interrupted twice, and stopped at once." in out
    assert "Crawl 2" not in out


def test_what_a_machine_asleep_missed_is_made_up_once(tmp_path: Path) -> None:
    """A process that is stopped knows as little of the time as on a machine asleep. Its crawls take no time."""
    service = """if True:
        import sys; from datetime import timedelta; from pathlib import Path
        from crawler.schedule import Plan; from crawler.service import serve
        from crawler.unattended import Crawls, say
        class Quick(Crawls):
            def crawl(self):
                say("A crawl.")
        serve(Plan(lambda start: start + timedelta(seconds=0.5)), Quick(Path(sys.argv[1]), []))"""
    command = [sys.executable, "-c", service, str(tmp_path)]
    with limited(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as running:
        said = ""
        while "missed" not in said:  # where it was stopped in mid-crawl, it says that a crawl is left out
            line_with(running, "The next crawl: ")
            running.send_signal(signal.SIGSTOP)
            until = monotonic() + 2
            wait_for(lambda until=until: monotonic() > until)  # type: ignore[misc]
            running.send_signal(signal.SIGCONT)
            said = line_with(running, ":")
        assert "missed, as the machine slept: one makes up for all." in said
        assert int(said.split("UTC")[1].split()[0]) >= 3
        line_with(running, "A crawl.")


def test_the_service_is_small(network: Path, tmp_path: Path) -> None:
    """Three runs; that it does not grow over 200 is what bench/service.py shows."""
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
    assert "apscheduler" in names
    assert not names & {"scrapy", "twisted", "trafilatura"}


def modules(running: subprocess.Popen[str]) -> set[str]:
    """The packages that a program imports, to its end; those of the processes that it starts are not told."""
    assert running.stderr
    told = (line.rpartition("|")[2].strip() for line in running.stderr if line.startswith("import time:"))
    return {name.partition(".")[0] for name in told}
