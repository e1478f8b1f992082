"""How fast does Markdown come into an archive, and does it take more memory when there is more of it?

    python -m bench.import_ FILES

FILES is a folder that `alsoread import` takes: an export, or the `articles` of an archive. A tenth of its files and
then all are taken into empty archives, and all once more into the archive that has them. The exit code is 1 where a
bar is missed: 1,000 articles a second, and at most half as much memory again for all as for a tenth.
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

BAR = 1_000
"""Articles a second."""
MEMORY = 1.5
"""Times what a tenth takes."""


class Cost(NamedTuple):
    """What an import took: seconds, and megabytes of its largest process."""

    seconds: float
    megabytes: float


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    files = sorted(Path(sys.argv[1]).rglob("*.md"))
    with TemporaryDirectory() as folder:
        tenth, data = Path(folder) / "tenth", Path(folder) / "data"
        for number, file in enumerate(files[::10]):
            tenth.mkdir(exist_ok=True)
            shutil.copyfile(file, tenth / f"{number}.md")
        small = take_in(tenth, Path(folder) / "small")
        first = take_in(Path(sys.argv[1]), data)
        again = take_in(Path(sys.argv[1]), data)
    print(f"{len(files)} files, {os.cpu_count()} processors")
    for name, count, cost in (
        ("a tenth", len(files[::10]), small),
        ("all", len(files), first),
        ("all again", len(files), again),
    ):
        print(
            f"{name:10} {cost.seconds:7.1f} s {count / cost.seconds:8.0f} articles/s {cost.megabytes:7.0f} MB"
        )
    sys.exit(len(files) / first.seconds < BAR or first.megabytes > MEMORY * small.megabytes)


def take_in(source: Path, data: Path) -> Cost:
    command = [sys.executable, "-m", "crawler", "import", str(source), "--data", str(data)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(
        process.pid, 0
    )  # of the command and of the largest process that it waited for
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with exit code {process.returncode}")
    return Cost(time.perf_counter() - start, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
