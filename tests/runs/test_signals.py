"""Signals at any moment of any command: it ends well, its archive is whole, and the next run does the rest."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from time import monotonic

import pytest

from tests.site import SEED, Site
from tests.support.archives import damage, differences, disorder
from tests.support.commands import Run
from tests.support.exports import files
from tests.support.hostile import Hostile
from tests.support.interrupting import INTERRUPTED, SILENT, faults, interrupt, outcome, start, wait_for
from tests.support.jobs import JOBS, Job
from tests.support.killing import WELL, Start, Undisturbed, undisturbed

START = Start([SEED], ["--rate", "25"])
"""A pace at which there is something left to interrupt."""


@pytest.fixture(scope="module")
def whole(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return undisturbed(START, network, tmp_path_factory.mktemp("whole"))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_a_crawl_that_is_interrupted_25_times_goes_on(
    network: Path, whole: Undisturbed, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - nothing is to be kept secret
    ended = 0
    for point in range(25):
        data = tmp_path / str(ended)
        with Site(network) as site:
            crawl = start("crawl", SEED, *START.options, "--connect-to", site.url, "--data", data)
            interrupted = interrupt(crawl, random, within=whole.seconds, twice=point % 3 > 0)
        assert faults(interrupted, WELL, data) == [], point
        ended += interrupted.code in WELL
    data = tmp_path / str(ended)
    with Site(network) as site:
        crawl = start("crawl", SEED, *START.options, "--connect-to", site.url, "--data", data)
        said, _ = crawl.communicate(timeout=120)
    assert crawl.returncode in WELL, said
    assert [*disorder(data), *differences(whole.data, data)] == []


_INTERRUPTED = """
import signal
from crawler import shutdown
from crawler.cli.options import reports_errors, unwinding
from crawler.reports import terminal

@reports_errors
def command():
    with unwinding():
        eval("signal.raise_signal(signal.SIGINT)")

shutdown.install()
command()
"""
COMMANDS = {**JOBS, "status": Job(["status"])}


@pytest.mark.long
@pytest.mark.parametrize("times", [pytest.param(1, id="once"), pytest.param(8, id="8 times")])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_interrupted_at_any_moment_goes_on(
    run: Run, tmp_path: Path, command: str, times: int
) -> None:
    random = Random(times)  # noqa: S311
    job, whole, data = COMMANDS[command], tmp_path / "whole", tmp_path / "data"

    with Site(run.site.root) as site:

        def begun(data: Path) -> subprocess.Popen[str]:
            return start(*job.command(site=site.url, other=run.data, data=data))

        job.begin(run.data, whole)
        job.begin(run.data, data)
        began = monotonic()
        with begun(whole) as undisturbed:
            said, _ = undisturbed.communicate(timeout=120)
        seconds = monotonic() - began
        assert undisturbed.returncode == 0, said
        for point in range(times):
            # Killed in the first moments of a rebuild, a catalog is none yet.
            twice = point % 2 == 1 and command != "rebuild"
            ended = interrupt(begun(data), random, within=seconds, twice=twice)
            assert faults(ended, job.done, data) == [], point
        with begun(data) as last:
            said, _ = last.communicate(timeout=120)
        assert last.returncode in job.done, said
    assert job.noted or differences(whole, data) == []
    if command == "export":
        assert files(tmp_path / "data-exported") == files(tmp_path / "whole-exported")


def test_a_signal_in_code_that_is_evaluated_has_the_usual_exit_code(tmp_path: Path) -> None:
    """As while a module loads that defines a named tuple. What prints the error is loaded: it evaluates code, too."""
    (tmp_path / "interrupted.py").write_text(_INTERRUPTED, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "interrupted"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        INTERRUPTED,
        "alsoread: Interrupted; run the same command to resume.\n",
    )


def crawl_command(site: Site, data: Path) -> list[str]:
    """Return the command of a crawl of the demo network."""
    return [sys.executable, "-m", "crawler", "crawl", SEED, "--connect-to", site.url, "--data", str(data)]


@pytest.mark.long
def test_a_crawl_whose_readers_are_gone_goes_on_without_them(
    network: Path, whole: Undisturbed, tmp_path: Path
) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with Site(network) as site:
        command = crawl_command(site, tmp_path)
        crawl = subprocess.Popen(command, stdout=theirs, stderr=theirs)
        os.close(theirs)
        assert crawl.wait(60) in WELL
    assert [*disorder(tmp_path), *differences(whole.data, tmp_path)] == []
    (log,) = tmp_path.glob("logs/*.log")
    assert "Traceback" not in log.read_text()


def test_a_crawl_whose_terminal_is_closed_finishes_what_is_under_way(network: Path, tmp_path: Path) -> None:
    terminal, theirs = pty.openpty()
    setsid = shutil.which("setsid") or pytest.skip("setsid is not installed")
    with Site(network) as site:
        command = crawl_command(site, tmp_path)
        with subprocess.Popen(
            [setsid, "--ctty", *command], stdin=theirs, stdout=theirs, stderr=theirs
        ) as crawl:
            os.close(theirs)
            wait_for(lambda: len(site.log) > 8)
            os.close(terminal)
            assert crawl.wait(60) == INTERRUPTED
    assert outcome(tmp_path)[0] == "shutdown"
    assert damage(tmp_path) == []


@pytest.mark.long
def test_a_crawl_that_was_started_with_nohup_survives_its_terminal(network: Path, tmp_path: Path) -> None:
    nohup = shutil.which("nohup") or pytest.skip("nohup is not installed")
    with Site(network) as site:
        crawl = start("crawl", SEED, "--connect-to", site.url, "--data", tmp_path, by=[nohup])
        wait_for(lambda: len(site.log) > 8)
        crawl.send_signal(signal.SIGHUP)
        said, _ = crawl.communicate(timeout=60)
    assert crawl.returncode in WELL, said


@pytest.mark.long
def test_a_stalled_server_holds_an_interrupted_crawl_up_for_a_few_seconds_only(tmp_path: Path) -> None:
    with Hostile() as server:
        crawl = start("crawl", SILENT, "--connect-to", server.url, "--data", tmp_path)
        wait_for(lambda: "/silent/" in {hit.target for hit in server.hits})
        crawl.send_signal(signal.SIGTERM)
        said, _ = crawl.communicate(timeout=20)  # the page would hold it up for 30 seconds
    assert crawl.returncode == INTERRUPTED, said
    assert outcome(tmp_path) == ("shutdown", 0, 0)


def test_a_signal_before_anything_was_done_is_reported(tmp_path: Path) -> None:
    crawl = start("crawl", SILENT, "--data", tmp_path / "data")
    ended = interrupt(crawl, Random(0), within=0, twice=False)  # noqa: S311
    assert (ended.code, ended.signals) == (INTERRUPTED, 1)
    assert ended.said == "alsoread: Interrupted; the archive is in order. Run the same command again.\n"
    assert not (tmp_path / "data").exists()


def test_a_query_that_takes_years_is_interrupted(run: Run, tmp_path: Path) -> None:
    ones, joined = ",".join(["(1)"] * 99), ",".join(f"n AS n{number}" for number in range(9))
    years = f"(WITH n AS (VALUES{ones}) SELECT count(*) FROM {joined})"
    export = start("export", tmp_path / "out", "--data", run.data, "--where", years)
    ended = interrupt(export, Random(1), within=2, twice=False)  # noqa: S311
    assert (ended.code, ended.signals) == (INTERRUPTED, 1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("closed", [1, 2])
def test_a_command_without_an_output_does_its_work(run: Run, closed: int) -> None:
    shell = ["/bin/sh", "-c", f'"$@" {closed}>&-', "sh"]
    with start("status", "--data", run.data, by=shell) as status:
        said, _ = status.communicate(timeout=120)
    assert "Traceback" not in said
    assert status.returncode == 0
