"""Commands that are killed at any moment, and disks that fail at any write: the next run does the rest."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from time import monotonic

import pytest

from tests.archives import damage, differences, disorder, files
from tests.commands import Run
from tests.conftest import ARTICLE
from tests.exports import files as exported
from tests.exports import three_articles
from tests.imports import write
from tests.interrupting import start
from tests.jobs import JOBS
from tests.killing import WELL
from tests.site import SEED, Site

KILLS = 25
"""For each command; `tests/test_kill.py` kills crawls."""
DISK = 6
FAILING = Path(__file__).parent / "failing"


@pytest.mark.long
@pytest.mark.parametrize("command", JOBS)
def test_a_command_that_is_killed_at_any_moment_goes_on(run: Run, tmp_path: Path, command: str) -> None:
    random = Random(command)  # noqa: S311 - nothing is to be kept secret
    job, whole, killed = JOBS[command], tmp_path / "whole", 0
    with Site(run.site.root) as site:

        def begin(data: Path) -> subprocess.Popen[str]:
            return start(*job.command(site=site.url, other=run.data, data=data))

        def finish(data: Path) -> None:
            with begin(data) as process:
                said, _ = process.communicate(timeout=120)
            assert process.returncode in job.done, said

        job.begin(run.data, whole)
        began = monotonic()
        finish(whole)
        seconds = monotonic() - began
        for point in range(KILLS):
            data = tmp_path / str(point)
            job.begin(run.data, data)
            with begin(data) as process:
                try:
                    process.wait(random.uniform(seconds / 4, seconds))
                except subprocess.TimeoutExpired:
                    # Its processes go on for a moment where it is killed alone.
                    (os.killpg if random.random() < 0.5 else os.kill)(process.pid, signal.SIGKILL)
                process.communicate(timeout=120)
            killed += process.returncode == -signal.SIGKILL
            assert damage(data) == [], point
            finish(data)
            assert job.noted or differences(whole, data) == [], point
            assert exported(data.with_name(f"{point}-exported")) == exported(tmp_path / "whole-exported")
    assert killed >= KILLS // 5


def failing(at: int, error: str, count: Path, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """A command whose writes fail from number `at` on; 0 only counts them."""
    count.unlink(missing_ok=True)
    env = {"FAILING_COUNT": str(count), "FAILING_AT": str(at), "FAILING_WITH": error}
    path = os.pathsep.join([str(FAILING), str(Path(__file__).parents[1])])
    return subprocess.run(
        [sys.executable, "-m", "crawler", *map(str, args)],
        env=os.environ | env | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def site(network: Path) -> Iterator[Site]:
    with Site(network) as site:
        yield site


def prepare(command: str, folder: Path) -> list[str]:
    """Make an archive of three articles in `folder`/data, and what a command works on beside it."""
    three_articles(folder / "data")
    if command == "import":
        for slug in ("tea", "cake"):
            post = replace(ARTICLE, url=f"https://one.techidaily.com/{slug}/", title=slug)
            write(folder / "posts" / f"{slug}.md", post)
        return ["import", str(folder / "posts")]
    return ["export", str(folder / "exported"), "--for", "hugo"]


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize(
    "command", ["export", *(pytest.param(name, marks=pytest.mark.long) for name in ("import", "crawl"))]
)
def test_a_disk_that_fails_at_any_write_costs_nothing_that_was_there(
    site: Site, tmp_path: Path, command: str, error: str
) -> None:
    crawl = ["crawl", SEED, "--hosts", SEED.split("/")[2], "--quiet", "--connect-to", site.url]

    def begin(name: str) -> tuple[Path, list[str]]:
        folder = tmp_path / name
        if command != "crawl":
            return folder, [*prepare(command, folder), "--data", str(folder / "data")]
        three_articles(folder / "data")
        return folder, [*crawl, "--data", str(folder / "data")]

    folder, args = begin("whole")
    before = files(folder / "data")
    done = failing(0, error, tmp_path / "count", *args)
    assert done.returncode in WELL, done.stderr
    calls = (tmp_path / "count").stat().st_size
    assert calls > 3
    after, out = files(folder / "data"), exported(folder / "exported")
    for at in range(1, calls + 1):
        folder, args = begin(str(at))
        done = failing(at, error, tmp_path / "count", *args)
        if command == "crawl" and (files(folder / "data"), done.returncode in WELL) == (after, True):
            continue  # all that failed is the name of its log, or there was less to do: commits differ
        assert done.returncode == DISK, (at, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stdout + done.stderr, at
        assert damage(folder / "data") == [], at
        left = files(folder / "data")
        assert {name: left.get(name) for name in before} == before, at
        assert exported(folder / "exported").items() <= out.items(), at
        again = failing(0, error, tmp_path / "count", *args)
        assert again.returncode in WELL, (at, again.stdout, again.stderr)
        assert (files(folder / "data"), exported(folder / "exported")) == (after, out), at
        assert disorder(folder / "data") == [], at
        shutil.rmtree(folder)
