"""Measure how fast archived articles are re-extracted, on one processor and on two.

    python -m bench.reextract SITES [--pages 8000] [--rounds 3]

SITES has one folder a host. So many pages of it are crawled into a scratch archive, enough that the start of the
processes does not count; then one process and two read all articles again, in turns, as they are archived. At last
each lacks half of its text, as if an older extractor had read it, so that all are written. Seconds are those of the
work, without the start of Python. Memory is the sum of what each process had at its most (Linux only), for all
articles and for a tenth. The exit code is 1 where a bar is missed: 300 pages a second by two processes, 1.7 times as
many as by one, and at most half as much memory again for all as for a tenth.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.export import measured
from bench.serving import served

MIN_PAGES_PER_SECOND = 300
MIN_SPEED_UP = 1.7
MAX_MEMORY_RATIO = 1.5
_HALVE = "UPDATE articles SET body = substr(body, 1, length(body) / 2), extractor_version = NULL"

_REEXTRACT = """
import atexit, resource, sys, time
from pathlib import Path
def print_cpu():
    usages = map(resource.getrusage, [resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN])
    print(*(usage.ru_utime + usage.ru_stime for usage in usages))
atexit.register(print_cpu)  # called last: the readers count once the process that they are forked off has ended
from crawler.runs.reextract import ReextractionRun
from pipelines.archive.selection import ArticleFilter
data, processes, where = sys.argv[1:]
chosen = ArticleFilter(where=where)
start = time.perf_counter()
with ReextractionRun(Path(data), chosen, processes=int(processes)) as run:
    preview = run.preview(lambda done, total: None)
    read = time.perf_counter()
    run.write(preview, lambda done, total: None)
assert not preview.failures and not preview.quarantined
seconds = time.perf_counter() - start
print(preview.changed, preview.unchanged, read - start, seconds)
"""


class Cost(NamedTuple):
    """Time and memory of a re-extraction."""

    changed: int
    unchanged: int
    read_seconds: float
    seconds: float
    main_cpu_seconds: float
    """Of the process that hands out the pages and writes, with its start."""
    cpu_seconds: float
    """Of the processes that read, with their start."""
    megabytes: float

    @property
    def rate(self) -> float:
        """Pages a second."""
        return (self.changed + self.unchanged) / self.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sites", type=Path)
    parser.add_argument("--pages", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        crawl(options.sites, data, options.pages)
        tenth = reextract(data, 2, "id % 10 = 0")
        by_processes: dict[int, list[Cost]] = {1: [], 2: []}
        for _ in range(options.rounds):
            for processes, costs in by_processes.items():
                costs.append(reextract(data, processes, "1"))
        changed = shutil.copytree(data, Path(folder) / "changed")
        with closing(sqlite3.connect(changed / "archive.db")) as db, db:
            db.execute(_HALVE)
        written = reextract(changed, 2, "1")
    rates = {processes: median(cost.rate for cost in costs) for processes, costs in by_processes.items()}
    memory = max(cost.megabytes for cost in by_processes[2])
    print(f"{by_processes[2][0].unchanged:,} articles")
    for processes, rate in rates.items():
        print(f"{processes} processes: {rate:,.0f} pages/s")
    cpu = (by_processes[2][0].cpu_seconds, by_processes[2][0].main_cpu_seconds)
    milliseconds = [seconds / by_processes[2][0].unchanged * 1000 for seconds in cpu]
    print(
        f"speed-up {rates[2] / rates[1]:.2f}; a page takes {milliseconds[0]:.1f} ms of a processor to read, and "
        f"{milliseconds[1]:.1f} ms beside that"
    )
    print(f"{memory:.0f} MB, {tenth.megabytes:.0f} MB for a tenth")
    print(
        f"{written.changed:,} changed: {written.rate:,.0f} pages/s, of which reading takes "
        f"{written.read_seconds:.1f} s and writing {written.seconds - written.read_seconds:.1f} s"
    )
    sys.exit(
        rates[2] < MIN_PAGES_PER_SECOND
        or rates[2] < MIN_SPEED_UP * rates[1]
        or memory > MAX_MEMORY_RATIO * tenth.megabytes
    )


def crawl(sites: Path, data: Path, pages: int) -> None:
    hosts = sorted(host.name for host in sites.iterdir() if host.is_dir())
    with served(sites) as server:
        command = [sys.executable, "-m", "crawler", "crawl", *hosts, "--quiet", "--data", str(data)]
        options = ["--discover", "both", "--max-pages", str(pages), "--connect-to", server]
        subprocess.run([*command, *options], check=False)


def reextract(data: Path, processes: int, where: str) -> Cost:
    command = [sys.executable, "-c", _REEXTRACT, str(data), str(processes), where]
    output, megabytes = measured(command)
    changed, unchanged, *seconds = output.split()
    read, all_, main_cpu, cpu = map(float, seconds)
    return Cost(int(changed), int(unchanged), read, all_, main_cpu, cpu, megabytes)


if __name__ == "__main__":
    main()
