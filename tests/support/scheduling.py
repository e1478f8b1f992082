"""`alsoread schedule` as a process: started, read, and killed where it does not end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Timer


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


def archive_with_a_crawl(data: Path, ahead: timedelta = timedelta()) -> None:
    """A crawl that has just ended, so that none is due."""
    code = (
        "import sys; from pathlib import Path; from pipelines.archive.catalog import Catalog\n"
        "Catalog(Path(sys.argv[1]), scope=[], retry_delays=[]).close('finished', requests={}, received=0)"
    )
    command = [*environment(ahead, "UTC"), sys.executable, "-c", code, str(data / "archive.db")]
    subprocess.run(command, check=True)
