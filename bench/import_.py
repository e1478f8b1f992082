"""Measure how fast Markdown is imported, and whether more files take more memory.

    python -m bench.import_ FILES [FOLDER]

FILES is a folder that `alsoread import` reads: an export, or the `articles` of an archive. A tenth of its files and
then all are imported into empty archives, and all once more into the archive that has them. The archives are made
below FOLDER, by default a temporary one (/dev/shm shows what the disk costs). Seconds are those of the command
from its start to its end. The exit code is 1 if a bar is missed: 400 articles a second, and at most half as
much memory again for all as for a tenth, of all processes together.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

MIN_ARTICLES_PER_SECOND = 400
MAX_MEMORY_RATIO = 1.5
"""Memory for all files to that for a tenth of them."""


class Cost(NamedTuple):
    """Cost of an import: seconds, seconds of processors, and the peak of memory in megabytes."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    """Of all its processes together; what they share counts once."""


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    files = sorted(Path(sys.argv[1]).rglob("*.md"))
    with TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        tenth, data = Path(folder) / "tenth", Path(folder) / "data"
        for number, file in enumerate(files[::10]):
            tenth.mkdir(exist_ok=True)
            shutil.copyfile(file, tenth / f"{number}.md")
        small = run_import(tenth, Path(folder) / "small")
        first = run_import(Path(sys.argv[1]), data)
        again = run_import(Path(sys.argv[1]), data)
    print(f"{len(files)} files, {os.cpu_count()} processors")
    for name, count, cost in (
        ("a tenth", len(files[::10]), small),
        ("all", len(files), first),
        ("all again", len(files), again),
    ):
        print(
            f"{name:10} {cost.seconds:6.1f} s {count / cost.seconds:7.0f} articles/s "
            f"{cost.cpu_seconds / count * 1000:6.2f} ms of processors an article {cost.megabytes:6.0f} MB"
        )
    sys.exit(
        len(files) / first.seconds < MIN_ARTICLES_PER_SECOND
        or first.megabytes > MAX_MEMORY_RATIO * small.megabytes
    )


def run_import(source: Path, data: Path) -> Cost:
    command = [sys.executable, "-m", "crawler", "import", str(source), "--data", str(data)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    memory = 0.0
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        memory = max(memory, sum(map(_megabytes, [process.pid, *_children(process.pid)])))
        time.sleep(0.05)
    seconds, (_, status, usage) = time.perf_counter() - start, ended
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with exit code {process.returncode}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, memory)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has ended
        return []


def _megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    main()
