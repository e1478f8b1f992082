"""How long does the report of 500,000 articles take, and how large is it?

python -m bench.report [--articles 500000] [--keep DIR]

Builds the archive of `bench.scale` in a temporary folder, which takes minutes and 4 GB, or in DIR, where it is used
again; adds 2,000 runs, 5,000 alarms and 50,000 older versions to it. Prints the seconds that `alsoread report` takes
(the quickest of three), its memory, and the size of the page. Exits with 1 above 15 s, 500 MB or 3 MB.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from multiprocessing import Process
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.scale import build

SECONDS, MEMORY_BYTES, PAGE_BYTES = 15.0, 500 * 10**6, 3 * 10**6
LINKS = 10
RUNS, ALARMS, REVISIONS = 2_000, 5_000, 50_000

_NUMBERS = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)"
_STATEMENTS = (
    (
        f"""{_NUMBERS} INSERT INTO crawls (started_at, ended_at, outcome, pid, version, seeds, options, new, changed)
        SELECT strftime('%Y-%m-%dT%H:%M:%fZ', '2025-06-02', n || ' hours'),
               strftime('%Y-%m-%dT%H:%M:%fZ', '2025-06-02', n || ' hours', '20 minutes'),
               'finished', 1, '', '[]', '{{}}', n % 7, n % 11 FROM number""",
        RUNS,
    ),
    (
        f"""{_NUMBERS} INSERT INTO alarms (crawl, host, kind, message, raised_at)
        SELECT n % 1000 + 1, printf('blog-%03d.techidaily.com', n % 300), 'template', 'A template is not known.', ''
        FROM number""",
        ALARMS,
    ),
    (
        f"""{_NUMBERS}
        INSERT INTO revisions (article, archived_at, replaced_at, crawl, body, body_hash, images)
        SELECT 1 + (n * 7919) % (SELECT count(*) FROM articles), '', '', 1, '', '', '[]' FROM number""",
        REVISIONS,
    ),
)


def main(arguments: Sequence[str] | None = None) -> bool:
    """Return whether the report was quick and small enough."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--articles", type=int, default=500_000)
    parser.add_argument("--keep", type=Path, metavar="DIR")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        data: Path = options.keep or Path(folder, "data")
        if not (data / "archive.db").exists():
            # In another process: what this one has used would count as memory of those that it starts.
            builder = Process(target=_build, args=(data, options.articles))
            builder.start()
            builder.join()
        page = Path(folder, "report.html")
        measured = [_report(data, page) for _ in range(3)]
        return all(
            [
                _within("seconds", min(seconds for seconds, _ in measured), SECONDS),
                _within("memory, MB", max(memory for _, memory in measured) / 1e6, MEMORY_BYTES / 1e6),
                _within("page, MB", page.stat().st_size / 1e6, PAGE_BYTES / 1e6),
            ]
        )


def _build(data: Path, articles: int) -> None:
    build(data, articles, LINKS)
    with closing(sqlite3.connect(data / "archive.db")) as db:
        for statement, count in _STATEMENTS:
            db.execute(statement, [count])
        db.commit()


def _report(data: Path, page: Path) -> tuple[float, int]:
    """Return the seconds that the command took, and its memory in bytes."""
    command = [sys.executable, "-m", "crawler", "report", "--data", str(data), "--out", str(page)]
    start = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"alsoread report ended with {process.returncode}")
    return perf_counter() - start, usage.ru_maxrss * 1024


def _within(name: str, value: float, limit: float) -> bool:
    print(f"{name:12} {value:8.2f} of {limit:g}{'' if value <= limit else '  MISSED'}", flush=True)
    return value <= limit


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
