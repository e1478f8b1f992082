"""Commands that are killed at any moment: the next run does the rest."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from random import Random
from time import monotonic

import pytest

from tests.site import Site
from tests.support.archives import damage, differences
from tests.support.commands import Run
from tests.support.exports import files as exported
from tests.support.interrupting import start
from tests.support.jobs import JOBS

KILLS = 14
"""For each command; `tests/runs/test_kill.py` kills crawls."""


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
            began = monotonic()
            with begin(data) as process:
                try:
                    process.wait(random.uniform(seconds / 4, seconds))
                    # The machine was busy with other things before.
                    seconds = min(seconds, monotonic() - began)
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
