"""Run `alsoread schedule` as a process, read its lines, and kill it if it does not end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Timer


def schedule(data: Path, *args: str, ahead: timedelta = timedelta(), zone: str = "UTC") -> list[str]:
    """The command of a service, for a shell."""
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
    """The exit code, standard output and standard error of a command that ended."""
    done = subprocess.run(
        schedule(data, *args, ahead=ahead, zone=zone), capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def limited(running: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is killed at the end of the block, or after a minute."""
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
    """A running service, killed at the end of the block."""
    command = [sys.executable, *flags, "-m", "crawler", "schedule", "--data", str(data), *args]
    environment = os.environ | {"ALSOREAD_SHORTEST_INTERVAL_SECONDS": "1"}
    return limited(
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    )


def line_with(running: subprocess.Popen[str], words: str) -> str:
    """Reads on to the next line with these words."""
    assert running.stdout
    for line in running.stdout:
        if words in line:
            return line
    raise AssertionError(f"no line has {words!r}")


def archive_with_a_crawl(data: Path, ahead: timedelta = timedelta()) -> None:
    """Makes an archive whose crawl has just ended, so that none is due."""
    code = (
        "import sys; from pathlib import Path; from pipelines.archive.catalog import Catalog\n"
        "catalog = Catalog(Path(sys.argv[1]), scope=[], retry_delays=[])\n"
        "catalog.begin_crawl(); catalog.end_crawl('finished'); catalog.close()"
    )
    command = [*environment(ahead, "UTC"), sys.executable, "-c", code, str(data / "archive.db")]
    subprocess.run(command, check=True)
