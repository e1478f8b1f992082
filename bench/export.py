"""Measure how fast articles are exported, and whether more of them take more memory.

    python -m bench.export DATA [FOLDER]

DATA is the folder of an archive; the exports go below FOLDER, a temporary one where it is not named (/dev/shm shows
what the disk takes). For every program: a tenth of the articles, all, and all once more. Beside them stands how fast
files of the same bytes can be written at all. Memory is the sum of what each process had at its most (Linux only).
The exit code is 1 where a bar is missed: 2,000 articles a second, 3,000 where nothing changed, and at most half as
much memory again for all as for a tenth.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pipelines.export.flavours import FLAVOURS

BAR, BAR_UNCHANGED = 2_000, 3_000
"""Articles a second."""
MEMORY = 1.5
"""Most for all articles, as a multiple of what a tenth takes."""

# Runs an export as the command does, without the time that Python takes to start.
_EXPORT = """
import sys, time
from pathlib import Path
from pipelines.archive.connection import open_readonly
from pipelines.archive.selection import ArticleFilter
from pipelines.export.plan import Form
from pipelines.export.run import to_folder
from pipelines.export.source import Source
data, out, flavour, where = sys.argv[1:]
start = time.perf_counter()
source = Source(open_readonly(Path(data) / "archive.db"), ArticleFilter(where=where))
to_folder(source, Path(out), Form(flavour=flavour), prune=False, watch=lambda done: None)
print(source.count, time.perf_counter() - start)
"""


class Cost(NamedTuple):
    """Time and memory of an export."""

    articles: int
    seconds: float
    megabytes: float

    @property
    def rate(self) -> float:
        """Articles a second."""
        return self.articles / self.seconds


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    missed = False
    with TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        for flavour in FLAVOURS:
            out = Path(folder) / flavour
            tenth = _export(out.with_name(f"{flavour}-tenth"), flavour, "id % 10 = 0")
            first, again = _export(out, flavour, "1"), _export(out, flavour, "1")
            bare = _bare(out, Path(folder) / f"{flavour}-bare")
            memory = first.megabytes / tenth.megabytes
            print(
                f"{flavour:9} {first.articles:,} articles: {first.rate:,.0f} a second ({first.rate / bare:.2f} of "
                f"bare writing), {again.rate:,.0f} where nothing changed; {first.megabytes:.0f} MB "
                f"({memory:.2f} of a tenth)"
            )
            missed |= first.rate < BAR or again.rate < BAR_UNCHANGED or memory > MEMORY
    sys.exit(missed)


def _export(out: Path, flavour: str, where: str) -> Cost:
    command = [sys.executable, "-c", _EXPORT, sys.argv[1], str(out), flavour, where]
    output, megabytes = measured(command)
    articles, seconds = output.split()
    return Cost(int(articles), float(seconds), megabytes)


def measured(command: Sequence[str]) -> tuple[str, float]:
    """Run a command, and return its output and the sum of the peak memory of its processes, in megabytes."""
    peaks: dict[int, float] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            for pid in (process.pid, *_children(process.pid)):
                peaks[pid] = max(_peak(pid), peaks.get(pid, 0))
            time.sleep(0.05)
        output, _ = process.communicate()
    if process.returncode:
        sys.exit(process.returncode)
    return output, sum(peaks.values())


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has ended
        return []


def _peak(pid: int) -> float:
    """Return the peak memory of a process in megabytes; 0 where it has ended."""
    try:
        match = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(match[1]) / 1024 if match else 0


def _bare(exported: Path, folder: Path) -> float:
    """Return how many files of the same bytes are written and renamed in a second, and nothing else."""
    contents = [path.read_bytes() for path in exported.rglob("*.md")]
    folder.mkdir()
    start = time.perf_counter()
    for number, content in enumerate(contents):
        (folder / "writing").write_bytes(content)
        (folder / "writing").replace(folder / str(number))
    return len(contents) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
